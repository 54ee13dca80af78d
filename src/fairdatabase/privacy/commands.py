"""Privacy on the command line."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit
from pydantic_core import to_json

from fairdatabase.authorization.schemas import OPERATOR
from fairdatabase.privacy.engine.outlook import Models
from fairdatabase.privacy.errors import SignatureError
from fairdatabase.privacy.formats.lines import (
    assessment_lines,
    release_lines,
    suggestion_lines,
    version_lines,
)
from fairdatabase.privacy.formats.signature import verify
from fairdatabase.privacy.schemas import MissingChoice, Recipe
from fairdatabase.privacy.schemas.details import ModelsQuery
from fairdatabase.privacy.schemas.files import FileRoles
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.privacy.service import files

if TYPE_CHECKING:
    from fairdatabase.cli import Instance

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def privacy() -> None:
    """Measure and anonymise files, look after keys of pseudonyms, check signed reports."""


_COLUMN_OPTIONS = (
    click.option("--qi", multiple=True, required=True, help="What others may know."),
    click.option("--sensitive", multiple=True, help="Sensitive column; repeatable."),
    click.option("--insensitive", multiple=True, help="Looks like a name and is none."),
    click.option("--k", type=click.IntRange(1), default=5, show_default=True),
    click.option("--l", type=click.IntRange(1), help="Fewest values in a group."),
    click.option("--t", type=click.FloatRange(0, 1), help="Greatest distance of a group."),
    click.option("--alpha", type=click.FloatRange(0, 1, min_open=True), help="Greatest share."),
    click.option("--beta", type=click.FloatRange(0), help="Greatest gain of a value."),
    click.option("--delta", type=click.FloatRange(0), help="Greatest change of likelihood."),
    click.option("--wildcard", is_flag=True, help="A missing value equals every value."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines."),
)


def _about_columns(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what columns mean and what has to be fulfilled."""
    for option in reversed(_COLUMN_OPTIONS):
        command = option(command)
    return command


def _policy(options: dict[str, Any]) -> Policy:
    missing: MissingChoice = "wildcard" if options["wildcard"] else "category"
    limits = {name: options[name] for name in ("k", "l", "t", "alpha", "beta", "delta")}
    return Policy(missing=missing, **limits)


def _roles(options: dict[str, Any]) -> FileRoles:
    return FileRoles(
        quasi_identifiers=options["qi"],
        sensitive=options["sensitive"],
        insensitive=options["insensitive"],
    )


