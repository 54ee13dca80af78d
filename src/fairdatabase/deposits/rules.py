"""What a deposit may hold and when it may be published: the gate, as pure functions."""

from collections import Counter
from collections.abc import Iterator, Sequence

from fairdatabase.catalog.rules import missing_for_publication
from fairdatabase.catalog.schemas import AccessClass, FileRole, VersionRecord
from fairdatabase.deposits.errors import DocumentationError
from fairdatabase.deposits.schemas import Blocker, DepositFile, FileStage
from fairdatabase.jobs.schemas import JobRecord, JobState
from fairdatabase.privacy.engine.reads import SequenceFile
from fairdatabase.privacy.schemas import ReasonCode
from fairdatabase.tables.schemas import ColumnRole, TableFormat, TableRecord

MAX_DOCUMENTATION_BYTES = 20 * 2**20
_PDF = b"%PDF-"
_MARKDOWN_SUFFIXES = (".md", ".markdown")
_DELIMITERS = ",;\t"
_TABLE_LINES = 20
_TABLE_SHARE = 0.9
_PLAIN_FORMATS = {TableFormat.DELIMITED, TableFormat.JSON_LINES}
_NOT_MEASURED = {
    ReasonCode.EMPTY_TABLE,
    ReasonCode.NO_ROLES,
    ReasonCode.UNREVIEWED_COLUMNS,
    ReasonCode.ROLES_CHANGED,
}
"""With these nobody knows the risk, so nobody can decide to take it."""
_UNFINISHED = {JobState.QUEUED, JobState.RUNNING}


def stage_of(
    *, is_data: bool, job: JobRecord | None, table: TableRecord | None, screened: bool
) -> FileStage:
    """Tell how far a file has come, from what was made of it so far."""
    if job is not None and job.state in _UNFINISHED:
        return FileStage.WORKING
    if not is_data:
        return FileStage.STORED
    if table is None:
        return FileStage.INVALID
    return FileStage.SCREENED if screened else FileStage.NEEDS_ROLES


def publishable(version: VersionRecord, files: Sequence[DepositFile]) -> tuple[Blocker, ...]:
    """List what keeps a draft from being published; empty where it may be.

    Every data file has to be a table that was screened as it is now. An open version lets go
    only tables that hold the policy; a restricted one may hold riskier data, known as such.
    """
    blockers = [
        Blocker(
            code=f"missing-{problem.field}",
            step="files" if problem.field == "files" else "describe",
            message=problem.message,
            fix=problem.fix,
        )
        for problem in missing_for_publication(version.metadata, [item.file for item in files])
    ]
    for item in files:
        blockers.extend(_of_file(item, version.access))
    return tuple(blockers)


def keeps_back(item: DepositFile) -> bool:
    """Tell whether only the table made from a file may leave the house, not its bytes.

    A release replaces the bytes. So does the screened table where they hold more than it:
    rejected rows, comments, further worksheets or what a binary format carries along.
    """
    if item.release is not None:
        return True
    report = item.table.report if item.table else None
    if report is None:
        return False
    return (
        report.format not in _PLAIN_FORMATS
        or report.rows_rejected > 0
        or any(finding.code == "comment_lines" for finding in report.findings)
    )


def _of_file(item: DepositFile, access: AccessClass) -> Iterator[Blocker]:
    name = item.file.name
    if item.stage is FileStage.WORKING:
        yield Blocker(
            code="work-in-progress",
            step="files",
            message=f"{name} is still being worked on.",
            fix="Wait until the work is done.",
            file=name,
        )
        return
    if item.file.role is not FileRole.DATA:
        return
    if item.table is None:
        yield Blocker(
            code="not-a-table",
            step="files",
            message=f"{name} could not be read as a table.",
            fix=(item.job.error if item.job else None) or "Correct the file and upload it again.",
            file=name,
        )
        return
    verdict = item.outgoing
    if verdict is None and not _is_new(item.table):
        yield Blocker(
            code="not-screened",
            step="risk",
            message=f"{name} was not measured since what it has to hold changed.",
            fix="Have it measured again.",
            file=name,
        )
    elif verdict is None:
        yield Blocker(
            code="not-screened",
            step="columns",
            message=f"The columns of {name} have no confirmed roles, so its risk is not known.",
            fix="Say for each column what it means for privacy and save.",
            file=name,
        )
    elif access is AccessClass.OPEN and not verdict.passed:
        for reason in verdict.verdict.reasons:
            yield Blocker(
                code=reason.code,
                step="risk",
                message=f"{name}: {reason.message}",
                fix=reason.advice,
                file=name,
                overridable=reason.code not in _NOT_MEASURED,
            )


def _is_new(table: TableRecord) -> bool:
    return all(column.role is ColumnRole.UNASSIGNED for column in table.columns)


def documentation_type(name: str, content: bytes) -> str:
    """Return the media type of documentation; refuse what could be a table in disguise or do harm.

    Documentation is not screened, so it must not be a way around the screen: only PDF and
    Markdown are taken, and no Markdown whose lines look like rows of cells.

    Args:
        name: Of the file.
        content: The whole file, or more than the limit of it.

    Raises:
        DocumentationError: The file is of no allowed kind, or too large.
    """
    if len(content) > MAX_DOCUMENTATION_BYTES:
        limit = MAX_DOCUMENTATION_BYTES // 2**20
        raise DocumentationError(f"{name} is too large for documentation: {limit} MB are possible.")
    if content.startswith(_PDF):
        return "application/pdf"
    text = _text(content)
    if text is None or not name.lower().endswith(_MARKDOWN_SUFFIXES):
        raise DocumentationError(
            f"{name} is neither PDF nor Markdown. Convert it, or add it as a data file."
        )
    if _looks_like_a_table(text):
        raise DocumentationError(
            f"{name} looks like a table of data, which has to be screened. Add it as a data file."
        )
    return "text/markdown"


def about_sequences(name: str, sequences: SequenceFile) -> str:
    """Say why a file of sequences is not taken, what was seen in it, and what to do instead."""
    reads, human = sequences.found.reads, sequences.found.human
    seen = (
        f"Of the first {reads:,} sequences {human:,} look human: they can identify a person. Remove"
        " human reads before you give the file to anybody"
        if human
        else f"None of the first {reads:,} sequences looks human, but the check can miss some"
    )
    return (
        f"{name} holds sequences ({sequences.kind}) and is no table, so it cannot be screened."
        f" {seen}. Deposit reads in an archive for sequences, with controlled access where they may"
        " be human, and add the table that was made from them here."
    )


def _text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _looks_like_a_table(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < _TABLE_LINES:
        return False
    for delimiter in _DELIMITERS:
        counts = Counter(line.count(delimiter) for line in lines)
        cells, frequency = counts.most_common(1)[0]
        if cells > 0 and frequency >= _TABLE_SHARE * len(lines):
            return True
    return False
