"""Reads documents in every format into the same flat list of blocks."""

from collections.abc import Callable

from knowledge_base.documents import Format, Page
from knowledge_base.parsing.blocks import Block
from knowledge_base.parsing.html import blocks_of_html
from knowledge_base.parsing.markdown import blocks_of_markdown
from knowledge_base.parsing.plain import blocks_of_text
from knowledge_base.parsing.rest import blocks_of_rest

_PARSERS: dict[Format, Callable[[str], list[Block]]] = {
    Format.MARKDOWN: blocks_of_markdown,
    Format.REST: blocks_of_rest,
    Format.HTML: blocks_of_html,
    Format.TEXT: blocks_of_text,
}


def parse(page: Page) -> list[Block]:
    """Return the headings, paragraphs and code of a page in reading order."""
    return _PARSERS[page.format](page.text)
