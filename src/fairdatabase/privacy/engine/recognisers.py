"""What values of identifying columns look like: check digits, numbering plans, patterns.

One value that fits proves nothing: one in eleven random numbers of nine digits passes the check of
a citizen service number. ``detect`` asks for nine in ten distinct values of a column.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from ipaddress import ip_address

from phonenumbers import NumberParseException, is_valid_number, parse
from stdnum import iban
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.ie import pps
from stdnum.it import codicefiscale
from stdnum.nl import bsn, postcode
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.ro import cnp
from stdnum.se import personnummer

Fits = Callable[[str], bool]

IPV4_DOTS = 3
PHRASE = 5
BSN_DIGITS = 9
PHONE_REGIONS = ("NL", "BE", "DE", "FR", "GB", "US", "CH", "AT", "ES", "IT")
BORN_FROM = 1900
BORN_RANGE = 25
"""Years between the oldest and the youngest that dates of birth have, and other dates rarely."""

NATIONAL_IDS: dict[str, Callable[[str], str]] = {
    "a Belgian national number": nn.validate,
    "a Brazilian CPF": cpf.validate,
    "a British NHS number": nhs.validate,
    "a Chinese identity number": ric.validate,
    "a Danish CPR number": cpr.validate,
    "a Finnish identity code": hetu.validate,
    "a French NIR": nir.validate,
    "a German tax number": idnr.validate,
    "an Irish PPS number": pps.validate,
    "an Italian codice fiscale": codicefiscale.validate,
    "a Norwegian birth number": fodselsnummer.validate,
    "a Polish PESEL": pesel.validate,
    "a Romanian CNP": cnp.validate,
    "a Spanish DNI": dni.validate,
    "a Spanish NIE": nie.validate,
    "a Swedish personal number": personnummer.validate,
    "a Swiss AHV number": ahv.validate,
}
"""National numbers of people that have check digits, by what they are called here."""

_SHORTEST_ID = 9
_PHONE = re.compile(r"(?:\+|00|0|\()[0-9 ()./-]{7,}|\d{3}[-.]\d{3}[-.]\d{4}")
_DATE = re.compile(r"(?P<y>\d{4})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)(?:[ T].*)?")
_DATE_DAY_FIRST = re.compile(r"(?P<d>\d\d?)[-/.](?P<m>\d\d?)[-/.](?P<y>\d{4})")
_POSTCODES = {
    "GB": re.compile(r"[A-Z]{1,2}\d[A-Z0-9]? \d[ABD-HJLNP-UW-Z]{2}"),
    "CA": re.compile(r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d"),
    "PL": re.compile(r"\d{2}-\d{3}"),
    "SE, CZ, SK, GR": re.compile(r"\d{3} \d{2}"),
    "BR": re.compile(r"\d{5}-\d{3}"),
    "prefixed": re.compile(r"(?:NL|BE|DE|FR|CH|AT|LU|L|D|F|B|A|I|E)-\d{4,5}(?: ?[A-Z]{2})?"),
}
_NAME = r"[^\W\d_a-z](?:[^\W\d_]|['\u2019-])*\.?"
_PARTICLE = r"(?:van|von|de|den|der|du|la|le|ten|ter|zu|di|da|dos|el|al|bin|ibn)"
_PERSON = re.compile(rf"{_NAME}(?: {_NAME})? (?:{_PARTICLE} ){{0,2}}{_NAME}|{_NAME}, {_NAME}")
_LINEAGE = re.compile(r"\b[dkpcofgs]__")
_DIGITS_ONLY = re.compile(r"\d{4,6}(?:-\d{3,4})?|\d{3}-\d{4}")


def pattern(expression: str) -> Fits:
    """Return whether a whole text, spaces around it aside, is like an expression."""
    compiled = re.compile(expression)
    return lambda value: compiled.fullmatch(value.strip()) is not None


def checked(validate: Callable[[str], str]) -> Fits:
    """Return whether a text passes the check of a kind of number."""

    def passes(value: str) -> bool:
        if len(value) < _SHORTEST_ID:
            return False
        try:
            validate(value)
        except ValidationError:
            return False
        return True

    return passes


is_iban = checked(iban.validate)


def is_ip_address(value: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address."""
    text = value.strip()
    if text.count(".") != IPV4_DOTS and ":" not in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_bsn(value: str) -> bool:
    """Return whether a text passes the check of a Dutch citizen service number.

    A leading zero may be lost, as it is where such numbers were once read as numbers.
    """
    text = re.sub(r"[ .-]", "", value)
    return len(text) in {BSN_DIGITS - 1, BSN_DIGITS} and bool(bsn.is_valid(text))


def is_phone_number(value: str) -> bool:
    """Return whether a text is a number in the plan of the country it names, or of a usual one.

    Without a trunk or country prefix any number could be one, so that one is needed.
    """
    text = value.strip()
    if not _PHONE.fullmatch(text):
        return False
    return any(_is_phone_number_in(text, region) for region in PHONE_REGIONS)


def _is_phone_number_in(text: str, region: str) -> bool:
    try:
        return is_valid_number(parse(text, region))
    except NumberParseException:
        return False


def is_postcode(value: str) -> bool:
    """Return whether a text is a postcode that cannot be just any number or code."""
    text = value.strip().upper()
    return bool(postcode.is_valid(text)) or any(
        form.fullmatch(text) for form in _POSTCODES.values()
    )


def is_perhaps_postcode(value: str) -> bool:
    """Return whether a text is a postcode if its column says so: mere digits as well."""
    return _DIGITS_ONLY.fullmatch(value.strip()) is not None or is_postcode(value)


def is_prose(value: str) -> bool:
    """Return whether a text is written by hand: a phrase of five words, and no lineage of taxa."""
    return len(value.split()) >= PHRASE and not _LINEAGE.search(value)


def is_person_name(value: str) -> bool:
    """Return whether a text is written like the full name of a person."""
    return _PERSON.fullmatch(value.strip()) is not None


def share_of_birth_dates(values: Sequence[str]) -> float:
    """Return the share of values that are dates of a life time, 0 where they span few years."""
    years = [year for value in values if (year := _birth_year(value)) is not None]
    if not years or max(years) - min(years) < BORN_RANGE:
        return 0.0
    return len(years) / len(values)


def _birth_year(value: str) -> int | None:
    text = value.strip()
    found = _DATE.fullmatch(text) or _DATE_DAY_FIRST.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(found[part]) for part in "ymd")
    try:
        date(year, month, day)
    except ValueError:
        return None
    return year if year >= BORN_FROM else None
