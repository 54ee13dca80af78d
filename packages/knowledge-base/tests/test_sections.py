"""Pages are cut along headings and signatures, never through a paragraph or a piece of code."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.documents import Format, Kind, Page
from knowledge_base.sections import LONGEST, sections_of, title_of

WORDS = st.text("abcde fgh", min_size=1, max_size=900).map(str.strip).filter(bool)


def page(text: str, written: Format = Format.MARKDOWN, **more: str) -> Page:
    return Page("https://example.org/page", text, written, **more)


def test_a_section_knows_where_it_stands() -> None:
    found = sections_of(page("# A\n\nIntro.\n\n## B\n\n### C\n\nText.\n\n## D\n\nMore."))
    assert [(each.trail, each.anchor, each.text) for each in found] == [
        (("A",), "a", "Intro."),
        (("A", "B", "C"), "c", "Text."),
        (("A", "D"), "d", "More."),
    ]
    assert found[1].title == "C"


def test_a_title_of_its_own_comes_first_and_not_twice() -> None:
    assert sections_of(page("# Guide\n\nText.", title="Guide"))[0].trail == ("Guide",)
    assert sections_of(page("# Start\n\nText.", title="Guide"))[0].trail == ("Guide", "Start")
    assert sections_of(page("Text."))[0].trail == ()


def test_code_is_an_example_with_the_sentence_before_it() -> None:
    text = "# A\n\nMake an app:\n\n```python\napp = Flask()\n```\n\n```\n\n```\n"
    (section,) = sections_of(page(text))
    (example,) = section.examples
    assert (example.code, example.language) == ("app = Flask()", "python")
    assert example.caption == "Make an app:"
    assert "```python\napp = Flask()\n```" in section.text


def test_a_signature_is_a_section_and_ends_with_its_description() -> None:
    rest = "Run\n===\n\n.. function:: run(host)\n\n   Runs.\n\nAfterwards.\n"
    found = sections_of(page(rest, Format.REST))
    assert [(each.trail, each.kind, each.names) for each in found] == [
        (("Run", "run"), Kind.API, ("run",)),
        (("Run",), Kind.PROSE, ()),
    ]
    assert found[0].text.startswith("```\nrun(host)\n```")
    assert found[1].text == "Afterwards."


def test_the_title_of_a_page() -> None:
    def title(made: Page) -> str:
        return title_of(made, sections_of(made))

    assert title(page("# First\n\ntext\n\n## Second\n\ntext")) == "First"
    assert title(page("text")) == "page"
    assert title(page("# First\n\ntext", title="Own")) == "Own"


@given(st.lists(WORDS, min_size=1, max_size=12))
def test_paragraphs_stay_whole_and_in_order(paragraphs: list[str]) -> None:
    whole = [" ".join(each.split()) for each in paragraphs]
    found = sections_of(page("\n\n".join(whole), Format.TEXT))
    assert [part for each in found for part in each.text.split("\n\n")] == whole
    for each in found:
        parts = each.text.split("\n\n")
        assert (
            len(each.text) <= LONGEST + 200
            or len(parts) == 1
            or len("\n\n".join(parts[:-1])) <= LONGEST
        )
