"""Makes search terms of questions and of names in code."""

import re
import threading
from functools import lru_cache
from typing import Final

import snowballstemmer

_WORD = re.compile(r"[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*|\d[\w.]*|[^\W\d_]+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_COMMON: Final = """
    a about after also an and any are as at be before between by can could do does each for from get
    give had has have how i if in into is it its just let like make me my need no not of on one only
    or other our same should so some such than that the their them then there these they this those
    to us use used using want was way we were what when where which while who why will with without
    would you your
"""
_SHORT: Final = """
    arg:argument args:arguments attr:attribute auth:authentication bool:boolean cmd:command
    config:configuration db:database deps:dependencies dev:development dir:directory
    docs:documentation env:environment func:function int:integer lib:library msg:message
    param:parameter params:parameters perf:performance prod:production regex:regular
    repo:repository str:string temp:temporary tmp:temporary var:variable vars:variables
"""
_ABBREVIATIONS: Final = dict(pair.split(":") for pair in _SHORT.split())
_QUESTION_WORDS: Final = frozenset(_COMMON.split())


_LONGEST_STEM: Final = 80
_stemmer: Final = snowballstemmer.stemmer("english")
_stemming = threading.Lock()  # the stemmer keeps the word that it works on


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return what a word in lower case has in common with its other forms."""
    with _stemming:
        return str(_stemmer.stemWord(word))[:_LONGEST_STEM]


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, with names in code whole and in their parts."""
    return [form for word in _WORD.findall(text) for form in forms_of_name(word)]


def terms_of(question: str) -> list[str]:
    """Return the words of a question that can tell sections apart, each once, in order.

    Names in code are given whole and in their parts: ``Flask.before_request`` as well as
    ``flask``, ``before`` and ``request``. Abbreviations are given with what they stand for. A
    question of nothing but common words keeps them.
    """
    found = list(dict.fromkeys(words_of(question)))
    telling = [term for term in found if term not in _QUESTION_WORDS and len(term) > 1]
    spelt = [_ABBREVIATIONS[term] for term in telling if term in _ABBREVIATIONS]
    return list(dict.fromkeys((*telling, *spelt))) or found


@lru_cache(maxsize=65536)
def forms_of_name(name: str) -> tuple[str, ...]:
    """Return a name in lower case: whole, between its dots, and as the words it is made of."""
    pieces = [piece for piece in name.split(".") if piece]
    words = (
        word
        for piece in pieces
        for part in piece.split("_")
        if part
        for word in _CAMEL.findall(part) or [part]
    )
    return tuple(dict.fromkeys(form.lower() for form in (name, *pieces, *words)))


def names_of_code(code: str) -> list[str]:
    """Return the names in a piece of code, each once, in order."""
    return list(dict.fromkeys(word for word in _WORD.findall(code) if not word[0].isdigit()))
