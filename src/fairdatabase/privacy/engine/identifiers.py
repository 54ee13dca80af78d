"""Detectors of columns that name, number or find a person.

Names of columns are known in English, Dutch, German and French.
"""

import re

from fairdatabase.privacy.engine.detectors import (
    CODES,
    DATES,
    MANY,
    TEXTS,
    UNSURE,
    Detector,
    words,
)
from fairdatabase.privacy.engine.recognisers import (
    NATIONAL_IDS,
    checked,
    is_bsn,
    is_iban,
    is_ip_address,
    is_perhaps_postcode,
    is_person_name,
    is_phone_number,
    is_postcode,
    pattern,
    share_of_birth_dates,
)
from fairdatabase.tables.schemas import ColumnRole

_DIRECT = ColumnRole.DIRECT_IDENTIFIER
_QUASI = ColumnRole.QUASI_IDENTIFIER
_SENSITIVE = ColumnRole.SENSITIVE
_SUBJECTS = (
    "sample|specimen|biosample|subject|participant|patient|person|individual|donor|host|proband"
    "|respondent|record|case|study|run|library|family|household|client|member|employee"
    "|deelnemer|proefpersoon|pati[eë]nt|monster|teilnehmer(?:in)?|patient(?:in)?|probe|sujet|[eé]chantillon"
)
SUBJECT = re.compile(_SUBJECTS)
"""What a column of samples or people is called; it numbers them where its values are different."""
RECORD_ID = re.compile(
    rf"(?:(?:{_SUBJECTS}) )*(?:id|ids|identifier|accession|barcode)|(?:{_SUBJECTS})"
    r" (?:nr|no|number|code|key)"
)
"""Names of columns that number samples or people and link the files of a dataset."""

IDENTIFIERS = (
    Detector(
        "email",
        "an e-mail address",
        _DIRECT,
        words("e ?mail", "mail", "mail address", "mailadres", "courriel", "emailadresse"),
        TEXTS,
        pattern(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}"),
        1,
    ),
    Detector(
        "iban",
        "a bank account",
        _DIRECT,
        words("iban", "bank account", "rekeningnummer", "kontonummer", "compte bancaire"),
        TEXTS,
        is_iban,
        1,
    ),
    Detector(
        "ip_address",
        "an IP address",
        _DIRECT,
        words("ip", "ip ?adress?e?", "adresse ip"),
        TEXTS,
        is_ip_address,
        1,
    ),
    Detector(
        "url",
        "a web address",
        _DIRECT,
        words("url", "website", "homepage", "webadresse", "site web"),
        TEXTS,
        pattern(r"(?:https?://|www\.)\S+"),
        1,
    ),
    Detector(
        "bsn",
        "a citizen service number",
        _DIRECT,
        words("bsn", "burgerservicenummer", "sofinummer"),
        CODES,
        is_bsn,
        MANY,
    ),
    *(
        Detector("national_id", what, _DIRECT, None, CODES, checked(validate), MANY)
        for what, validate in NATIONAL_IDS.items()
    ),
    Detector(
        "national_id",
        "a national or insurance number",
        _DIRECT,
        words(
            "ssn",
            "social security.*",
            "national (?:id|number)",
            "nhs(?: number)?",
            "passport.*",
            "mrn",
            "personal number",
            "rijksregisternummer",
            "paspoort.*",
            "personnummer",
            "(?:steuer|sozialversicherungs|ausweis|personal)nummer",
            "steuer ?id",
            "num[eé]ro de s[eé]curit[eé] sociale",
            "passeport",
            "nir",
            "pesel",
            "dni",
            "cpr",
            "ahv",
        ),
    ),
    Detector(
        "phone",
        "a phone number",
        _DIRECT,
        words(
            "(?:tele)?phone.*",
            "mobile",
            "fax",
            "telefoon.*",
            "telefon.*",
            "mobiel.*",
            "handy.*",
            "t[eé]l[eé]phone",
            "portable",
        ),
        CODES,
        is_phone_number,
        MANY,
    ),
    Detector(
        "sequence",
        "a sequence read",
        _DIRECT,
        words("read sequence", "sequence", "barcode sequence"),
        TEXTS,
        pattern(r"[ACGTUNacgtun]{30,}"),
        1,
    ),
    Detector(
        "date_of_birth",
        "a date of birth",
        _QUASI,
        words(
            "dob",
            "birth ?da(?:y|te)",
            "date of birth",
            "born",
            "geboorte(?:datum|dag)?",
            "geboren",
            "geburts(?:datum|tag)",
            "date de naissance",
            "n[eé]e? le",
        ),
        DATES,
        content_only=MANY,
        alone=UNSURE,
        share=share_of_birth_dates,
    ),
    Detector("postcode", "a postcode", _QUASI, None, TEXTS, is_postcode, MANY),
    Detector(
        "postcode",
        "a postcode",
        _QUASI,
        words(
            "post ?codes?",
            "postal code",
            "zip(?: ?code)?",
            "plz",
            "postleitzahl",
            "code postal",
            "pc ?[46]",
        ),
        CODES,
        is_perhaps_postcode,
    ),
    Detector(
        "coordinates",
        "a pair of coordinates",
        _QUASI,
        None,
        TEXTS,
        pattern(r"[(]?-?\d{1,2}\.\d{2,}°?\s*[NS]?\s*[,; ]\s*-?\d{1,3}\.\d{2,}°?\s*[EWOeéö]?[)]?"),
        MANY,
    ),
    Detector(
        "coordinates",
        "a coordinate",
        _QUASI,
        words(
            "lat",
            "lon",
            "lng",
            "latitude",
            "longitude",
            "lat lon",
            "coordinates?",
            "gps",
            "breedtegraad",
            "lengtegraad",
            "co[oö]rdina(?:at|ten)",
            "breitengrad",
            "l[aä]ngengrad",
            "koordinaten?",
            "coordonn[eé]es",
        ),
    ),
    Detector(
        "person_name",
        "the name of a person",
        _DIRECT,
        words(
            "(?:first|last|sur|full|given|family|middle|maiden|patient|person|participant) ?name",
            "^name",
            "(?:voor|achter)?naam",
            "(?:vor|nach)name",
            "initials",
            "initialen",
            "initiales",
            "voorletters",
            "familienname",
            "nom",
            "pr[eé]nom",
            "nom de famille",
        ),
        TEXTS,
        is_person_name,
        2 * MANY,
        UNSURE,
    ),
    Detector(
        "address",
        "an address",
        _DIRECT,
        words(
            "address",
            "street",
            "adresse?",
            "straat",
            "stra(?:ss|ß)e",
            "house number",
            "huisnummer",
            "hausnummer",
            "anschrift",
            "rue",
            "woonadres",
        ),
        TEXTS,
    ),
)
