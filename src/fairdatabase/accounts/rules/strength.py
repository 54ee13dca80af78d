"""How soon a password is guessed by somebody who tries the likely ones first.

zxcvbn (D. Wheeler, USENIX Security 2016) takes a password apart into words of its lists
(30,000 common passwords, English, names), keyboard rows, repetitions, sequences and dates, and
estimates how many guesses come before it. Letters written as digits and signs are tried as well:
every combination of readings, which takes seconds for a text that is made for it. So the text is
cut, and one with many readings keeps a single sign for each letter.
"""

from math import log10, prod

_CHECKED_LENGTH = 64
"""A password whose beginning is strong is strong; the time grows with the square."""
_MOST_READINGS = 16
_ALIKE = {"a": "4@", "c": "({[<", "g": "69", "i": "1!|", "l": "1|7", "s": "$5", "t": "+7"}
"""Letters that several signs stand for, as zxcvbn reads them."""
_ONE_SIGN = str.maketrans("@{[<6!|5+", "4(((9117$")
_PATTERNS = {
    "repeat": "It repeats itself.",
    "sequence": "It follows the alphabet or counts.",
    "spatial": "It is a run of neighbouring keys.",
    "date": "It is a date, or little more.",
    "regex": "It is a year, or little more.",
    "dictionary": "It is a common password or made of common words.",
}
_OTHERWISE = "It is too easy to guess."


def estimate(password: str) -> tuple[float, str]:
    """Return the decimal logarithm of the guesses before a password, and its greatest weakness.

    Args:
        password: In the form that is hashed; not empty.

    Returns:
        The logarithm, and a sentence on the pattern that covers most of the password.
    """
    text = password[:_CHECKED_LENGTH]
    # A blank costs a guesser nothing, while zxcvbn counts each as a choice among all characters.
    squeezed = "".join(text.split())
    return min(_estimate(each) for each in {text, squeezed} if each)


def _estimate(text: str) -> tuple[float, str]:
    # 14 MiB of word lists, for the processes that ever see a new password.
    from zxcvbn import matching, scoring  # noqa: PLC0415

    if _readings(text) > _MOST_READINGS:
        text = text.translate(_ONE_SIGN)
    found = scoring.most_guessable_match_sequence(text, matching.omnimatch(text))
    widest = max(found["sequence"], key=lambda match: len(match["token"]))
    return log10(found["guesses"]), _PATTERNS.get(widest["pattern"], _OTHERWISE)


def _readings(text: str) -> int:
    present = set(text)
    return prod(max(1, len(present & set(signs))) for signs in _ALIKE.values())
