"""Domain events: what happened, told to whoever must act on it after the commit."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

E = TypeVar("E")


class Events:
    """A synchronous, in-process bus; ``services.py`` holds all subscriptions.

    Services publish inside their transaction through ``Database.after_commit``, so that nobody
    hears of a thing that was rolled back.
    """

    def __init__(self) -> None:
        self._handlers: defaultdict[type, list[Callable[[Any], None]]] = defaultdict(list)

    def subscribe(self, event_type: type[E], handler: Callable[[E], None]) -> None:
        """Call ``handler`` with each published event of exactly ``event_type``."""
        self._handlers[event_type].append(handler)

    def publish(self, event: object) -> None:
        """Call the handlers of the event's type, in order of subscription."""
        for handler in self._handlers[type(event)]:
            handler(event)
