"""Which hosts and origins requests may name, and the security headers that answers carry."""

import re
import secrets
from http import HTTPStatus

from flask import Flask, Response, g, request

from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import UnknownHostError
from fairdatabase.kernel.extensions import cors
from fairdatabase.kernel.http import DATA_POLICY

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_UNUSED_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "sync-xhr",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
_USED_FEATURES = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
_PERMISSIONS = ", ".join(
    [f"{name}=()" for name in _UNUSED_FEATURES] + [f"{name}=(self)" for name in _USED_FEATURES]
)
_OF_PAGES = {
    "Permissions-Policy": _PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Origin-Agent-Cluster": "?1",
}
_TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains"
_NONCE_BYTES = 18
_TRUSTED_TYPES = ("htmx",)
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE)
_PROBES = "/health/"
_API = r"/api/.*"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_SENT_BY_SCRIPTS = ["Accept", "Authorization", "Content-Type", "If-None-Match", "If-Range", "Range"]
_READ_BY_SCRIPTS = [
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
]
_PREFLIGHT_SECONDS = 600


def init_hosts(app: Flask, settings: Settings) -> None:
    """Answer only requests for the hosts of this instance.

    Whoever makes a browser believe that a name of theirs leads here would otherwise have pages
    of their origin read what is answered. Health probes come by address and may.
    """
    known = settings.known_hosts

    @app.before_request
    def _require_known_host() -> None:
        if request.path.startswith(_PROBES):
            return
        match = _HOST.fullmatch(request.host)
        if match is None or match["name"].lower().rstrip(".") not in known:
            raise UnknownHostError(
                "This server does not answer for the host of this address. Use the address of the"
                " instance; its admin can add further names to the setting allowed_hosts."
            )


def init_headers(app: Flask, settings: Settings) -> None:
    """Secure the answers of this application."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def _secure(response: Response) -> Response:
        headers = _HEADERS
        if response.mimetype == "text/html":
            headers = _HEADERS | _OF_PAGES
        # What a browser keeps goes with the policy of its day, whose nonce is in the page.
        if response.status_code != HTTPStatus.NOT_MODIFIED:
            headers = headers | {"Content-Security-Policy": _content_policy(response)}
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if settings.https:
            response.headers["Strict-Transport-Security"] = _TRANSPORT_SECURITY
        if g.actor.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        if request.endpoint != "static":
            response.vary.update(("Authorization", "Cookie"))
        return response


def init_origins(app: Flask, settings: Settings) -> None:
    """Let the pages of the listed origins read the API, as nobody or by bearer token.

    No answer allows credentials, so no foreign page reads anything by a person's cookies. Pages
    of other sites that are isolated need no ``Cross-Origin-Resource-Policy`` of ours to be wider:
    it concerns requests without CORS alone.
    """
    anybody = "*" in settings.cors_origins
    # Patterns, because the library guesses by their characters which texts are patterns.
    listed = [re.compile(rf"{re.escape(origin)}\Z") for origin in settings.cors_origins]
    cors.init_app(
        app,
        resources=_API,
        origins="*" if anybody else listed,
        send_wildcard=anybody,
        always_send=False,
        supports_credentials=False,
        methods=_METHODS,
        allow_headers=_SENT_BY_SCRIPTS,
        expose_headers=_READ_BY_SCRIPTS,
        max_age=_PREFLIGHT_SECONDS,
    )

    @app.after_request
    def _differ_by_origin(response: Response) -> Response:
        if request.path.startswith("/api/"):
            response.vary.add("Origin")
        return response


def csp_nonce() -> str:
    """Return what marks the scripts of this answer as ours; ``csp_nonce()`` in templates."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(_NONCE_BYTES)
    return str(g.csp_nonce)


def _content_policy(response: Response) -> str:
    """Return what the browser may load and run for this answer.

    ``g.trusted_types`` names further policies by which the scripts of this one page make HTML.
    """
    if response.mimetype != "text/html":
        return DATA_POLICY
    scripts = f"'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'none'"
    policies = " ".join((*_TRUSTED_TYPES, *g.get("trusted_types", ())))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script';"
        f" trusted-types {policies}"
    )
