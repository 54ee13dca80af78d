"""A passkey in software, which does what it is told, right or wrong."""

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url, encode_cbor

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
Options = dict[str, Any]
Credential = dict[str, Any]


class SoftPasskey:
    """One credential on the curve P-256.

    Args:
        origin: Where the browser says that its page comes from.
        counts: Whether it counts its uses; passkeys that are kept in a cloud do not.
    """

    def __init__(self, origin: str = "http://localhost:8000", *, counts: bool = True) -> None:
        self.origin = origin
        self.credential_id = secrets.token_bytes(32)
        self.uses = 0
        self.handle: str | None = None
        self._counts = counts
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: Options, *, verified: bool = True) -> Credential:
        """Answer a question for a new passkey."""
        self.handle = options["user"]["id"]
        flags = _ATTESTED | _PRESENT | _VERIFIED * verified
        data = self._data(options["rp"]["id"], flags) + self._attested()
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(
            {
                "clientDataJSON": bytes_to_base64url(client),
                "attestationObject": bytes_to_base64url(attestation),
            }
        )

    def get(
        self, options: Options, *, verified: bool = True, uses: int | None = None
    ) -> Credential:
        """Answer a question for a passkey that is there."""
        self.uses += self._counts
        flags = _PRESENT | _VERIFIED * verified
        data = self._data(options["rpId"], flags, self.uses if uses is None else uses)
        client = self._client("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(client).digest()
        return self._credential(
            {
                "clientDataJSON": bytes_to_base64url(client),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(self._key.sign(signed, ec.ECDSA(SHA256()))),
                "userHandle": self.handle,
            }
        )

    def _credential(self, response: dict[str, Any]) -> Credential:
        identity = bytes_to_base64url(self.credential_id)
        return {"id": identity, "rawId": identity, "type": "public-key", "response": response}

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, rp_id: str, flags: int, uses: int = 0) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + uses.to_bytes(4, "big")

    def _attested(self) -> bytes:
        point = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        length = len(self.credential_id).to_bytes(2, "big")
        return bytes(16) + length + self.credential_id + encode_cbor(key)
