"""Sources are read from where they are, without running anything of theirs."""

import json
import subprocess
from pathlib import Path

import pytest
from fpdf import FPDF

from knowledge_base.documents import Format
from knowledge_base.errors import LocationError, UnreachableError
from knowledge_base.loading import load
from knowledge_base.loading.folder import LARGEST_FILE, pages_of_folder
from knowledge_base.sections import sections_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    files = {
        "index.md": "# Start\n\nHello.",
        "guide/run.rst": "Run\n===\n\nText.",
        "django.txt": "Views\n=====\n\nCode::\n\n    x\n",
        "notes.txt": "Just text.",
        "page.html": "<title>Page</title><main><p>Text</p></main>",
        "README": "Read\n====\n\nMe.",
        ".hidden/x.md": "# Hidden",
        "_build/x.md": "# Built",
        "empty.md": "  ",
        "picture.png": "x",
        "broken.ipynb": "{",
        "book.ipynb": json.dumps({
            "nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": {"name": "r"}},
            "cells": [
                {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# Book"},
                {"id": "b", "cell_type": "code", "metadata": {}, "source": "plot(x)",
                 "outputs": [{"output_type": "stream", "name": "stdout", "text": "secret"}],
                 "execution_count": 1},
            ],
        }),
    }  # fmt: skip
    for name, content in files.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    plan = FPDF()
    plan.add_page()
    plan.set_font("Helvetica")
    plan.cell(text="Sampling plan")
    plan.output(str(made / "plan.pdf"))
    (made / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (made / "outside.md").symlink_to("/etc/hostname")
    with (made / "huge.md").open("wb") as huge:
        huge.truncate(LARGEST_FILE + 1)
    return made


def test_a_folder(folder: Path) -> None:
    loaded = load(str(folder))
    pages = {page.url.rpartition("/docs/")[2]: page for page in loaded.pages}
    assert sorted(pages) == [
        "README", "book.ipynb", "django.txt", "guide/run.rst", "index.md", "notes.txt",
        "page.html", "plan.pdf",
    ]  # fmt: skip
    assert pages["django.txt"].format is Format.REST
    assert pages["notes.txt"].format is Format.TEXT
    assert pages["page.html"].title == "Page"
    assert "```r\nplot(x)\n```" in pages["book.ipynb"].text
    assert "secret" not in pages["book.ipynb"].text
    assert "Sampling plan" in pages["plan.pdf"].text
    assert (loaded.source.id, loaded.source.title) == ("docs", "docs")


def test_a_file(folder: Path) -> None:
    loaded = load(str(folder / "index.md"), source_id="mine")
    (page,) = loaded.pages
    assert (loaded.source.id, page.url) == ("mine", (folder / "index.md").as_uri())
    with pytest.raises(LocationError, match="no document"):
        load(str(folder / "picture.png"))


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("nowhere", "no file or folder"),
        ("tool:emacs", "ruff, uv"),
        ("installed:nothing-like-it", "not installed"),
        ("pypi:not a name", "names no package"),
        ("git:ext::sh -c x", "https, ssh or a folder"),
    ],
)
def test_what_cannot_be_is_explained(location: str, said: str) -> None:
    with pytest.raises(LocationError, match=said):
        load(location)


def test_a_repository(tmp_path: Path) -> None:
    repository = tmp_path / "Guide.git"
    repository.mkdir()
    (repository / "a.md").write_text("# A\n\nText.")
    author = ["-c", "user.name=Mary", "-c", "user.email=mary@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "First"]):
        subprocess.run(["git", "-C", repository, *command], check=True)
    loaded = load(f"git:{repository}")
    (page,) = loaded.pages
    assert (loaded.source.id, len(loaded.source.version)) == ("guide", 12)
    assert page.url.endswith("Guide/a.md")
    with pytest.raises(UnreachableError, match="could not fetch"):
        load(f"git:{tmp_path / 'missing.git'}")


def test_docstrings_of_what_is_installed() -> None:
    loaded = load("installed:click")
    pages = {page.title: page for page in loaded.pages}
    assert loaded.source.id == "click-api"
    assert loaded.source.version
    text = pages["click.decorators"].text
    assert ".. py:function:: click.decorators.option(" in text
    assert "_" not in {name.rpartition(".")[2][0] for name in pages}


def test_programs_that_document_themselves() -> None:
    rules = list(load("tool:ruff").pages)
    assert any(page.title.endswith("(E501)") for page in rules)
    assert any(page.title == "Setting line-length" for page in rules)
    commands = {page.title: page for page in load("tool:uv").pages}
    assert {"uv", "uv add", "uv pip compile"} <= set(commands)
    assert "**--" in commands["uv add"].text
    assert "Global options" in commands["uv"].text
    assert "Global options" not in commands["uv add"].text
    assert "Index options" in commands["uv add"].text


def test_a_rule_of_ruff_is_one_section() -> None:
    rules = {page.url: page for page in load("tool:ruff").pages}
    sections = sections_of(rules["https://docs.astral.sh/ruff/rules/bare-except/"])
    assert len(sections) == 1
    assert "Why is this bad?" in sections[0].text


def test_what_sphinx_built_is_read_instead_of_its_sources(tmp_path: Path) -> None:
    files = (
        "README.rst", "docs/build/api.rst", "docs/_sources/api.rst.txt", "docs/api.html",
        "docs/search.html", "docs/genindex.html", "docs/searchindex.js", "docs/_modules/a.html",
        "other/guide.md",
    )  # fmt: skip
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<title>API</title><main><p>Text</p></main>")
    pages = pages_of_folder(tmp_path, base_url="https://a.example")
    assert {page.url for page in pages} == {
        "https://a.example/README", "https://a.example/api.html", "https://a.example/other/guide",
    }  # fmt: skip
    (tmp_path / "docs/searchindex.js").unlink()
    assert "https://a.example/docs/build/api" in {
        page.url for page in pages_of_folder(tmp_path, base_url="https://a.example")
    }
