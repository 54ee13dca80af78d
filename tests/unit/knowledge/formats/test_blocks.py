"""Sections are cut into paragraphs and code, whatever stands in them."""

from fairdatabase.knowledge.formats.blocks import blocks_of
from fairdatabase.knowledge.schemas import Block


def test_code_stands_between_fences() -> None:
    text = "One.\n\nTwo,\nstill two.\n\n```python\na = 1\n\n# ```not a fence\n```\n\nThree."
    assert blocks_of(text) == (
        Block(is_code=False, text="One."),
        Block(is_code=False, text="Two,\nstill two."),
        Block(is_code=True, text="a = 1\n\n# ```not a fence", language="python"),
        Block(is_code=False, text="Three."),
    )


def test_a_fence_that_is_never_closed_holds_the_rest() -> None:
    assert blocks_of("```\nrest") == (Block(is_code=True, text="rest"),)
    assert blocks_of("") == ()
