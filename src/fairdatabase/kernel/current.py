"""What belongs to the present request: the services and the one who asks."""

from typing import TYPE_CHECKING, cast

from flask import current_app, g

if TYPE_CHECKING:
    from fairdatabase.authorization.schemas import Actor
    from fairdatabase.services import Services

SERVICES_KEY = "fairdatabase"


def services() -> "Services":
    """Return the services of the running application."""
    return cast("Services", current_app.extensions[SERVICES_KEY])


def actor() -> "Actor":
    """Return who makes this request; ``accounts.authentication`` sets it before each one."""
    return cast("Actor", g.actor)
