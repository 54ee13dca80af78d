"""Cuts the text of a section into what a page shows, with no markup left to trust."""

from collections.abc import Iterator

from fairdatabase.knowledge.schemas import Block

_FENCE = "```"


def blocks_of(text: str) -> tuple[Block, ...]:
    """Return paragraphs and pieces of code in order; code stands between fences."""
    return tuple(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    lines: list[str] = []
    language: str | None = None
    for line in text.splitlines():
        opens = language is None and line.startswith(_FENCE)
        closes = language is not None and line.rstrip() == _FENCE
        if not (opens or closes):
            lines.append(line)
            continue
        yield from _written(lines, language)
        lines = []
        language = line.removeprefix(_FENCE).strip() if opens else None
    yield from _written(lines, language)


def _written(lines: list[str], language: str | None) -> Iterator[Block]:
    if language is not None:
        yield Block(is_code=True, text="\n".join(lines), language=language)
        return
    for paragraph in "\n".join(lines).split("\n\n"):
        if paragraph.strip():
            yield Block(is_code=False, text=paragraph.strip("\n"))
