"""The audit log on the command line."""

import re
from typing import TYPE_CHECKING

import click

from fairdatabase.audit.schemas import Head
from fairdatabase.kernel.errors import ConflictError, ValidationError

if TYPE_CHECKING:
    from fairdatabase.cli import Instance


_NOTED = re.compile(r"(?P<sequence>[0-9]{1,18}):(?P<hash>[0-9a-f]{64})")


@click.group()
def audit() -> None:
    """Check the audit log."""


@audit.command(epilog="\b\nExample:\n  fairdatabase audit verify --expect 1024:9f2c...")
@click.option("--expect", metavar="SEQUENCE:HASH", help="An event that was noted elsewhere.")
@click.pass_obj
def verify(instance: "Instance", expect: str | None) -> None:
    """Walk the whole chain of events and say whether it holds."""
    noted = _head(expect) if expect else None
    found = instance.services.audit.verify(expect=noted)
    if found.fault:
        raise ConflictError(f"The audit log does not hold. {found.fault.message}")
    click.echo(f"The audit log holds: {found.events:,} events.")
    click.echo(f"Keep this elsewhere: {found.head}")


def _head(text: str) -> Head:
    found = _NOTED.fullmatch(text.strip())
    if found is None:
        raise ValidationError(
            "--expect takes what an earlier run printed: a number, a colon and 64 hexadecimal "
            "digits."
        )
    return Head(sequence=int(found["sequence"]), hash=found["hash"])
