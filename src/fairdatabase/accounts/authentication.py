"""Who makes this request: JSON Web Tokens in the header (API) or in cookies (pages).

Access tokens live for minutes, refresh tokens as long as the session and for one use each. A
token says how it travels (``kind``), so that one from a cookie is worthless in a header and the
other way round. Whoever comes by cookie proves with a CSRF token that one of our pages sent the
request. ``docs/decisions/0004-sessions.md`` gives the reasons.
"""

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

from flask import Flask, Response, after_this_request, current_app, g, request, session
from flask_jwt_extended import (
    create_access_token,
    create_refresh_token,
    decode_token,
    set_access_cookies,
    set_refresh_cookies,
    unset_jwt_cookies,
)
from flask_jwt_extended.exceptions import JWTDecodeError, JWTExtendedException
from jwt import ExpiredSignatureError, PyJWTError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.accounts.rules.devices import shortened
from fairdatabase.accounts.rules.keys import SigningKeys
from fairdatabase.accounts.rules.tokens import PREFIX
from fairdatabase.accounts.schemas import Grant, Tokens
from fairdatabase.accounts.schemas.sessions import Device
from fairdatabase.authorization.rules import require_route
from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.current import services
from fairdatabase.kernel.errors import AuthenticationError, PermissionDeniedError
from fairdatabase.kernel.extensions import caller, client_network, jwt, limiter
from fairdatabase.kernel.forms import CSRF_FIELD
from fairdatabase.kernel.http import apart

CSRF_HEADER = "X-CSRF-TOKEN"
GRACE = timedelta(seconds=10)
"""How long a browser's used refresh cookie is still served: see docs/decisions/0004-sessions.md."""
_FIXED_SETTINGS = {
    "JWT_ALGORITHM": "HS256",
    "JWT_DECODE_ALGORITHMS": ["HS256"],
    "JWT_DECODE_LEEWAY": 5,
    "JWT_TOKEN_LOCATION": ["headers", "cookies"],
    "JWT_COOKIE_SAMESITE": "Lax",
    "JWT_CSRF_IN_COOKIES": False,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
}
_ADDRESS_CLAIMS = (
    "JWT_ENCODE_ISSUER",
    "JWT_DECODE_ISSUER",
    "JWT_ENCODE_AUDIENCE",
    "JWT_DECODE_AUDIENCE",
)
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}
_ACCOUNT_LENGTH = 320
_PAGES = "_pages"
"""Ends the names of the blueprints whose forms people fill in."""
_KEYS = "fairdatabase_signing_keys"
_COOKIE_NAMES = {"access": "JWT_ACCESS_COOKIE_NAME", "refresh": "JWT_REFRESH_COOKIE_NAME"}

logger = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., Any])
TokenType = Literal["access", "refresh"]
TokenKind = Literal["bearer", "cookie"]


class Claims(BaseModel):
    """What this application reads from a token whose signature, issuer and time are right."""

    sub: str
    sid: UUID
    jti: UUID
    type: TokenType
    kind: TokenKind
    csrf: str


def init_authentication(app: Flask, settings: Settings) -> None:
    """Configure the tokens and make every request of this application known or anonymous."""
    app.config.from_mapping(_token_settings(settings))
    jwt.init_app(app)
    app.extensions[_KEYS] = SigningKeys(
        settings.jwt_secret_key.get_secret_value(),
        [key.secret.get_secret_value() for key in settings.jwt_retired_keys],
    )
    app.before_request(_identify)
    app.before_request(_authorise)
    app.after_request(_send_renewed)
    app.after_request(_note_presence)
    app.jinja_env.globals["csrf_token"] = csrf_token


def cookie_prefix(settings: Settings) -> str:
    """Return what the names of our cookies begin with; ``__Host-`` pins them to one HTTPS host."""
    return "__Host-" if settings.https else "fairdatabase-"


def _token_settings(settings: Settings) -> dict[str, Any]:
    prefix = cookie_prefix(settings)
    address = dict.fromkeys(_ADDRESS_CLAIMS, settings.public_url)
    secure = dict.fromkeys(("JWT_COOKIE_SECURE", "SESSION_COOKIE_SECURE"), settings.https)
    return {
        **_FIXED_SETTINGS,
        **address,
        **secure,
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=settings.access_token_minutes),
        "JWT_ACCESS_COOKIE_NAME": f"{prefix}access",
        "JWT_REFRESH_COOKIE_NAME": f"{prefix}refresh",
        "SESSION_COOKIE_NAME": f"{prefix}session",
    }


@jwt.encode_key_loader
def _signing_key(_identity: object) -> str:
    return _keys().current


@jwt.additional_headers_loader
def _key_header(_identity: object) -> dict[str, str]:
    return {"kid": _keys().current_id}


