"""The command ``kb``: add documentation, search it, see what is missing, serve it."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import click
import uvicorn

from knowledge_base.background import embedding_behind
from knowledge_base.embedding.choice import embedder_of
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.gaps import gaps_of
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.loading import load
from knowledge_base.loading.web import Fetcher
from knowledge_base.project import names_used_by, packages_of
from knowledge_base.server import asgi_app, mcp_server
from knowledge_base.settings import read_settings
from knowledge_base.starter import STARTER
from knowledge_base.store import Store
from knowledge_base.store.records import Scope

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_PORT: Final = 8051


def _explained(command: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Show an error of ours as one line instead of a traceback."""

    @wraps(command)
    def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        try:
            return command(*args, **kwargs)
        except KnowledgeBaseError as error:
            raise click.ClickException(str(error)) from error

    return run


@click.group()
@click.option(
    "--database", metavar="URL",
    help="Where everything is kept, instead of KB_DATABASE; sqlite:///FILE or postgresql+psycopg://…",
)  # fmt: skip
@click.pass_context
@_explained
def main(context: click.Context, database: str | None) -> None:
    """Documentation that you and your agents can search and cite."""
    settings = read_settings()
    context.obj = KnowledgeBase(Store(database or settings.database), embedder_of(settings))


@main.command()
@click.argument("locations", nargs=-1)
@click.option("--starter", is_flag=True, help="Add the starter set.")
@click.option("--id", "source_id", default="", help="Short name of the source.")
@click.option("--licence", default="", help="SPDX identifier, where the source does not say.")
@click.option("--refresh-days", type=click.IntRange(1), help="How often it is loaded anew.")
@click.option("--allow-private", is_flag=True, help="Take web pages inside this network as well.")
@click.pass_obj
@_explained
def add(
    knowledge: KnowledgeBase, locations: tuple[str, ...], *, starter: bool, source_id: str,
    licence: str, refresh_days: int | None, allow_private: bool,
) -> None:  # fmt: skip
    """Add sources: pypi:flask, installed:flask, tool:ruff, git:URL, a website, folder or file."""
    wanted = (*locations, *(STARTER if starter else ()))
    if not wanted:
        raise click.UsageError("Name a source, or say --starter.")
    if source_id and len(wanted) > 1:
        raise click.UsageError("--id names one source.")
    failed = 0
    for location in wanted:
        try:
            loaded = load(
                location, source_id=source_id, fetcher=Fetcher(allow_private=allow_private)
            )
            source = replace(
                loaded.source, licence=licence or loaded.source.licence, refresh_days=refresh_days
            )
            changes = knowledge.refresh(source, loaded.pages)
        except KnowledgeBaseError as error:
            failed += 1
            click.secho(f"{location}: {error}", err=True, fg="red")
            continue
        click.echo(
            f"{source.id} {source.version}".strip() + f": {changes.written} pages written,"
            f" {changes.unchanged} unchanged, {changes.removed} removed"
        )
    if failed:
        sys.exit(1)


@main.command()
@click.argument("project", type=click.Path(exists=True, path_type=Path), default=".")
@click.pass_context
@_explained
def sync(context: click.Context, project: Path) -> None:
    """Add what a project locks or requires, in the versions that it uses."""
    found = packages_of(project)
    click.echo(f"{len(found)} packages: {', '.join(found)}")
    context.invoke(add, locations=tuple(f"pypi:{each}" for each in found))


@main.command()
@click.pass_obj
@_explained
def embed(knowledge: KnowledgeBase) -> None:
    """Embed what has no vector yet, so that meaning counts in a search and not words alone.

    The embedder is KB_EMBEDDER: `bundled` (needs the extra `vectors`), `none`, `ollama:MODEL`, or
    `openai:URL#MODEL` with KB_EMBEDDER_KEY. When it was interrupted, it goes on where it stopped.
    """
    with click.progressbar(length=knowledge.waiting(), label="Embedding", show_pos=True) as bar:
        while done := knowledge.embed_next():
            bar.update(done)
    click.echo("All sections are embedded.")


