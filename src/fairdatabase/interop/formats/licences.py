"""Licences that suit data, by their SPDX identifier."""

from typing import Final, NamedTuple


class Licence(NamedTuple):
    """A licence as it is shown: its name, where its text stands, what it means in a few words."""

    name: str
    url: str
    meaning: str


LICENCES: Final[dict[str, Licence]] = {
    "CC0-1.0": Licence(
        "CC0 1.0 Universal",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        "no conditions",
    ),
    "CC-BY-4.0": Licence(
        "Creative Commons Attribution 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        "name the creators",
    ),
    "CC-BY-SA-4.0": Licence(
        "Creative Commons Attribution-ShareAlike 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        "name the creators, share alike",
    ),
    "CC-BY-NC-4.0": Licence(
        "Creative Commons Attribution-NonCommercial 4.0",
        "https://creativecommons.org/licenses/by-nc/4.0/",
        "name the creators, not for profit",
    ),
    "PDDL-1.0": Licence(
        "Open Data Commons Public Domain Dedication",
        "https://opendatacommons.org/licenses/pddl/1-0/",
        "no conditions",
    ),
    "ODC-By-1.0": Licence(
        "Open Data Commons Attribution",
        "https://opendatacommons.org/licenses/by/1-0/",
        "name the source",
    ),
    "ODbL-1.0": Licence(
        "Open Data Commons Open Database Licence",
        "https://opendatacommons.org/licenses/odbl/1-0/",
        "name the source, share alike",
    ),
}


def licence_of(identifier: str) -> Licence:
    """Return a licence; one that is not in the list is shown by its SPDX identifier."""
    known = LICENCES.get(identifier)
    return known or Licence(identifier, f"https://spdx.org/licenses/{identifier}.html", "")
