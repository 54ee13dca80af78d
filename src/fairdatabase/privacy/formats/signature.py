"""Signatures of reports: Ed25519 (RFC 8032), under a key derived from the instance's secret.

A report in JSON is ``{"report": ..., "signature": ...}``, signed in canonical form: keys sorted, no
spaces, UTF-8. HTML and PDF end with one line, a comment of their language, that holds the
signature; signed is every byte before that line, so that what a person reads is what was signed.
"""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError as PydanticValidationError

from fairdatabase.privacy.engine.pseudonyms import hkdf
from fairdatabase.privacy.errors import SignatureError
from fairdatabase.privacy.schemas.reports import Signature, Verified

PURPOSE = b"fairdatabase/report-signature/v1"
SEED_BYTES = 32
_MARK = b"fairdatabase-signature "
COMMENTS = {"html": (b"<!-- ", b" -->"), "pdf": (b"%", b"")}
"""What a line begins and ends with that readers of a format skip."""


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    """Return the key that an instance signs with, derived from its secret by HKDF."""
    return Ed25519PrivateKey.from_private_bytes(
        hkdf(secret, salt=b"", info=PURPOSE, length=SEED_BYTES)
    )


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public part of a key in Base64."""
    return _encoded(key.public_key().public_bytes_raw())


def canonical(value: object) -> bytes:
    """Return JSON in the one form that is signed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sign(content: bytes, tables: dict[str, str], key: Ed25519PrivateKey) -> Signature:
    """Return the signature of a document about these tables."""
    unsigned = Signature(algorithm="Ed25519", public_key=public_text(key), tables=tables)
    return unsigned.model_copy(update={"value": _encoded(key.sign(_signed(content, unsigned)))})


def sealed(document: bytes, kind: str, tables: dict[str, str], key: Ed25519PrivateKey) -> bytes:
    """Return a document with a last line that holds its signature.

    Args:
        document: HTML or PDF.
        kind: ``html`` or ``pdf``.
        tables: Checksums of the tables that it is about.
        key: To sign with.
    """
    body = document if document.endswith(b"\n") else document + b"\n"
    begin, end = COMMENTS[kind]
    signature = canonical(sign(body, tables, key).model_dump(mode="json"))
    return body + begin + _MARK + signature + end + b"\n"


def verify(document: bytes, expected_key: str | None = None) -> Verified:
    """Check the signature of a report in JSON, HTML or PDF.

    Args:
        document: The file, byte for byte.
        expected_key: Public key of the instance that is trusted, in Base64.

    Raises:
        SignatureError: There is no signature, or the document is not what was signed.
    """
    content, signature = _taken_apart(document)
    try:
        public = Ed25519PublicKey.from_public_bytes(_decoded(signature.public_key))
        public.verify(_decoded(signature.value), _signed(content, signature))
    except (InvalidSignature, ValueError):
        raise SignatureError(
            "The report was changed after it was signed, or was not signed by the key it names."
            " Ask whoever gave it to you for the original."
        ) from None
    trusted = None if expected_key is None else expected_key.strip() == signature.public_key
    return Verified(public_key=signature.public_key, trusted=trusted, tables=signature.tables)


def _taken_apart(document: bytes) -> tuple[bytes, Signature]:
    try:
        if document.lstrip().startswith(b"{"):
            whole: Any = json.loads(document)
            return canonical(whole["report"]), Signature.model_validate(whole["signature"])
        body, _, line = document.rstrip(b"\n").rpartition(b"\n")
        begin, end = next(
            (begin + _MARK, end)
            for begin, end in COMMENTS.values()
            if line.startswith(begin + _MARK)
        )
        text = line.removeprefix(begin).removesuffix(end)
        return body + b"\n", Signature.model_validate_json(text)
    except (ValueError, KeyError, TypeError, StopIteration, PydanticValidationError):
        raise SignatureError(
            "This is no signed report: it has no signature that can be read. Reports are JSON,"
            " HTML or PDF as they were downloaded, unchanged."
        ) from None


def _signed(content: bytes, signature: Signature) -> bytes:
    told = signature.model_dump(mode="json", exclude={"value"})
    return canonical(told) + b"\n" + content


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if _encoded(raw) != text:
        message = "the last character has bits that mean nothing"
        raise ValueError(message)
    return raw
