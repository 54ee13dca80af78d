"""Programs of the product, run as the processes they are."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fairdatabase.kernel.config import SECRET_NAMES, Settings


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which a process has the same settings as a test."""
    secrets = {
        f"FAIRDATABASE_{name.upper()}": getattr(settings, name).get_secret_value()
        for name in SECRET_NAMES
    }
    return (
        os.environ
        | secrets
        | {
            "FAIRDATABASE_ENVIRONMENT": "development",
            "FAIRDATABASE_INSTANCE_PATH": str(settings.instance_path),
            "FAIRDATABASE_DATABASE_URL": settings.database_url,
            "FAIRDATABASE_JOB_LEASE_SECONDS": str(settings.job_lease_seconds),
        }
    )


def start(settings: Settings, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start ``fairdatabase`` with these arguments."""
    command = Path(sys.executable).with_name("fairdatabase")
    return subprocess.Popen([command, *arguments], env=environment_of(settings))


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for something that other processes do; fail when it does not happen."""
    for _ in range(int(seconds * 20)):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")
