"""Cuts a page into sections: never in the middle of a paragraph, a piece of code or a signature."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledge_base.documents import Example, Kind, Page, Section
from knowledge_base.parsing import parse
from knowledge_base.parsing.blocks import Block, Part

LONGEST: Final = 1600
"""Characters a section is filled up to. An embedding of 256 tokens sees most of them."""
_SHORTEST: Final = 200
"""A part with fewer characters joins the one before it under the same heading."""
_LONGEST_CAPTION: Final = 300


@dataclass
class _Heading:
    """An open heading or signature: what follows stands under it."""

    level: int
    text: str
    anchor: str
    names: tuple[str, ...] = ()
    is_signature: bool = False


@dataclass
class _Open:
    """The blocks under one heading, until the next."""

    trail: tuple[str, ...]
    anchor: str
    names: tuple[str, ...]
    kind: Kind
    blocks: list[Block] = field(default_factory=list)


def sections_of(page: Page) -> list[Section]:
    """Return the sections of a page in reading order."""
    found = [section for part in _under_headings(page) for section in _packed(part)]
    return [section for section in found if section.text]


def title_of(page: Page, sections: Sequence[Section]) -> str:
    """Return the title of a page: its own, or the first heading of its sections."""
    headings = (section.trail[0] for section in sections if section.trail)
    return page.title or next(headings, page.url.rstrip("/").rpartition("/")[2])


def _under_headings(page: Page) -> Iterator[_Open]:
    trail: list[_Heading] = []
    if page.title:
        trail.append(_Heading(0, page.title, ""))
    current = _opened(trail)
    for block in parse(page):
        if block.part not in {Part.HEADING, Part.SIGNATURE}:
            current.blocks.append(block)
            continue
        yield current
        _step(trail, block)
        current = _opened(trail)
        if block.part is Part.SIGNATURE and block.text:
            current.blocks.append(block)
    yield current


def _step(trail: list[_Heading], block: Block) -> None:
    """Close what a heading or signature ends, and open it."""
    if block.part is Part.HEADING:
        while trail and (trail[-1].is_signature or trail[-1].level >= block.level):
            trail.pop()
        if not trail or trail[-1].text != block.text:
            trail.append(_Heading(block.level, block.text, block.anchor))
        else:
            trail[-1].anchor = trail[-1].anchor or block.anchor
        return
    while trail and trail[-1].is_signature and trail[-1].level >= block.level:
        trail.pop()
    if block.text:
        title = block.names[0] if block.names else block.text.partition("(")[0]
        trail.append(_Heading(block.level, title, block.anchor, block.names, is_signature=True))


def _opened(trail: list[_Heading]) -> _Open:
    last = trail[-1] if trail else _Heading(0, "", "")
    anchor = next((each.anchor for each in reversed(trail) if each.anchor), "")
    kind = Kind.API if last.is_signature else Kind.PROSE
    return _Open(tuple(each.text for each in trail if each.text), anchor, last.names, kind)


def _packed(part: _Open) -> Iterator[Section]:
    """Yield what stands under one heading, in as few sections as it fits in."""
    packed: list[list[Block]] = [[]]
    size = 0
    for block in part.blocks:
        added = len(block.text) + 2
        if (
            packed[-1]
            and size + added > LONGEST
            and size > _SHORTEST
            and not _belongs(packed[-1], block)
        ):
            packed.append([])
            size = 0
        packed[-1].append(block)
        size += added
    if len(packed) > 1 and size < _SHORTEST:
        packed[-2].extend(packed.pop())
    for blocks in packed:
        yield Section(
            trail=part.trail,
            text="\n\n".join(_written(block) for block in blocks),
            anchor=part.anchor,
            kind=part.kind,
            names=part.names,
            examples=tuple(_examples(blocks)),
        )


def _belongs(before: list[Block], block: Block) -> bool:
    """Tell whether a block is the code that the sentence before it announces."""
    return block.part is Part.CODE and before[-1].part is Part.PROSE and len(block.text) < LONGEST


def _written(block: Block) -> str:
    if block.part is Part.PROSE:
        return block.text
    language = block.language if block.part is Part.CODE else ""
    return f"```{language}\n{block.text}\n```"


def _examples(blocks: Iterable[Block]) -> Iterator[Example]:
    said = ""
    for block in blocks:
        if block.part is Part.PROSE:
            said = block.text
        elif block.part is Part.CODE and block.text.strip():
            yield Example(block.text, block.language, said[-_LONGEST_CAPTION:])
