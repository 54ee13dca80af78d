"""The parts that documents of every format consist of."""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

_SPACES = re.compile(r"\s+")
_NOT_IN_SLUGS = re.compile(r"[^\w\- ]")


class Part(Enum):
    """What a block is."""

    HEADING = auto()
    SIGNATURE = auto()
    PROSE = auto()
    CODE = auto()


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a signature, a paragraph or a piece of code.

    Attributes:
        part: What it is.
        text: Without markup; code as written.
        level: Of a heading, from 1; of a signature, how deep it is nested in others, from 0.
        anchor: Fragment that leads to a heading or signature.
        language: Of code.
        names: That a signature defines.
    """

    part: Part
    text: str
    level: int = 0
    anchor: str = ""
    language: str = ""
    names: tuple[str, ...] = ()


def one_line(text: str) -> str:
    """Return a text with each run of white space as one space."""
    return _SPACES.sub(" ", text).strip()


def slug(heading: str) -> str:
    """Return the anchor that GitHub and most site generators give a heading."""
    plain = unicodedata.normalize("NFKC", heading).lower().strip()
    return _NOT_IN_SLUGS.sub("", plain).replace(" ", "-")
