"""Looks for known vulnerabilities in the locked packages: ``make check-dependencies``.

Two sources are asked. ``advisories.toml`` beside this file needs no network. OSV, the advisory
database that the Python Packaging Authority publishes to, is asked about all packages in one
request; where it cannot be reached that is said, and only the file decides.

    python requirements/audit.py
"""

import argparse
import http.client
import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).resolve().parent
SERVICE = "https://api.osv.dev"
_SECONDS = 10.0
_LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)


class ServiceUnreachableError(Exception):
    """The advisory service did not answer as one; says why."""


@dataclass(frozen=True, order=True)
class Package:
    """A package as a lock file names it."""

    name: str
    version: str


@dataclass(frozen=True, order=True)
class Finding:
    """An advisory that a locked package falls under."""

    package: Package
    advisory: str


def locked(files: Iterable[Path]) -> list[Package]:
    """Return the packages of lock files, each once."""
    found = {
        Package(canonicalize_name(match["name"]), match["version"])
        for file in files
        for match in _LOCKED.finditer(file.read_text(encoding="utf-8"))
    }
    return sorted(found)


def noted(packages: Iterable[Package], advisories: Iterable[dict[str, Any]]) -> set[Finding]:
    """Return what the committed advisories say about packages."""
    known = [
        (canonicalize_name(each["package"]), SpecifierSet(affected), each["id"])
        for each in advisories
        for affected in each["affected"]
    ]
    return {
        Finding(package, advisory)
        for package in packages
        for name, affected, advisory in known
        if package.name == name and affected.contains(package.version, prereleases=True)
    }


def published(packages: list[Package], service: str) -> set[Finding]:
    """Return what the advisory service says about packages.

    Raises:
        ServiceUnreachableError: It cannot be reached, is overloaded, or something else answers.
    """
    queries = [
        {"package": {"name": each.name, "ecosystem": "PyPI"}, "version": each.version}
        for each in packages
    ]
    request = urllib.request.Request(  # noqa: S310 - the address is ours or a test's
        f"{service}/v1/querybatch",
        data=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            results = json.load(answer)["results"]
        rows = list(zip(packages, results, strict=True))
        return {Finding(each, vuln["id"]) for each, row in rows for vuln in row.get("vulns", ())}
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.BAD_REQUEST:  # a fault of ours is not a service that rests
            raise
        raise ServiceUnreachableError(f"it answers {error.code}") from None
    except urllib.error.URLError as error:
        raise ServiceUnreachableError(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise ServiceUnreachableError(str(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServiceUnreachableError("what answered is no advisory service") from None


def accepted(entries: Iterable[dict[str, Any]], today: date) -> Iterator[str]:
    """Yield the advisories that somebody looked into and that need no action until a day."""
    for entry in entries:
        if today <= entry["until"]:
            yield entry["id"]


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where a locked package has a known vulnerability."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of *.lock and advisories.toml")
    parser.add_argument("--service", default=SERVICE, help="address of the advisory service")
    options = parser.parse_args(arguments)
    notes = tomllib.loads((options.folder / "advisories.toml").read_text(encoding="utf-8"))
    packages = locked(options.folder.glob("*.lock"))
    found = noted(packages, notes["advisory"])
    sources = f"{len(notes['advisory'])} noted advisories"
    try:
        found |= published(packages, options.service)
        sources += f" and {options.service}"
    except ServiceUnreachableError as error:
        print(f"NOT ASKED: {options.service} cannot be reached ({error}).")
    passed = set(accepted(notes.get("accepted", ()), datetime.now(UTC).date()))
    open_findings = sorted(each for each in found if each.advisory not in passed)
    print(f"{len(packages)} locked packages were compared with {sources}.")
    for finding in open_findings:
        print(f"{finding.package.name} {finding.package.version}: {finding.advisory}")
    if open_findings:
        print(
            "Run `make lock UPGRADE=--upgrade`. What does not concern this project is noted in"
            " requirements/advisories.toml with a reason and a day until which that holds."
        )
    return 1 if open_findings else 0


if __name__ == "__main__":
    sys.exit(main())