@main.command()
@click.argument("source_id")
@click.pass_obj
@_explained
def remove(knowledge: KnowledgeBase, source_id: str) -> None:
    """Remove a source with everything in it."""
    if not knowledge.store.drop_source(source_id):
        raise click.ClickException(f"There is no source {source_id!r}; `kb sources` lists them.")
    click.echo(f"{source_id}: removed")


@main.command()
@click.pass_obj
@_explained
def sources(knowledge: KnowledgeBase) -> None:
    """List the sources."""
    for source, counts in knowledge.store.sources(Scope()):
        licence = source.licence.partition("\n")[0][:30]
        click.echo(
            f"{source.id:20} {source.version:14} {counts.pages:6} pages {counts.sections:7}"
            f" sections {counts.examples:6} examples  {licence}"
        )


@main.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--source", multiple=True, help="Look in this source only; may be repeated.")
@click.option(
    "--project",
    type=click.Path(exists=True, path_type=Path),
    help="Put first what documents the packages that this project locks or imports.",
)
@click.option("--code", is_flag=True, help="Look for code examples.")
@click.option("--count", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--demand", is_flag=True, help="Fail when the answer cannot be trusted.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@_explained
def search(
    knowledge: KnowledgeBase, query: tuple[str, ...], *, source: tuple[str, ...],
    project: Path | None, code: bool,
    count: int, demand: bool, as_json: bool,
) -> None:  # fmt: skip
    """Find the sections, or the code, that answer a question."""
    asked, scope = " ".join(query), Scope(frozenset(source) or None)
    if code:
        found = knowledge.examples(asked, scope, count=count)
        _show(found, as_json, lambda each: (
            f"{each.stored.url}\n{each.example.caption}\n\n{_indented(each.example.code)}\n"
        ))  # fmt: skip
        return
    packages = names_used_by(project) if project else ()
    answer = (knowledge.demand if demand else knowledge.search)(
        asked, scope, count=count, packages=packages
    )
    if as_json:
        click.echo(json.dumps(asdict(answer), indent=2, default=str))
        return
    for hit in answer.hits:
        click.secho(" > ".join(hit.stored.section.trail), bold=True)
        click.echo(f"{hit.stored.url}\n{_indented(hit.snippet)}\n")
    if answer.is_gap:
        click.secho(
            f"Not to be trusted: confidence {answer.confidence:.2f}. Noted as a gap.", fg="yellow"
        )
    if answer.mode == "lexical":
        click.secho("Searched by words alone, without embeddings: see `kb embed --help`.", dim=True)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@_explained
def gaps(knowledge: KnowledgeBase, *, as_json: bool) -> None:
    """Show what was asked and not found, the most wanted first, with sources that may help."""
    _show(gaps_of(knowledge.store), as_json, lambda gap: (
        f"{gap.times:4} x  {gap.questions[0]}"
        + (f"\n        try: kb add {' '.join(gap.suggestions)}" if gap.suggestions else "")
    ))  # fmt: skip


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=_PORT, show_default=True)
@click.option("--stdio", is_flag=True, help="Speak MCP over standard input and output.")
@click.pass_obj
@_explained
def serve(knowledge: KnowledgeBase, *, host: str, port: int, stdio: bool) -> None:
    """Serve MCP at /mcp and REST at /api; the environment's KB_TOKEN is asked of callers."""
    if stdio:
        with embedding_behind(knowledge):
            mcp_server(knowledge).run("stdio")
        return
    token = read_settings().token.get_secret_value()
    if not token and host not in {"127.0.0.1", "localhost", "::1"}:
        raise click.UsageError("Set KB_TOKEN to serve others than this machine.")
    app = asgi_app(knowledge, token=token, host=host)
    with embedding_behind(knowledge):
        uvicorn.run(app, host=host, port=port, log_level="info")


def _show(found: list[Any], as_json: bool, written: Callable[[Any], str]) -> None:
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, default=str))
        return
    for each in found:
        click.echo(written(each))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
