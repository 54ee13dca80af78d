"""The reference of errors names every code, with its status."""

import re
from importlib import import_module

from fairdatabase.api.problems import status_of
from fairdatabase.kernel.errors import FAIRDatabaseError
from tests.architecture.tree import ROOT, SOURCE

DOCUMENT = ROOT / "docs" / "reference" / "errors.md"
ROW = re.compile(r"^\| `(?P<code>[\w-]+)` \| (?P<status>\d{3}) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def descendants(kind: type[FAIRDatabaseError]) -> set[type[FAIRDatabaseError]]:
    """Return a class of errors and all below it."""
    return {kind}.union(*map(descendants, kind.__subclasses__()))


def test_every_code_is_documented_once_with_its_status() -> None:
    for module in SOURCE.glob("*/errors.py"):
        import_module(f"fairdatabase.{module.parent.name}.errors")
    codes = {
        kind.code: int(status_of(kind.__new__(kind)))
        for kind in descendants(FAIRDatabaseError)
        if kind.__module__.startswith("fairdatabase.")
    }
    rows = [(code, int(status)) for code, status in ROW.findall(DOCUMENT.read_text("utf-8"))]
    assert len(rows) == len(codes)
    assert dict(rows) == codes
