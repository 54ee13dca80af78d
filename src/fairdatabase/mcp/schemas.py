"""Who asks."""

from typing import TYPE_CHECKING, NamedTuple

from fairdatabase.authorization.schemas import Actor

if TYPE_CHECKING:
    from fairdatabase.services import Services


class Caller(NamedTuple):
    """Who asks, and what answers."""

    services: "Services"
    actor: Actor