def _sampling(text: str | None) -> float | str | None:
    """Return a share of the population as a number; anything else names a column."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


@privacy.command(
    epilog="\b\nExample:\n  fairdatabase privacy assess people.csv --qi age --qi region"
    " --sensitive diagnosis --k 5"
)
@click.argument("file", type=_FILE)
@_about_columns
@click.option("--population", type=_FILE, help="File about everybody, with the same columns.")
@click.option("--sampling", help="Share of the population in FILE, or its column of weights.")
@click.option("--uniques", type=click.IntRange(1, 6), help="Most columns that tell a row apart.")
@click.option("--models", is_flag=True, help="All models, each number with a sentence.")
@click.option("--subject", help="Column that says whose sample it is; for tables of taxa.")
def assess(
    file: Path, *, population: Path | None, sampling: str | None, uniques: int | None,
    models: bool, subject: str | None, as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> None:  # fmt: skip
    """Measure the risk of FILE; exit code 1 where it does not pass. Needs no instance."""
    looked_for = uniques or (ModelsQuery().unique_on if models else None)
    found = files.assess_file(
        file, _roles(options), _policy(options), population=population,
        models=Models(sampling=_sampling(sampling), uniques_up_to=looked_for), subject=subject,
    )  # fmt: skip
    lines = assessment_lines(found, explained=models)
    click.echo(to_json(found, indent=2) if as_json else "\n".join(lines))
    if not found.verdict.passed:
        raise Exit(1)


@privacy.command(
    epilog="\b\nExample:\n  fairdatabase privacy anonymise people.csv --qi age --qi region"
    " --recipe recipe.json -o release.csv"
)
@click.argument("file", type=_FILE)
@_about_columns
@click.option("--recipe", type=_FILE, required=True, help="JSON file with the steps.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--key-file", type=_FILE, help="Holds the key of pseudonyms: 16 to 64 bytes.")
def anonymise(
    file: Path, *, recipe: Path, output: Path, key_file: Path | None, as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> None:  # fmt: skip
    """Make a release of FILE; exit code 1 where it does not pass. Needs no instance."""
    made = files.anonymise_file(
        file, output, Recipe.model_validate_json(recipe.read_bytes()), _roles(options),
        _policy(options), key=key_file.read_bytes() if key_file else None,
    )  # fmt: skip
    click.echo(to_json(made, indent=2) if as_json else "\n".join(release_lines(made, str(output))))
    if not made.release.verdict.passed:
        raise Exit(1)


@privacy.command(
    epilog="\b\nExample:\n  fairdatabase privacy compare v1.csv v2.csv --qi age --sensitive illness"
)
@click.argument("earlier", type=_FILE)
@click.argument("later", type=_FILE)
@click.option("--qi", multiple=True, required=True, help="What others may know.")
@click.option("--sensitive", multiple=True, help="Sensitive column; repeatable.")
@click.option("--k", type=click.IntRange(1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def compare(
    earlier: Path, later: Path, *, qi: tuple[str, ...], sensitive: tuple[str, ...], k: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Find groups in which few rows came or left between EARLIER and LATER; exit code 1 if any."""
    roles = FileRoles(quasi_identifiers=qi, sensitive=sensitive)
    found = files.compare_files(earlier, later, roles, k=k)
    click.echo(to_json(found, indent=2) if as_json else "\n".join(version_lines(found)))
    if found.telling_groups:
        raise Exit(1)


@privacy.command(epilog="\b\nExample:\n  fairdatabase privacy detect people.csv")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def detect(file: Path, *, as_json: bool) -> None:
    """Suggest what the columns of FILE mean for privacy. Needs no instance."""
    found = files.detect_file(file)
    click.echo(to_json(found, indent=2) if as_json else "\n".join(suggestion_lines(found)))


@privacy.command("rotate-key", epilog="\b\nExample:\n  fairdatabase privacy rotate-key 5k9z2m4xqvb")
@click.argument("dataset")
@click.pass_obj
def rotate_key(instance: "Instance", dataset: str) -> None:
    """Give DATASET a new key for its pseudonyms; releases made before keep theirs."""
    made = instance.services.pseudonyms.rotate(OPERATOR, dataset)
    click.echo(f"Releases of {dataset} are made with key version {made.version} from now on.")
    click.echo("Pseudonyms of older releases cannot be joined with theirs.")


@privacy.command(
    "verify-report",
    epilog="\b\nExample:\n  fairdatabase privacy verify-report people.privacy-report.pdf"
    " --table people.csv",
)
@click.argument("report", type=_FILE)
@click.option("--public-key", help="Key of the instance that you trust, or a file that holds it.")
@click.option("--table", "tables", type=_FILE, multiple=True, help="Repeatable: of the report?")
def verify_report(report: Path, public_key: str | None, tables: tuple[Path, ...]) -> None:
    """Check the signature of REPORT, and whether tables are those it is about."""
    found = verify(report.read_bytes(), _key(public_key))
    click.echo(f"The report is as it was signed by the key {found.public_key}.")
    if found.trusted is None:
        click.echo("Compare this key with the one the instance shows, or name it: --public-key.")
    elif not found.trusted:
        raise SignatureError("It was signed by another key than the one you trust.")
    names = {checksum: name for name, checksum in found.tables.items()}
    for table in tables:
        if (checksum := _sha256(table)) not in names:
            raise SignatureError(f"{table.name} is none of the tables of the report.")
        click.echo(f"{table.name} is the {names[checksum].replace('_', ' as ')} of the report.")


def _key(named: str | None) -> str | None:
    if named is None or not (path := Path(named)).is_file():
        return named
    return path.read_text(encoding="utf-8").strip()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
