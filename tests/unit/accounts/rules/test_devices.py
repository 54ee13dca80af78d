"""How devices are shown."""

import pytest

from fairdatabase.accounts.rules.devices import device_in_words, shortened

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/1 Safari/537 Edg/1",
            "Edge on Windows",
        ),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/140 Safari/537", "Chrome on Linux"),
        (f"Mozilla/5.0 (Linux; Android 16) {_WEBKIT} Chrome/1 Safari/537", "Chrome on Android"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605",
            "Safari on macOS",
        ),
        ("curl/8.9.0", "curl"),
        ("python-requests/2.32", "A Python program"),
        ("", "Unknown device"),
        ("<script>", "Unknown device"),
    ],
)
def test_a_device_is_named_by_program_and_system(user_agent: str, words: str) -> None:
    assert device_in_words(user_agent) == words


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_an_address_loses_what_is_one_household_s(address: str, network: str) -> None:
    assert shortened(address) == network