@jwt.decode_key_loader
def _verifying_key(header: Mapping[str, object], _claims: object) -> str:
    """Return the key that a token names; the name is looked up among ours and nowhere else."""
    key = _keys().get(header.get("kid"))
    if key is None:
        raise JWTDecodeError("unknown key")
    return key


def _keys() -> SigningKeys:
    return cast("SigningKeys", current_app.extensions[_KEYS])


def tokens_for(grant: Grant, *, kind: TokenKind = "bearer") -> Tokens:
    """Return a new pair of tokens for a session.

    Args:
        grant: From signing in or refreshing.
        kind: How they travel: in the header or in cookies.
    """
    settings = services().settings
    claims = {"sid": str(grant.session_id), "kind": kind, "csrf": _session_csrf(grant.session_id)}
    user = grant.actor.public_id
    return Tokens(
        access_token=create_access_token(
            user, additional_claims=claims | {"roles": sorted(grant.actor.roles)}
        ),
        refresh_token=create_refresh_token(
            user, additional_claims=claims | {"jti": str(grant.refresh_id), "exp": grant.expires_at}
        ),
        expires_in=settings.access_token_minutes * 60,
    )


def read_token(encoded: str, token_type: TokenType, kind: TokenKind) -> Claims:
    """Return the claims of a token of ours.

    Args:
        encoded: The token.
        token_type: What it has to be good for.
        kind: How it came.

    Raises:
        AuthenticationError: It has expired, is not ours, or is of another type or kind.
    """
    try:
        claims = Claims.model_validate(decode_token(encoded))
    except ExpiredSignatureError:
        raise AuthenticationError(_EXPIRED[token_type]) from None
    except (PyJWTError, JWTExtendedException, ValidationError):
        raise AuthenticationError(
            "This token is not valid. Sign in at POST /api/v1/auth/login to get a new one."
        ) from None
    if claims.type != token_type or claims.kind != kind:
        raise AuthenticationError(
            f"This is a {claims.type} token for use as a {claims.kind};"
            f" here a {token_type} token for use as a {kind} is needed."
        )
    return claims


_EXPIRED: dict[TokenType, str] = {
    "access": "The access token has expired. Get a new pair at POST /api/v1/auth/refresh.",
    "refresh": "The session has expired. Please sign in again.",
}


def set_session_cookies(response: Response, grant: Grant) -> None:
    """Give a browser the tokens of its session."""
    g.renewed = None
    tokens = tokens_for(grant, kind="cookie")
    remaining = grant.expires_at - utc_now()
    set_access_cookies(response, tokens.access_token, max_age=tokens.expires_in)
    set_refresh_cookies(response, tokens.refresh_token, max_age=int(remaining.total_seconds()))


def clear_session_cookies(response: Response) -> Response:
    """Take the tokens from a browser."""
    g.renewed = None
    unset_jwt_cookies(response)
    return response


def csrf_token() -> str:
    """Return what a form has to send along; ``csrf_token()`` in templates.

    It stays the same for a whole session, so that a form that was opened before the tokens
    were renewed can still be sent.
    """
    if g.csrf is None:
        g.csrf = session.setdefault(CSRF_FIELD, secrets.token_urlsafe())
    return str(g.csrf)


def device() -> Device:
    """Return what this request was sent from, as its owner will see it among the sessions."""
    return Device(
        user_agent=request.user_agent.string, network=shortened(request.remote_addr or "")
    )


