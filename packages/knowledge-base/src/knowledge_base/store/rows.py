"""Turns rows into what the store gives back, and the other way round."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Insert,
    Row,
    Select,
    Table,
    distinct,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from knowledge_base.documents import Example, Kind, Section, Source, Stored
from knowledge_base.store.records import Scope, StoredPage
from knowledge_base.store.tables import examples, pages, sections, sources
from knowledge_base.terms import forms_of_name, names_of_code

_T = TypeVar("_T")
_BETWEEN: Final = "\x1f"
_AT_ONCE: Final = 500


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield lists that are short enough for one statement."""
    iterator = iter(items)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some


def key_of(result: CursorResult[Any]) -> int:
    """Return the primary key of the row that was inserted."""
    key = result.inserted_primary_key
    return cast("int", key[0]) if key else 0


def insert_unless_there(dialect: str, table: Table) -> Insert:
    """Return what inserts rows, and leaves out those that another process has inserted."""
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table).on_conflict_do_nothing()


def may_read(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on sources that their readers ask."""
    return or_(sources.c.owner == "", sources.c.owner.in_(scope.readers))


def ids_in(scope: Scope) -> Select[tuple[int]]:
    """Select the ids of the sections in scope."""
    statement = (
        select(sections.c.id)
        .join(pages, pages.c.id == sections.c.page_id)
        .join(sources, sources.c.id == pages.c.source_id)
        .where(may_read(scope))
    )
    if scope.sources is not None:
        statement = statement.where(sources.c.id.in_(scope.sources))
    if scope.kind is not None:
        statement = statement.where(sections.c.kind == scope.kind)
    return statement


def select_sections() -> Select[Any]:
    """Select sections with the page and source they are of."""
    return select(sections, pages.c.url.label("url"), pages.c.source_id.label("source_id")).join(
        pages, pages.c.id == sections.c.page_id
    )


def select_pages() -> Select[Any]:
    """Select pages with what is in them, in their order."""
    return (
        select(
            pages.c.id, pages.c.source_id, pages.c.url, pages.c.title, pages.c.position,
            func.coalesce(func.sum(sections.c.words), 0).label("words"),
            func.coalesce(func.sum(func.length(sections.c.text)), 0).label("characters"),
            func.count(sections.c.id).label("sections"),
        )
        .join(sources, sources.c.id == pages.c.source_id)
        .outerjoin(sections, sections.c.page_id == pages.c.id)
        .group_by(pages.c.id)
        .order_by(pages.c.position)
    )  # fmt: skip


def count_of(connection: Connection, table: Table) -> dict[str, int]:
    """Return how many rows of sections' examples or vectors each source has."""
    statement = (
        select(pages.c.source_id, func.count(distinct(sections.c.id)))
        if table is not examples
        else select(pages.c.source_id, func.count())
    )
    statement = (
        statement.select_from(table)
        .join(sections, sections.c.id == table.c.section_id)
        .join(pages, pages.c.id == sections.c.page_id)
        .group_by(pages.c.source_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def examples_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[Example]]:
    """Return the examples of sections in order."""
    found: dict[int, list[Example]] = defaultdict(list)
    statement = select(examples).where(examples.c.section_id.in_(ids)).order_by(examples.c.id)
    for row in connection.execute(statement):
        found[row.section_id].append(Example(row.code, row.language, row.caption))
    return found


def row_of(section: Section, page_id: int, position: int) -> dict[str, object]:
    """Return a section as a row."""
    return {
        "page_id": page_id,
        "position": position,
        "trail": _BETWEEN.join(section.trail),
        "text": section.text,
        "anchor": section.anchor,
        "kind": section.kind,
        "names": _BETWEEN.join(section.names),
        "words": len(section.text.split()),
    }


def stored_of(row: Row[Any], code: dict[int, list[Example]]) -> Stored:
    """Return a row as a section."""
    section = Section(
        trail=tuple(row.trail.split(_BETWEEN)) if row.trail else (),
        text=row.text,
        anchor=row.anchor,
        kind=Kind(row.kind),
        names=tuple(row.names.split(_BETWEEN)) if row.names else (),
        examples=tuple(code.get(row.id, ())),
    )
    is_whole = not row.anchor or "#" in row.url  # a page may be a part of a longer one itself
    url = row.url if is_whole else f"{row.url}#{row.anchor}"
    return Stored(row.id, row.page_id, row.source_id, url, row.position, section)


def source_of(row: Row[Any]) -> Source:
    """Return a row as a source."""
    return Source(**row._mapping)  # noqa: SLF001 - the documented name


def page_of(row: Row[Any]) -> StoredPage:
    """Return a row as a page."""
    return StoredPage(**row._mapping)  # noqa: SLF001 - the documented name


def written_names(section: Section) -> str:
    """Return the names that a section defines, whole and in their parts."""
    return " ".join(form for name in section.names for form in forms_of_name(name))


def names_in(code: str) -> str:
    """Return the names in a piece of code, whole and in their parts."""
    return " ".join(form for name in names_of_code(code) for form in forms_of_name(name))
