"""Reads web pages: the part that is the document, without menus, scripts and styles."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge_base.parsing.blocks import Block, Part, one_line

_DOCUMENT = ("main", "[role=main]", "article", "div.document", "body")
_NOISE = (
    "script, style, noscript, template, nav, header, footer, aside, form, button, svg, iframe,"
    " a.headerlink, a.anchor, .sphinxsidebar, [role=navigation], [hidden], [aria-hidden=true]"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ONE_BLOCK = frozenset({"p", "dt", "tr", "figcaption", "caption", "summary"})
_BLOCKS = "p, pre, ul, ol, dl, table, h1, h2, h3, h4, h5, h6, div, li, tr, dt"
_LANGUAGE = re.compile(r"(?:highlight|language|lang|brush)-([\w+#]+)")
_NOT_A_LANGUAGE = frozenset({"default", "none", "text", "source"})


def blocks_of_html(text: str) -> list[Block]:
    """Return the headings, paragraphs, table rows and code of a page."""
    tree = LexborHTMLParser(text)
    for node in tree.css(_NOISE):
        if node.tag not in {"body", "html"}:
            node.decompose()
    for selector in _DOCUMENT:
        if document := tree.css_first(selector):
            return list(_walk(document))
    return []


def title_of_html(text: str) -> str:
    """Return what the browser shows as the title of a page."""
    title = LexborHTMLParser(text).css_first("title")
    return one_line(title.text()) if title else ""


def _walk(node: LexborNode) -> Iterator[Block]:
    loose: list[str] = []
    for child in node.iter(include_text=True):
        if block := _block(child):
            yield from _paragraph(loose)
            if block.text:
                yield block
        elif child.tag == "-text" or not _holds_blocks(child):
            loose.append(child.text())
        else:
            yield from _paragraph(loose)
            yield from _walk(child)
    yield from _paragraph(loose)


def _paragraph(loose: list[str]) -> Iterator[Block]:
    """Yield what stood outside of any element for paragraphs, once."""
    if text := one_line("".join(loose)):
        yield Block(Part.PROSE, text)
    loose.clear()


def _block(node: LexborNode) -> Block | None:
    tag = node.tag or ""
    if tag in _HEADINGS:
        return Block(
            Part.HEADING, one_line(node.text()), level=_HEADINGS[tag], anchor=_anchor(node)
        )
    if tag == "pre":
        return Block(Part.CODE, node.text().strip("\n").rstrip(), language=_language(node))
    if tag == "dt" and "sig" in (node.attributes.get("class") or ""):
        name = node.attributes.get("id") or ""
        names = (name,) if name else ()
        return Block(Part.SIGNATURE, one_line(node.text()), anchor=name, names=names)
    if tag == "tr":
        cells = [one_line(cell.text()) for cell in node.css("th, td")]
        return Block(Part.PROSE, " | ".join(cells))
    if tag in _ONE_BLOCK and not _holds_blocks(node):
        return Block(Part.PROSE, one_line(node.text()))
    return None


def _holds_blocks(node: LexborNode) -> bool:
    return any(found.mem_id != node.mem_id for found in node.css(_BLOCKS))


def _anchor(node: LexborNode) -> str:
    """Return the id of a heading, or of the section that it opens."""
    if own := node.attributes.get("id"):
        return own
    parent = node.parent
    if parent is not None and parent.tag in {"section", "div"}:
        return parent.attributes.get("id") or ""
    return ""


def _language(node: LexborNode) -> str:
    around: LexborNode | None = node
    inner = node.css_first("code")
    places = [inner] if inner else []
    while around is not None and len(places) < 4:  # noqa: PLR2004 - as deep as generators nest it
        places.append(around)
        around = around.parent
    for place in places:
        if found := _LANGUAGE.search(place.attributes.get("class") or ""):
            return "" if found[1] in _NOT_A_LANGUAGE else found[1]
    return ""
