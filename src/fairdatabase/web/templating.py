"""What every template may use: filters, addresses of static files, and who is looking."""

import hashlib
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, url_for
from jinja2 import StrictUndefined

from fairdatabase import __version__
from fairdatabase.authorization.rules import may
from fairdatabase.authorization.schemas import Action, Resource
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.current import actor
from fairdatabase.web.filters import FILTERS

_FOR_GOOD = "public, max-age=31536000, immutable"
_VERSIONED_BY_NAME = ("fonts/", "vendor/")


def init_templates(app: Flask, settings: Settings) -> None:
    """Give the templates of this application their filters, globals and context."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["asset"] = asset_url(Path(app.static_folder or ""))
    app.jinja_env.globals["page_url"] = page_url
    app.jinja_env.globals["terms"] = {"version": settings.terms_version, "url": settings.terms_url}

    @app.context_processor
    def _context() -> dict[str, Any]:
        who = actor()
        return {
            "site_name": settings.site_name,
            "version": __version__,
            "actor": who if who.is_authenticated else None,
            "may": lambda resource, action: may(who, Resource(resource), Action(action)),
        }

    @app.after_request
    def _keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == HTTPStatus.OK:
            path = (request.view_args or {})["filename"]
            if "v" in request.args or path.startswith(_VERSIONED_BY_NAME):
                response.headers["Cache-Control"] = _FOR_GOOD
        return response


def page_url(number: int) -> str:
    """Return the address of another page of the list that is being looked at."""
    arguments = {**request.args.to_dict(flat=False), **(request.view_args or {}), "page": number}
    return url_for(request.endpoint or "", **arguments)


def asset_url(folder: Path) -> Callable[[str], str]:
    """Return the function ``asset(path)``: the address of a static file, changed with its content.

    So browsers may keep the files for good. Fonts and vendored files have their version in
    their names, and style sheets refer to them without a query.

    Args:
        folder: The static folder.
    """

    @cache
    def fingerprint(path: str) -> str:
        return hashlib.sha256((folder / path).read_bytes()).hexdigest()[:12]

    def asset(path: str) -> str:
        if path.startswith(_VERSIONED_BY_NAME):
            return url_for("static", filename=path)
        return url_for("static", filename=path, v=fingerprint(path))

    return asset
