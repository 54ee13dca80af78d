"""The guide to recipes shows every step, in JSON that the platform takes."""

import json
from typing import get_args

import pytest
from markdown_it import MarkdownIt
from pydantic import TypeAdapter

from fairdatabase.privacy.schemas.recipes import ColumnStep, Recipe, RowStep, Step
from tests.architecture.tree import ROOT

GUIDE = ROOT / "docs" / "how-to" / "write-a-release-recipe.md"
EXAMPLES = [
    json.loads(token.content)
    for token in MarkdownIt("commonmark").parse(GUIDE.read_text(encoding="utf-8"))
    if token.type == "fence" and token.info == "json"
]
STEPS = TypeAdapter[Step](Step)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.get("op", "recipe"))
def test_every_example_is_taken(example: dict[str, object]) -> None:
    if "steps" in example:
        Recipe.model_validate(example)
    else:
        STEPS.validate_python(example)


def test_every_step_has_an_example() -> None:
    known = {
        kind.model_fields["op"].default for kind in (*get_args(ColumnStep), *get_args(RowStep))
    }
    assert {example["op"] for example in EXAMPLES if "op" in example} == known
