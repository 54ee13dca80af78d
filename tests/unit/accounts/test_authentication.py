"""Where one may be sent after signing in."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.accounts.authentication import local_path

HERE = "https://data.example.org/sign-in"
_STRIPPED = str.maketrans("", "", "\t\r\n")


def as_a_browser_reads_it(target: str) -> str:
    """Return where a browser goes: backslashes are slashes, some control characters nothing."""
    read = target.strip("".join(map(chr, range(33)))).translate(_STRIPPED).replace("\\", "/")
    return urljoin(HERE, read)


@pytest.mark.parametrize("target", ["/", "/users", "/users?q=a%2Fb&page=2#top", "/d/5k9?u=//x"])
def test_a_path_of_this_site_is_kept(target: str) -> None:
    assert local_path(target) == target


@pytest.mark.parametrize("target", [None, "", "users", "//evil", "/\\evil", "/\n/evil", "/ /evil"])
def test_everything_else_leads_home(target: str | None) -> None:
    assert local_path(target) == "/"


@given(
    st.lists(
        st.sampled_from(
            ["/", "\\", "\t", "\n", " ", "evil.example", ":", "@", "?", "#", "http", "a"]
        )
    ).map("".join)
    | st.text()
)
def test_no_target_leaves_the_site(target: str) -> None:
    assert urlsplit(as_a_browser_reads_it(local_path(target))).netloc == "data.example.org"
