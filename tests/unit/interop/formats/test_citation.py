"""Citations and BibTeX entries."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.catalog.schemas import Creator
from fairdatabase.interop.formats.citation import apa, bibtex
from tests.factories.interop import make_work

END = "Example University. https://data.example.org/ark:/99999/7h3k9z2m4xq"
TITLE = "Gut microbiota of 300 adults (Version 1) [Data set]."


@pytest.mark.parametrize(
    ("names", "authors"),
    [
        (["Curie, Marie"], "Curie, M."),
        (["Curie, Marie Skłodowska"], "Curie, M. S."),
        (["Sartre, Jean-Paul"], "Sartre, J.-P."),
        (["Knuth, D.E."], "Knuth, D. E."),
        (["Plato"], "Plato."),
        (["Nobody,"], "Nobody."),
        (["A, B", "C, D"], "A, B., & C, D."),
        (["A, B", "C, D", "E, F"], "A, B., C, D., & E, F."),
    ],
)
def test_authors_are_written_with_initials(names: list[str], authors: str) -> None:
    assert apa(make_work(*names)) == f"{authors} (2026). {TITLE} {END}"


def test_many_authors_are_shortened() -> None:
    twenty = apa(make_work(*[f"N{n}, A" for n in range(20)]))
    more = apa(make_work(*[f"N{n}, A" for n in range(25)]))
    assert "N18, A., & N19, A. (2026)" in twenty
    assert "N18, A., … N24, A. (2026)" in more
    assert "N19" not in more


def test_an_organisation_keeps_its_name() -> None:
    group = Creator(name="Institute, Department and Group", kind="Organizational")
    work = make_work(creators=(group,))
    assert apa(work).startswith("Institute, Department and Group. (2026).")
    assert "{{Institute, Department and Group}}" in bibtex(work)


def test_without_authors_the_title_comes_first() -> None:
    assert apa(make_work()) == f"{TITLE} (2026). {END}"
    assert "author" not in bibtex(make_work())


def test_a_bibtex_entry() -> None:
    entry = bibtex(make_work("Curie, Marie", "Plato", title="Fat & sugar: 100% {raw}"))
    assert entry.splitlines() == [
        "@misc{fairdatabase:7h3k9z2m4xq,",
        "  author    = {Curie, Marie and Plato},",
        r"  title     = {{Fat \& sugar: 100\% \{raw\}}},",
        "  year      = {2026},",
        "  version   = {1},",
        "  publisher = {Example University},",
        "  note      = {Data set},",
        "  url       = {https://data.example.org/ark:/99999/7h3k9z2m4xq}",
        "}",
    ]


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_no_title_breaks_out_of_its_entry(title: str) -> None:
    """Braces that TeX would count are balanced, and no special character stands bare."""
    entry = bibtex(make_work("Curie, Marie", title=title))
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", entry):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    field = entry.partition("title     = {{")[2].partition("}},\n  year")[0]
    assert not re.search(r"(?<!\\)[&%$#_~^]", field)
