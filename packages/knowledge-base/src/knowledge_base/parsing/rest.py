"""Reads reStructuredText as Sphinx projects write it, without running Sphinx or any of its code."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from textwrap import dedent
from typing import Any, Final

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.statemachine import StringList

from knowledge_base.parsing.blocks import Block, Part, one_line, slug

_SETTINGS: Final[dict[str, Any]] = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 3,
    "warning_stream": False,
    "halt_level": 5,
    "syntax_highlight": "none",
    "_disable_config": True,
    "doctitle_xform": False,
    "smart_quotes": False,
}
_OBJECTS = (
    "function", "class", "method", "classmethod", "staticmethod", "attribute", "property", "data",
    "exception", "decorator", "decoratormethod", "module", "option", "confval", "envvar",
    "setting", "program", "directive", "role", "type", "fixture", "describe", "object",
)  # fmt: skip
_CODE = (
    "code-block",
    "sourcecode",
    "code",
    "highlight",
    "ipython",
    "doctest",
    "testcode",
    "prompt",
)
_DROPPED = (
    "toctree", "currentmodule", "py:currentmodule", "include", "literalinclude", "index", "only",
    "automodule", "autoclass", "autofunction", "automethod", "autodata", "autoattribute",
    "autoexception", "autosummary", "tabularcolumns", "default-domain", "default-role", "raw",
    "image", "meta", "module-contents", "highlightlang", "testsetup", "testcleanup", "testoutput",
)  # fmt: skip
_CONTENT = (
    "versionadded", "versionchanged", "deprecated", "versionremoved", "seealso", "glossary",
    "rst-class",
    "tab", "tabs", "tab-set", "tab-item", "group-tab", "dropdown", "card", "details", "sidebar",
    "topic", "centered", "hlist", "cssclass", "changelog", "change", "list-of",
)  # fmt: skip
_ROLE_TITLE = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)
_UNKNOWN_ROLE = re.compile(r":[\w:+.-]+:`([^`]*)`")
_NAME = re.compile(
    r"^(?:(?:async|class|classmethod|staticmethod|abstract|final|property|exception)\s+)*([\w.]+)"
)
_FIELD_KIND = re.compile(r"^(?:param|parameter|arg|key|keyword|var|ivar|cvar|type)\s+(?=\S)")
_MAX_LEVEL = 6
_SILENT = (
    nodes.comment,
    nodes.substitution_definition,
    nodes.target,
    nodes.Invisible,
)


class _AnyOption(dict[str, Callable[[str], str]]):
    """Takes every option of a directive."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Callable[[str], str]:
        return directives.unchanged

    def __bool__(self) -> bool:
        return True


class _Tolerant(Directive):
    """Takes any argument, any option and any content."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = _AnyOption()


class _Object(_Tolerant):
    """Describes a function, class, option or the like: its signatures, then what it does."""

    def run(self) -> list[nodes.Node]:
        made = nodes.container(classes=["object"])
        signatures = [line.strip() for line in (self.arguments or [""])[0].splitlines()]
        made["signatures"] = [one_line(line.rstrip("\\")) for line in signatures if line]
        self.state.nested_parse(self.content, self.content_offset, made)
        return [made]


class _Code(_Tolerant):
    """Code in a language."""

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        language = self.arguments[0].split()[0] if self.arguments else ""
        return [nodes.literal_block(text, text, language=language)] if text else []


class _Content(_Tolerant):
    """Something around text, which is read as if it stood there alone."""

    def run(self) -> list[nodes.Node]:
        made = nodes.container()
        if self.arguments:
            said = self.arguments[0]
            if label := _LABELS.get(self.name):
                version, _, said = said.partition("\n")
                said = f"{label} {version}: {said}"
            self.state.nested_parse(StringList([one_line(said)]), self.content_offset, made)
        self.state.nested_parse(self.content, self.content_offset, made)
        return [made]


class _Dropped(_Tolerant):
    """Something that holds no text of its own, or that only Sphinx could fill."""

    def run(self) -> list[nodes.Node]:
        return []


_LABELS = {
    "versionadded": "New in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
}


def _role(
    _name: str,
    _rawtext: str,
    text: str,
    _line: int,
    _inliner: object,
    _options: dict[str, Any] | None = None,
    _content: Sequence[str] | None = None,
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Read a role as its text: what Sphinx would show without the link."""
    titled = _ROLE_TITLE.match(text)
    shown = titled[1] if titled and titled[1] else text
    shown = shown.lstrip("!")
    if shown.startswith("~"):
        shown = shown[1:].rpartition(".")[2]
    return [nodes.literal(shown, shown)], []


