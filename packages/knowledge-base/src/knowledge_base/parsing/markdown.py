"""Reads Markdown: CommonMark with tables, front matter and the anchors of GitHub."""

import re
from collections import Counter
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from knowledge_base.parsing.blocks import Block, Part, one_line, slug
from knowledge_base.parsing.html import blocks_of_html

_parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
_EXPLICIT_ANCHOR = re.compile(r"\s*\{\s*#([\w.-]+)[^}]*\}\s*$")
_LANGUAGE = re.compile(r"[\w+#-]+")


def blocks_of_markdown(text: str) -> list[Block]:
    """Return the headings, paragraphs, table rows and code of a document."""
    return list(_Reader().read(_parser.parse(text)))


class _Reader:
    """Goes through the tokens of one document."""

    def __init__(self) -> None:
        self.anchors: Counter[str] = Counter()
        self.level = 0
        self.cells: list[str] | None = None

    def read(self, tokens: list[Token]) -> Iterator[Block]:
        """Yield blocks in reading order."""
        for token in tokens:
            match token.type:
                case "heading_open":
                    self.level = int(token.tag[1:])
                case "heading_close":
                    self.level = 0
                case "tr_open":
                    self.cells = []
                case "tr_close":
                    yield Block(Part.PROSE, " | ".join(self.cells or ()))
                    self.cells = None
                case "inline":
                    yield from self._inline(token)
                case "fence" | "code_block":
                    yield _code(token)
                case "html_block":
                    yield from blocks_of_html(token.content)

    def _inline(self, token: Token) -> Iterator[Block]:
        text = _plain(token)
        if self.level:
            yield self._heading(text)
        elif self.cells is not None:
            self.cells.append(text)
        elif text:
            yield Block(Part.PROSE, text)

    def _heading(self, text: str) -> Block:
        explicit = _EXPLICIT_ANCHOR.search(text)
        if explicit:
            text, anchor = text[: explicit.start()], explicit[1]
        else:
            anchor = slug(text)
            self.anchors[anchor] += 1
            if (repeated := self.anchors[anchor] - 1) > 0:
                anchor = f"{anchor}-{repeated}"
        return Block(Part.HEADING, text, level=self.level, anchor=anchor)


def _code(token: Token) -> Block:
    language = _LANGUAGE.match(token.info.strip().lstrip("{"))
    return Block(Part.CODE, token.content.rstrip(), language=language[0] if language else "")


def _plain(token: Token) -> str:
    parts = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline" | "image":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append(" ")
    return one_line("".join(parts))
