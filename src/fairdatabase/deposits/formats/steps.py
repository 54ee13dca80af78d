"""The steps of a deposit as the wizard shows them: what is done, what is wrong, what comes next."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from fairdatabase.catalog.schemas import AccessClass
from fairdatabase.deposits.schemas import Deposit, DepositFile, FileStage

State = Literal["todo", "done", "problem"]
STEPS: Final = {
    "files": "Files",
    "columns": "Columns",
    "risk": "Privacy check",
    "anonymise": "Anonymise",
    "compare": "Compare",
    "describe": "Description",
    "review": "Review",
}


class Step(NamedTuple):
    """One step: its page, its name, how it stands, and that in a word or two."""

    key: str
    name: str
    state: State
    note: str


def steps(deposit: Deposit) -> tuple[Step, ...]:
    """Return the steps of a deposit in their order."""
    tables = [item for item in deposit.files if item.table]
    states: dict[str, tuple[State, str]] = {
        "files": _files(deposit.files, tables),
        "columns": _columns(tables),
        "risk": _risk(tables, is_open=deposit.version.access is AccessClass.OPEN),
        "anonymise": _anonymise(tables),
        "compare": _compare(tables),
        "describe": _describe(deposit),
        "review": ("done", "Ready") if deposit.ready else ("todo", ""),
    }
    return tuple(Step(key, name, *states[key]) for key, name in STEPS.items())


def _files(files: Sequence[DepositFile], tables: Sequence[DepositFile]) -> tuple[State, str]:
    if any(item.stage is FileStage.INVALID for item in files):
        return "problem", "Not readable"
    if any(item.stage is FileStage.WORKING for item in files):
        return "todo", "In work"
    return ("done", "Done") if tables else ("todo", "")


def _columns(tables: Sequence[DepositFile]) -> tuple[State, str]:
    if not tables or any(item.screening is None for item in tables):
        return "todo", "Roles needed" if tables else ""
    return "done", "Done"


def _risk(tables: Sequence[DepositFile], *, is_open: bool) -> tuple[State, str]:
    verdicts = [item.outgoing for item in tables]
    if not verdicts or None in verdicts:
        return "todo", ""
    if all(verdict and verdict.passed for verdict in verdicts):
        return "done", "Passed"
    return ("problem", "Refused") if is_open else ("done", "Risky, not open")


def _anonymise(tables: Sequence[DepositFile]) -> tuple[State, str]:
    if any(item.release for item in tables):
        return "done", "Release made"
    needless = tables and all(item.screening and item.screening.passed for item in tables)
    return "todo", "Not needed" if needless else ""


def _compare(tables: Sequence[DepositFile]) -> tuple[State, str]:
    made = [item for item in tables if item.release]
    if made and all(item.release_screening and item.release_screening.passed for item in made):
        return "done", "Policy holds"
    return ("problem", "Policy broken") if made else ("todo", "")


def _describe(deposit: Deposit) -> tuple[State, str]:
    missing = sum(blocker.step == "describe" for blocker in deposit.blockers)
    return ("todo", f"{missing} missing") if missing else ("done", "Done")
