"""What is asked of passkeys, and whether they answered it (WebAuthn level 3)."""

import json
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any, NamedTuple

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

_VERIFIED = UserVerificationRequirement.REQUIRED
# What the library raises for a credential that is not what a browser makes.
_MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, LookupError, AttributeError)


class Site(NamedTuple):
    """Whom passkeys are made for.

    Attributes:
        name: Of the instance.
        host: The relying party's id.
        origin: Where its pages come from.
    """

    name: str
    host: str
    origin: str

    @property
    def can_have_passkeys(self) -> bool:
        """Whether browsers make passkeys for it: they do for names, not for IP addresses."""
        try:
            ip_address(self.host.strip("[]"))
        except ValueError:
            return True
        return False


class Registered(NamedTuple):
    """What is kept of a new passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def creation_options(
    site: Site, challenge: bytes, *, user: tuple[bytes, str, str], known: Iterable[bytes]
) -> dict[str, Any]:
    """Return what a browser is asked to make a passkey by.

    Args:
        site: For whom.
        challenge: Random bytes.
        user: Handle, address and name of the user.
        known: The user's present credentials, so that no authenticator gets a second one.
    """
    handle, email, name = user
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=handle,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return _as_json(options_to_json(options))


def request_options(site: Site, challenge: bytes, *, known: Iterable[bytes]) -> dict[str, Any]:
    """Return what a browser is asked for a passkey by.

    Args:
        site: For whom.
        challenge: Random bytes.
        known: The credentials that will do; none: the browser offers what it has.
    """
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=_VERIFIED,
    )
    return _as_json(options_to_json(options))


def credential_id_of(credential: dict[str, Any]) -> bytes | None:
    """Return which credential answers; None where the answer does not say."""
    try:
        return base64url_to_bytes(credential["id"])
    except _MALFORMED:
        return None


def registered(site: Site, challenge: bytes, credential: dict[str, Any]) -> Registered | None:
    """Return what is to be kept of a new passkey; None where it does not answer the question."""
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _MALFORMED:
        return None
    return Registered(made.credential_id, made.credential_public_key, made.sign_count)


def new_sign_count(
    site: Site,
    challenge: bytes,
    credential: dict[str, Any],
    *,
    public_key: bytes,
    sign_count: int,
    handle: bytes,
) -> int | None:
    """Return how often a passkey was used, if this is its answer to the question; else None.

    A count that does not rise comes from a copy of the passkey and is refused.

    Args:
        site: For whom.
        challenge: That it had to sign.
        credential: The answer.
        public_key: Of the passkey.
        sign_count: The last one that is known.
        handle: Of the user whose passkey it is.
    """
    try:
        said = credential["response"].get("userHandle")
        if said is not None and base64url_to_bytes(said) != handle:
            return None
        answer = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except _MALFORMED:
        return None
    return answer.new_sign_count


def _as_json(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
