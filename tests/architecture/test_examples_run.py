"""The reference of the privacy engine names what exists, and its example runs as it stands."""

import importlib
import re
import runpy
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs" / "reference" / "privacy-engine.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
FUNCTIONS = re.findall(r"^\| `(\w+)\.(\w+)` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    runpy.run_path(str(script))


@pytest.mark.parametrize(("module", "name"), FUNCTIONS)
def test_a_function_exists(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(f"fairdatabase.privacy.engine.{module}"), name))


def test_there_is_an_example() -> None:
    assert EXAMPLES
    assert len(FUNCTIONS) > 5
