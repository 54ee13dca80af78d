"""The reference of MCP names every tool of agents with its parameters, and none besides."""

import re

import pytest

from fairdatabase.mcp.prompts import SUMMARISE
from fairdatabase.mcp.server import TEMPLATE, TOOLS
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs" / "reference" / "mcp.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<names>`[a-z_]+`(?:, `[a-z_]+`)*) \|(?P<takes>[^|]*)\|", re.MULTILINE)
ROWS = {
    name: set(re.findall(r"`([a-z_]+)`", row["takes"]))
    for row in ROW.finditer(TEXT)
    for name in re.findall(r"`([a-z_]+)`", row["names"])
}


def test_every_tool_has_its_row() -> None:
    assert ROWS.keys() == TOOLS.keys()


@pytest.mark.parametrize("name", TOOLS)
def test_every_parameter_is_named(name: str) -> None:
    properties = TOOLS[name].listed.input_schema["properties"]
    values = {"citation", "bibtex", "pages", "chunks"}
    assert ROWS[name] - values == set(properties)


def test_resource_and_prompt_are_named() -> None:
    assert f"`{TEMPLATE.uri_template}`" in TEXT
    assert f"`{SUMMARISE.name}`" in TEXT