def local_path(target: str | None) -> str:
    """Return an address to go to after signing in: a path of this site, else ``/``.

    Browsers take a backslash for a slash and drop control characters, so neither may occur.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    harmless = target.isprintable() and not set("\\ ") & set(target)
    return target if harmless else "/"


def limit_sign_in(view: View) -> View:
    """Limit attempts per network and per account, together for the API and the page."""
    by_network = limiter.shared_limit(
        _sign_in_limit, "sign-in", key_func=client_network, methods=["POST"]
    )
    by_account = limiter.shared_limit(
        _sign_in_limit, "sign-in", key_func=_account, methods=["POST"]
    )
    return apart(cast("View", by_network(by_account(view))))


def limit_proofs(view: View) -> View:
    """Limit second steps, passkeys and confirmations per account or network, together."""
    limited = limiter.shared_limit(_sign_in_limit, "proofs", key_func=caller, methods=["POST"])
    return apart(cast("View", limited(view)))


def limit_registration(view: View) -> View:
    """Limit registrations per network, together for the API and the page."""
    by_network = limiter.shared_limit(
        _sign_in_limit, "registration", key_func=client_network, methods=["POST"]
    )
    return apart(cast("View", by_network(view)))


def limit_letters(view: View) -> View:
    """Limit requests for letters per network and per address, together for the API and the page."""
    by_network = limiter.shared_limit(
        _sign_in_limit, "letters", key_func=client_network, methods=["POST"]
    )
    by_address = limiter.shared_limit(
        _sign_in_limit, "letters", key_func=_account, methods=["POST"]
    )
    return apart(cast("View", by_network(by_address(view))))


def _sign_in_limit() -> str:
    return services().settings.login_rate_limit


def _account() -> str:
    """Return the account that a sign-in is meant for, as far as the request names one."""
    sent = request.get_json(silent=True) if request.is_json else request.form
    email = sent.get("email") if isinstance(sent, dict) else None
    return f"account {str(email)[:_ACCOUNT_LENGTH].strip().lower()}"


def _identify() -> None:
    """Find out who asks, before anything else looks at the request."""
    g.actor, g.csrf, g.renewed = ANONYMOUS, None, None
    if request.endpoint == "static" or request.path.startswith("/health/"):
        return
    header = request.headers.get("Authorization")
    if header is not None:
        g.actor = _actor_by_header(header)
    elif claims := _cookie("access") or _cookie("refresh"):
        g.csrf = claims.csrf
        _require_csrf(claims.sid)
        _identify_browser(claims)
    elif (request.blueprint or "").endswith(_PAGES):
        g.csrf = session.get(CSRF_FIELD)
        _require_csrf()


def _authorise() -> None:
    """Refuse whoever the route can be of no use to, before the request is read."""
    if request.endpoint is not None and request.method != "OPTIONS":
        require_route(g.actor, request.endpoint)


def _actor_by_header(header: str) -> Actor:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError(
            "Send your access token in the header as 'Authorization: Bearer <token>'."
        )
    return actor_of(token.strip())


def actor_of(token: str) -> Actor:
    """Return who comes with a bearer token: the access token of a session, or a personal one.

    Raises:
        AuthenticationError: It is of no use.
    """
    if token.startswith(PREFIX):
        return services().tokens.actor_for(token)
    if services().supabase.issued(token):
        return services().supabase.actor_for(token)
    claims = read_token(token, "access", "bearer")
    return services().accounts.actor_for(claims.sub, claims.sid)


def _note_presence(response: Response) -> Response:
    """Note now and then that a session or token is used; a busy database is not waited on twice."""
    try:
        services().sessions.note_presence(g.actor)
    except SQLAlchemyError:
        logger.warning("That a session is used could not be noted", exc_info=True)
    return response


def _identify_browser(claims: Claims) -> None:
    """Set the actor from a cookie; a refresh token is exchanged on the way.

    A browser whose session has ended may go on reading as nobody, without its cookies.
    """
    accounts = services().accounts
    try:
        if claims.type == "access":
            g.actor = accounts.actor_for(claims.sub, claims.sid)
        else:
            g.renewed = accounts.refresh(claims.sid, claims.jti, grace=GRACE)
            g.actor = g.renewed.actor
    except AuthenticationError:
        g.csrf = None
        after_this_request(clear_session_cookies)
        if request.method not in _SAFE_METHODS:
            raise


def _send_renewed(response: Response) -> Response:
    """Send the tokens that were exchanged, unless the request went on to end or open a session."""
    if g.renewed:
        set_session_cookies(response, g.renewed)
    return response


def _cookie(token_type: TokenType) -> Claims | None:
    """Return the claims of a cookie; one that is absent or of no use counts as none."""
    encoded = request.cookies.get(current_app.config[_COOKIE_NAMES[token_type]])
    if not encoded:
        return None
    try:
        return read_token(encoded, token_type, "cookie")
    except AuthenticationError:
        return None


def _session_csrf(session_id: UUID, key: str = "") -> str:
    signing = key or _keys().current
    return hmac.new(signing.encode(), b"csrf " + session_id.bytes, "sha256").hexdigest()


def _csrf_of_all_keys(session_id: UUID) -> set[str]:
    return {_session_csrf(session_id, key) for key in _keys().all()}


def _require_csrf(session_id: UUID | None = None) -> None:
    """Refuse an unsafe request that does not prove that one of our pages sent it.

    A form that was opened before the signing key was changed proves it by the old key.
    """
    if request.method in _SAFE_METHODS:
        return
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent and request.mimetype in _FORM_TYPES:
        sent = request.form.get(CSRF_FIELD, "")
    right = {g.csrf} if session_id is None else _csrf_of_all_keys(session_id)
    if not any(each and hmac.compare_digest(sent.encode(), each.encode()) for each in right):
        raise PermissionDeniedError(
            "This form is too old or was not sent from our page. Please reload and send it again;"
            f" a script sends the token in the header {CSRF_HEADER}."
        )