def _register() -> None:
    """Teach docutils the directives and roles of Sphinx; it keeps them for the whole process."""
    for name in _OBJECTS:
        directives.register_directive(name, _Object)
        for domain in ("py", "c", "cpp", "js", "rst", "std", "http"):
            directives.register_directive(f"{domain}:{name}", _Object)
    for names, kind in ((_CODE, _Code), (_CONTENT, _Content), (_DROPPED, _Dropped)):
        for name in names:
            directives.register_directive(name, kind)
    for name in (
        "ref", "doc", "class", "func", "meth", "attr", "mod", "exc", "data", "const", "obj", "term",
        "option", "envvar", "pep", "rfc", "issue", "pr", "gh", "ticket", "file", "command",
        "program",
        "confval", "setting", "keyword", "token", "menuselection", "guilabel", "kbd", "samp", "any",
        "numref", "download", "fixture", "globalvar", "hook", "source", "user", "dudir", "rst:dir",
        "changeset", "paramref", "viewcode", "pull", "ghsa", "cve", "abbr", "dfn", "manpage", "py",
    ):  # fmt: skip
        for known in (name, f"py:{name}"):
            # The stubs say that roles make references; docutils takes any nodes.
            roles.register_local_role(known, _role)  # type: ignore[arg-type]


_register()
_one_at_a_time: Final = threading.Lock()
"""docutils keeps its default role and registries for the process, not for the document."""


def blocks_of_rest(text: str) -> list[Block]:
    """Return the headings, signatures, paragraphs and code of a document.

    What only Sphinx understands is read for its text, or left out where it has none; a document
    with errors is read as far as it goes.
    """
    with _one_at_a_time:
        document = publish_doctree(text, settings_overrides=_SETTINGS)
    return list(_walk(document, level=0, depth=0))


def _walk(parent: nodes.Element, *, level: int, depth: int) -> Iterator[Block]:
    for node in parent.children:
        if isinstance(node, nodes.section):
            yield from _walk(node, level=level + 1, depth=depth)
        elif isinstance(node, nodes.title) and isinstance(parent, nodes.section):
            text = one_line(node.astext())
            anchor = _anchor(parent, text)
            yield Block(Part.HEADING, text, level=min(level, _MAX_LEVEL), anchor=anchor)
        elif isinstance(node, nodes.container) and node.get("signatures"):
            yield _signature(node, depth)
            yield from _walk(node, level=level, depth=depth + 1)
            yield Block(Part.SIGNATURE, "", level=depth)
        elif isinstance(node, nodes.Element):
            leaf = _leaf(node)
            yield from _walk(node, level=level, depth=depth) if leaf is None else leaf


def _leaf(node: nodes.Element) -> list[Block] | None:
    """Return what an element without headings in it says; ``None`` for one that holds others."""
    if isinstance(node, nodes.system_message):
        return _unknown(node)
    if isinstance(node, _SILENT):
        return []
    if isinstance(node, nodes.literal_block | nodes.doctest_block):
        is_session = isinstance(node, nodes.doctest_block) or node.astext().startswith(">>> ")
        language = "pycon" if is_session else node.get("language", "")
        return [Block(Part.CODE, node.astext(), language=language)]
    if isinstance(node, nodes.row | nodes.field):
        return [Block(Part.PROSE, _joined(node))]
    if isinstance(node, nodes.TextElement):
        text = _UNKNOWN_ROLE.sub(r"\1", one_line(node.astext()))
        return [Block(Part.PROSE, text)] if text else []
    return None


def _joined(node: nodes.row | nodes.field) -> str:
    """Return the cells of a table's row, or the name and the body of a field."""
    parts = [one_line(part.astext()) for part in node.children]
    if isinstance(node, nodes.row):
        return " | ".join(parts)
    return f"{_FIELD_KIND.sub('', parts[0])}: {parts[1]}"


def _unknown(message: nodes.system_message) -> list[Block]:
    """Return what a directive holds that nobody here knows, as if it stood there alone."""
    quoted = next(iter(message.findall(nodes.literal_block)), None)
    if quoted is None or not quoted.astext().startswith(".. "):
        return []
    return blocks_of_rest(dedent(quoted.astext().partition("\n\n")[2]))


def _signature(node: nodes.container, depth: int) -> Block:
    signatures: list[str] = node["signatures"]
    found = (_NAME.match(signature) for signature in signatures)
    names = tuple(match[1] for match in found if match)
    return Block(
        Part.SIGNATURE,
        "\n".join(signatures),
        level=depth,
        anchor=names[0] if names else "",
        names=names,
    )


def _anchor(section: nodes.section, title: str) -> str:
    """Return the id that the title gives, as Sphinx does, or another that the document gives."""
    ids: list[str] = section.get("ids", [])
    own = slug(title)
    return own if own in ids or not ids else ids[0]
