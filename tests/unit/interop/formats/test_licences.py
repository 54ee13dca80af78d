"""Licences by their SPDX identifier."""

from fairdatabase.interop.formats.licences import LICENCES, licence_of


def test_known_licences_have_a_name_and_an_address() -> None:
    for identifier in LICENCES:
        licence = licence_of(identifier)
        assert licence.name
        assert licence.url.startswith("https://")


def test_others_are_shown_by_their_identifier() -> None:
    assert licence_of("MIT").name == "MIT"
    assert licence_of("MIT").url == "https://spdx.org/licenses/MIT.html"
