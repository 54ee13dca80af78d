"""Documents tell the truth: links lead somewhere and commands exist."""

import os
import re
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.architecture.tree import ROOT, markdown_files, shown

MARKDOWN = MarkdownIt("commonmark").enable("table")
SHELLS = {"bash", "console", "shell", "sh"}
ANCHOR_IN_HTML = re.compile(r'\b(?:id|name)="([^"]+)"')
LINK_IN_HTML = re.compile(r'\b(?:href|src)="([^"]+)"')
# Programs of other people's that a reader of the README is expected to have.
FOREIGN_PROGRAMS = {"cd", "git"}


def tokens(path: Path) -> Iterator[Token]:
    """Yield all tokens of a document, those inside paragraphs and headings included."""
    for token in MARKDOWN.parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links(path: Path) -> Iterator[str]:
    """Yield the targets of a document's links and pictures."""
    for token in tokens(path):
        target = token.attrGet("href") or token.attrGet("src")
        if target:
            yield str(target)
        if token.type in {"html_block", "html_inline"}:
            yield from LINK_IN_HTML.findall(token.content)


def slug(heading: str) -> str:
    """Return the anchor that forges give a heading: lower case, words and hyphens only."""
    kept = (
        letter
        for letter in heading.strip().lower()
        if letter in " -_" or unicodedata.category(letter)[0] in "LN"
    )
    return "".join(kept).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document."""
    found: dict[str, int] = {}
    parsed = MARKDOWN.parse(path.read_text(encoding="utf-8"))
    for opening, inline in pairwise(parsed):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            found[slug(text)] = found.get(slug(text), 0) + 1
    numbered = {f"{name}-{n}" for name, count in found.items() for n in range(1, count)}
    return set(found) | numbered | set(ANCHOR_IN_HTML.findall(path.read_text(encoding="utf-8")))


def broken(document: Path, link: str) -> str | None:
    """Return what is wrong with a relative link, or nothing."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
    if not target.is_relative_to(ROOT) or not target.exists():
        return f"{link}: there is no such file"
    if parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
        return f"{link}: there is no such heading"
    return None


def commands(path: Path) -> Iterator[str]:
    """Yield the command lines of a document's shell blocks, prompts and comments taken off."""
    for token in tokens(path):
        if token.type == "fence" and token.info.strip() in SHELLS:
            prompts = "$ " in token.content
            for line in token.content.replace("\\\n", " ").splitlines():
                if line.startswith("$ ") or (line.strip() and not prompts):
                    command = line.removeprefix("$ ").partition(" #")[0].strip()
                    if command and not command.startswith("#"):
                        yield command


def succeeds(*command: str) -> bool:
    """Tell whether a command ends well in the repository's root."""
    inherited = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL"}}
    done = subprocess.run(command, cwd=ROOT, env=inherited, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("path", markdown_files(), ids=shown)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    assert not [problem for link in links(path) if (problem := broken(path, link))]


@pytest.mark.parametrize("command", sorted(set(commands(ROOT / "README.md"))))
def test_every_command_of_the_readme_exists(command: str) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        assert succeeds("make", "--dry-run", *arguments)
    elif Path(program).name == "fairdatabase":
        words = [word for word in arguments if re.fullmatch(r"[a-z][a-z-]*", word)]
        script = Path(sys.executable).with_name("fairdatabase")
        known = [
            words[:depth] for depth in (2, 1) if succeeds(str(script), *words[:depth], "--help")
        ]
        assert known, f"fairdatabase has no command {' '.join(words[:1])}"
    else:
        assert program in FOREIGN_PROGRAMS


def test_every_document_is_listed() -> None:
    """What no index leads to is read by nobody."""
    indices = [ROOT / "docs" / "README.md", *(ROOT / "docs").glob("*/README.md")]
    listed = {
        (index.parent / link.partition("#")[0]).resolve()
        for index in indices
        for link in links(index)
    }
    documents = {path for path in markdown_files() if path.is_relative_to(ROOT / "docs")}
    assert not {shown(path) for path in documents - listed - {ROOT / "docs" / "README.md"}}
