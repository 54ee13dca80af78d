"""Reads text without markup."""

import re

from knowledge_base.parsing.blocks import Block, Part, one_line

_BLANK_LINES = re.compile(r"\n\s*\n")


def blocks_of_text(text: str) -> list[Block]:
    """Return the paragraphs of a text."""
    paragraphs = (one_line(each) for each in _BLANK_LINES.split(text))
    return [Block(Part.PROSE, each) for each in paragraphs if each]
