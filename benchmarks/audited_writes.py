"""What recording an act costs: the same write with and without an event, and walking the chain."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import update

from fairdatabase.audit.models import AuditHead
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import OPERATOR, Resource
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import load_settings
from fairdatabase.kernel.database import Database
from fairdatabase.migrations import upgrade


def milliseconds(act: Callable[[], None], repeats: int) -> tuple[float, float]:
    """Return mean wall and CPU milliseconds of an act."""
    act()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        act()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall * 1000 / repeats, cpu * 1000 / repeats


def main() -> None:
    """Parse the arguments and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--events", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = load_settings(
            _env_file=None,
            environment="development",
            instance_path=folder,
            secret_key="s" * 32,
            jwt_secret_key="j" * 32,
            data_key="d" * 32,
            pseudonym_key="p" * 32,
        )
        upgrade(settings.sqlalchemy_url)
        database = Database(settings.sqlalchemy_url)
        audit = Audit(database, settings, utc_now)

        def write(*, audited: bool) -> None:
            with database.transaction() as session:
                session.execute(update(AuditHead).where(AuditHead.id == 2).values(sequence=0))
                if audited:
                    audit.record(OPERATOR, "user.created", Resource.USER, "5k9z2m4xqvb")

        bare, bare_cpu = milliseconds(lambda: write(audited=False), arguments.repeats)
        ours, ours_cpu = milliseconds(lambda: write(audited=True), arguments.repeats)
        print(f"one write, milliseconds: bare {bare:.2f} (cpu {bare_cpu:.2f}), audited {ours:.2f}")
        print(f"ratio {ours / bare:.2f} (cpu {ours_cpu / bare_cpu:.2f})")
        with database.transaction():
            for _ in range(arguments.events):
                audit.record(OPERATOR, "user.created", Resource.USER, "5k9z2m4xqvb")
        cpu = time.process_time()
        found = audit.verify()
        cpu = time.process_time() - cpu
        print(f"verifying {found.events:,} events: {found.events / cpu:,.0f} events a CPU second")
        database.dispose()


if __name__ == "__main__":
    main()
