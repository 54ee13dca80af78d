"""Domain events reach exactly their subscribers."""

from dataclasses import dataclass

from fairdatabase.kernel.events import Events


@dataclass(frozen=True)
class Published:
    number: int


@dataclass(frozen=True)
class Withdrawn:
    number: int


def test_subscribers_hear_their_type_in_order() -> None:
    events = Events()
    heard: list[str] = []
    events.subscribe(Published, lambda event: heard.append(f"first {event.number}"))
    events.subscribe(Published, lambda event: heard.append(f"second {event.number}"))
    events.subscribe(Withdrawn, lambda _event: heard.append("withdrawn"))
    events.publish(Published(7))
    assert heard == ["first 7", "second 7"]


def test_nobody_has_to_listen() -> None:
    Events().publish(Published(1))
