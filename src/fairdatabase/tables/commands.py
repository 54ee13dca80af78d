"""Tables on the command line: query and download."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import FileRecord
from fairdatabase.kernel.errors import ConflictError, NotFoundError, ValidationError
from fairdatabase.tables.schemas import ExportFormat, ExportQuery, RowsQuery, Scalar

if TYPE_CHECKING:
    from fairdatabase.cli import Instance

_as_user = click.option(
    "--as", "email", envvar="FAIRDATABASE_USER", help="Address of the user who asks; else nobody."
)
_of_file = click.option("--file", "name", help="Name of the file, where the dataset has several.")
_FORMATS = click.Choice([each.value for each in ExportFormat])


def _file_of(instance: "Instance", actor: Actor, dataset: str, name: str | None) -> FileRecord:
    files = instance.services.catalog.resolve(actor, dataset).files
    chosen = [file for file in files if name in {None, file.name}]
    listed = ", ".join(file.name for file in files)
    if not chosen:
        raise NotFoundError(f"The dataset has no such file; it has: {listed or 'none'}.")
    if len(chosen) > 1:
        raise ValidationError(f"The dataset has several files; choose by --file one of: {listed}.")
    return chosen[0]


@click.command(
    epilog="\b\nExample:\n"
    "  fairdatabase query 5k9z2m4xqvb --filter age:ge:30 --sort=-age --column age --limit 5"
)
@click.argument("dataset")
@_of_file
@click.option("--column", "columns", multiple=True, help="Repeatable; all by default.")
@click.option("--filter", "filters", multiple=True, help="column:operator:value; repeatable.")
@click.option("--sort", multiple=True, help="Column, with - in front for descending; repeatable.")
@click.option("--search", help="Text that occurs in a row.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@_as_user
@click.pass_obj
def query(
    instance: "Instance", /, dataset: str, *, name: str | None, columns: tuple[str, ...],
    filters: tuple[str, ...], sort: tuple[str, ...], search: str | None, limit: int,
    email: str | None,
) -> None:  # fmt: skip
    """Print rows of a dataset's table.

    Operators of a filter: eq, ne, lt, le, gt, ge, in (values separated by |), contains,
    starts_with, is_null, not_null.
    """
    actor = instance.actor(email)
    file = _file_of(instance, actor, dataset, name)
    asked = RowsQuery(
        columns=list(columns), filter=list(filters), sort=list(sort), search=search, limit=limit,
        with_total=True,
    )  # fmt: skip
    page = instance.services.tables.rows(actor, file.public_id, asked)
    for line in _aligned([page.columns, *page.rows]):
        click.echo(line)
    click.echo(f"{len(page.rows)} of {page.total} rows", err=True)


def _aligned(rows: Sequence[Sequence[Scalar]]) -> Iterable[str]:
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


@click.command(
    epilog="\b\nExample:\n  fairdatabase download 5k9z2m4xqvb --format csv --output people.csv"
)
@click.argument("dataset")
@_of_file
@click.option("--format", "file_format", type=_FORMATS, help="The table in this format.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
@_as_user
@click.pass_obj
def download(
    instance: "Instance", /, dataset: str, *, name: str | None, file_format: str | None,
    output: Path | None, email: str | None,
) -> None:  # fmt: skip
    """Save a file of a dataset: as it was deposited, or its table in another format."""
    actor = instance.actor(email)
    file = _file_of(instance, actor, dataset, name)
    if file_format:
        asked = ExportQuery(format=ExportFormat(file_format))
        made = instance.services.tables.export(actor, file.public_id, asked)
        suggested, read = made.name, made.chunks.__iter__
    else:
        instance.services.catalog.require_download(actor, file.public_id)
        suggested, read = file.name, partial(instance.services.storage.open, file.sha256)
    path = output or Path(Path(suggested).name)
    size = _save(read, path)
    click.echo(f"{path} ({size:,} bytes)")


def _save(read: Callable[[], Iterable[bytes]], path: Path) -> int:
    """Write a new file, whole or not at all; return its size."""
    if path.exists():
        raise ConflictError(f"{path} exists already. Choose another place with --output.")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            size = sum(map(file.write, read()))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return size
