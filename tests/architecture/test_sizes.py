"""Functions, files and edges stay small enough to be read at one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import EDGES, SOURCE, python_files, shown

LINES_OF_A_FILE = 500
LINES_OF_A_FUNCTION = 50
LINES_OF_AN_EDGE = 15

Function = ast.FunctionDef | ast.AsyncFunctionDef
# A migration is a list of statements that is never changed again; cutting it up helps nobody.
FILES = [path for path in python_files() if path.parent != SOURCE / "migrations" / "versions"]
# Authentication stands before every edge and has no service call of its own to make.
SHORT_EDGES = EDGES - {"authentication"}
EDGE_FILES = [
    path
    for path in python_files("src")
    if path.parent.parent == SOURCE and path.stem in SHORT_EDGES
]


def functions(path: Path) -> Iterator[Function]:
    """Yield the functions and methods of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Return the lines from ``def`` to the last statement."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function) -> int:
    """Return the lines of the statements after the docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    if not statements:
        return 0
    return (function.end_lineno or function.lineno) - statements[0].lineno + 1


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_files_and_functions_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LINES_OF_A_FILE
    long = {each.name: length(each) for each in functions(path)}
    assert not {name: lines for name, lines in long.items() if lines >= LINES_OF_A_FUNCTION}


@pytest.mark.parametrize("path", EDGE_FILES, ids=shown)
def test_an_edge_parses_calls_and_responds(path: Path) -> None:
    """More than that is a use case and belongs into the service."""
    long = {each.name: body_length(each) for each in functions(path)}
    assert not {name: lines for name, lines in long.items() if lines > LINES_OF_AN_EDGE}
