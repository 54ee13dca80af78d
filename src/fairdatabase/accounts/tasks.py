"""Jobs of the accounts feature: all that must not be seen in the time that an answer takes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fairdatabase.accounts.service.admission import REGISTRATION_JOB
from fairdatabase.accounts.service.recovery import (
    ADDRESS_JOB,
    RESET_JOB,
    VERIFICATION_JOB,
    WARNING_JOB,
)
from fairdatabase.jobs.service import Handler, JobContext, Jobs

if TYPE_CHECKING:
    from fairdatabase.services import Services

Payload = dict[str, Any]


def register(jobs: Jobs, services: "Services") -> None:
    """Tell the queue how people are written to; what the jobs were given names them."""
    for kind, act in _ACTS.items():
        jobs.register(kind, _handler(services, act), confidential=True)


def _handler(services: "Services", act: Callable[["Services", Payload], None]) -> Handler:
    def handle(_context: JobContext, payload: Payload) -> None:
        act(services, payload)

    return handle


def _admit(services: "Services", payload: Payload) -> None:
    services.admission.admit(payload)


def _write_verification(services: "Services", payload: Payload) -> None:
    services.recovery.write_verification(payload["email"])


def _write_reset(services: "Services", payload: Payload) -> None:
    services.recovery.write_reset(payload["email"])


def _write_address(services: "Services", payload: Payload) -> None:
    services.recovery.write_address(UUID(payload["user_id"]), payload["email"])


def _write_warning(services: "Services", payload: Payload) -> None:
    services.recovery.write_warning(payload["email"])


_ACTS = {
    REGISTRATION_JOB: _admit,
    VERIFICATION_JOB: _write_verification,
    RESET_JOB: _write_reset,
    ADDRESS_JOB: _write_address,
    WARNING_JOB: _write_warning,
}
