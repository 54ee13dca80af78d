"""Documents of every format become the same blocks; what is no document is left out."""

import pytest

from knowledge_base.documents import Format, Page
from knowledge_base.parsing import parse
from knowledge_base.parsing.blocks import Block, Part, slug

MARKDOWN = """---
title: Ignored
---
# Guide

Use `Flask` with *care*,
always.

## Set up {#install}

- first
- second

| name | value |
|---|---|
| a | 1 |

```python hl_lines="1"
app = Flask(__name__)
```

## Set up
"""
HTML = """<html><head><title>Guide — Flask</title><style>p {}</style></head><body>
<nav><p>Menu</p></nav><main><h1 id="guide">Guide<a class="headerlink" href="#guide">¶</a></h1>
<script>alert(1)</script>loose text <p>Use <code>Flask</code>.</p>
<section id="install"><h2>Set up</h2><ul><li>first</li><li><p>second</p></li></ul></section>
<div class="highlight-python notranslate"><div class="highlight"><pre>app = Flask()
</pre></div></div>
<table><tr><th>name</th><td>1</td></tr></table>
<dl><dt class="sig sig-object py" id="flask.Flask.run">Flask.run(host=None)</dt>
<dd><p>Runs.</p></dd></dl>
</main><footer>Imprint</footer></body></html>"""
REST = """
.. _guide:

Guide
=====

Use :class:`~flask.Flask`, :unknown:`it` and :ref:`this page <there>`. See `Pallets <https://x.y>`_.

.. toctree::
   :maxdepth: 2

   other

.. code-block:: python
   :caption: app.py

   app = Flask(__name__)

.. versionadded:: 2.0
   It is *new*.

.. raw:: html

   <script>alert(1)</script>

.. include:: /etc/passwd

.. py:function:: run(host: str = "x") -> None
                 serve()

   :param host: Where.

   Runs it.

   .. py:attribute:: deep

      Deeper.

Set up
------

A session:

>>> 1 + 1
2

.. mystery-directive:: what

   Still read.
"""


def blocks(text: str, written: Format) -> list[Block]:
    return parse(Page("u", text, written))


def of(found: list[Block], part: Part) -> list[str]:
    return [block.text for block in found if block.part is part]


def test_markdown() -> None:
    found = blocks(MARKDOWN, Format.MARKDOWN)
    headings = [(b.text, b.level, b.anchor) for b in found if b.part is Part.HEADING]
    assert headings == [("Guide", 1, "guide"), ("Set up", 2, "install"), ("Set up", 2, "set-up")]
    assert of(found, Part.PROSE) == [
        "Use Flask with care, always.", "first", "second", "name | value", "a | 1",
    ]  # fmt: skip
    assert [(b.text, b.language) for b in found if b.part is Part.CODE] == [
        ("app = Flask(__name__)", "python")
    ]


def test_repeated_headings_have_anchors_of_their_own() -> None:
    found = blocks("# A\n# A\n# A\n", Format.MARKDOWN)
    assert [block.anchor for block in found] == ["a", "a-1", "a-2"]


def test_html_in_markdown_is_read_as_html() -> None:
    found = blocks("<p>Hello <b>you</b></p><script>alert(1)</script>", Format.MARKDOWN)
    assert [block.text for block in found] == ["Hello you"]


def test_html_without_its_frame() -> None:
    found = blocks(HTML, Format.HTML)
    assert [(b.text, b.anchor) for b in found if b.part is Part.HEADING] == [
        ("Guide", "guide"), ("Set up", "install"),
    ]  # fmt: skip
    assert of(found, Part.PROSE) == [
        "loose text", "Use Flask.", "first", "second", "name | 1", "Runs.",
    ]  # fmt: skip
    assert [(b.text, b.language) for b in found if b.part is Part.CODE] == [
        ("app = Flask()", "python")
    ]
    (signature,) = [b for b in found if b.part is Part.SIGNATURE]
    assert (signature.text, signature.names) == ("Flask.run(host=None)", ("flask.Flask.run",))


def test_html_of_nothing() -> None:
    assert blocks("", Format.HTML) == []
    assert blocks("<body><p> </p><div></div></body>", Format.HTML) == []


def test_rest_as_sphinx_projects_write_it() -> None:
    found = blocks(REST, Format.REST)
    assert [(b.text, b.anchor) for b in found if b.part is Part.HEADING] == [
        ("Guide", "guide"), ("Set up", "set-up"),
    ]  # fmt: skip
    said = of(found, Part.PROSE)
    assert said[0] == "Use Flask, it and this page. See Pallets."
    assert "New in version 2.0: It is new." in " ".join(said)
    assert {"host: Where.", "Runs it.", "Deeper."} <= set(said)
    everything = " ".join(block.text for block in found)
    assert "alert" not in everything
    assert "root:" not in everything
    assert "Still read." in everything
    assert [(b.language, b.text) for b in found if b.part is Part.CODE][:2] == [
        ("python", "app = Flask(__name__)"), ("pycon", ">>> 1 + 1\n2"),
    ]  # fmt: skip
    signatures = [(b.text, b.level, b.names) for b in found if b.part is Part.SIGNATURE]
    assert signatures[0] == ('run(host: str = "x") -> None\nserve()', 0, ("run", "serve"))
    assert signatures[1] == ("deep", 1, ("deep",))


def test_broken_rest_is_read_as_far_as_it_goes() -> None:
    found = blocks("Title\n==\n\n*open `and |broken\n\nText after.\n", Format.REST)
    assert "Text after." in of(found, Part.PROSE)


def test_text_in_paragraphs() -> None:
    found = blocks("One\nline.\n\n\n  Two. \n", Format.TEXT)
    assert of(found, Part.PROSE) == ["One line.", "Two."]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("What's new?", "whats-new"), ("The `-k` option", "the--k-option"), ("Über uns", "über-uns")],
)
def test_anchors_are_those_of_github(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor
