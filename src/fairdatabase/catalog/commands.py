"""The catalogue on the command line."""

from typing import TYPE_CHECKING

import click
from pydantic_core import to_json

from fairdatabase.catalog.schemas import AccessClass, SearchQuery

if TYPE_CHECKING:
    from fairdatabase.cli import Instance


@click.command(epilog="\b\nExample:\n  fairdatabase search gut microbiome --access open")
@click.argument("words", nargs=-1)
@click.option("--access", type=click.Choice([access.value for access in AccessClass]))
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.pass_obj
def search(
    instance: "Instance", words: tuple[str, ...], access: str | None, page: int, *, as_json: bool
) -> None:
    """Search the published datasets; without words, list them."""
    wanted = AccessClass(access) if access else None
    query = SearchQuery(q=" ".join(words), access=wanted, page=page)
    found = instance.services.catalog.search(query)
    if as_json:
        click.echo(to_json(found))
        return
    for item in found.items:
        click.echo(f"{item.dataset_public_id}  {item.access.value:<10}  {item.title}")
    click.echo(f"{found.total} found, page {page}", err=True)
