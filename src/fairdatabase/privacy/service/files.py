"""Privacy of files on disk: no instance, no database, no accounts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fairdatabase.kernel.errors import ConflictError, ValidationError
from fairdatabase.privacy.engine import anonymise, detect, risk
from fairdatabase.privacy.engine.fingerprints import find_fingerprints
from fairdatabase.privacy.engine.outlook import Models
from fairdatabase.privacy.engine.risk import NO_MODELS
from fairdatabase.privacy.engine.versions import compare_versions
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.rules import judge
from fairdatabase.privacy.schemas import Recipe, ReleaseEffect, VersionRisk
from fairdatabase.privacy.schemas.files import (
    FileAssessment,
    FileRelease,
    FileRoles,
    FileSuggestions,
)
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.tables.engine.export import export
from fairdatabase.tables.engine.ingest import ingest
from fairdatabase.tables.schemas import (
    ColumnRole,
    ColumnSchema,
    ExportFormat,
    IngestOptions,
    QuerySpec,
)

LOOKS_DIRECT = 0.8
"""Confidence from which on a column nobody spoke of counts as a direct identifier."""

_FORMATS = {
    ".csv": ExportFormat.CSV,
    ".tsv": ExportFormat.TSV,
    ".jsonl": ExportFormat.JSON_LINES,
    ".parquet": ExportFormat.PARQUET,
}


@dataclass(frozen=True)
class _Opened:
    """A file as a table.

    Attributes:
        name: Of the file.
        parquet: Its table.
        columns: Of the table.
        rejected: Rows that could not be read.
    """

    name: str
    parquet: Path
    columns: tuple[ColumnSchema, ...]
    rejected: int


@contextmanager
def _opened(file: Path) -> Iterator[_Opened]:
    """Read a file of any format that the platform takes, into a folder that disappears again."""
    with TemporaryDirectory(prefix="fairdatabase-") as folder:
        target = Path(folder) / "table.parquet"
        found = ingest(
            file, file.name, target, options=IngestOptions(), progress=lambda _share, _what: None
        )
        yield _Opened(file.name, target, found.columns, found.report.rows_rejected)


def assess_file(
    file: Path,
    roles: FileRoles,
    policy: Policy,
    *,
    population: Path | None = None,
    models: Models = NO_MODELS,
    subject: str | None = None,
) -> FileAssessment:
    """Measure the risk of a file and hold it against a policy.

    Args:
        file: CSV, TSV, Excel, Parquet or JSON Lines.
        roles: What its columns mean.
        policy: What it has to fulfil.
        population: File with the same quasi-identifiers of everybody.
        models: What to measure beside the groups.
        subject: Column that says whose sample it is, where the file has abundances of taxa.

    Raises:
        AssessmentError: A column does not exist, or does not fit.
        TableError: A file cannot be read as a table.
    """
    with _opened(file) as table:
        if population is None:
            return _assessed(table, roles, policy, models, subject)
        with _opened(population) as people:
            models = replace(models, population=people.parquet, population_columns=people.columns)
            return _assessed(table, roles, policy, models, subject)


def detect_file(file: Path) -> FileSuggestions:
    """Suggest what the columns of a file mean for privacy.

    Raises:
        TableError: The file cannot be read as a table.
    """
    with _opened(file) as table:
        found = detect.suggest_roles(table.parquet, table.columns)
        return FileSuggestions(file=table.name, suggestions=tuple(found))


def compare_files(earlier: Path, later: Path, roles: FileRoles, *, k: int) -> VersionRisk:
    """Find groups whose difference between two files is about fewer than k people.

    Raises:
        AssessmentError: A column is not in both files.
        TableError: A file cannot be read as a table.
    """
    with _opened(earlier) as before, _opened(later) as after:
        return compare_versions(
            before.parquet,
            after.parquet,
            quasi_identifiers=roles.quasi_identifiers,
            sensitive=roles.sensitive,
            k=k,
            earlier_columns=before.columns,
            later_columns=after.columns,
        )


def anonymise_file(
    file: Path,
    target: Path,
    recipe: Recipe,
    roles: FileRoles,
    policy: Policy,
    *,
    key: bytes | None = None,
) -> FileRelease:
    """Make a release of a file by a recipe, and measure what was written.

    Args:
        file: CSV, TSV, Excel, Parquet or JSON Lines.
        target: New file; its ending says the format: csv, tsv, jsonl or parquet.
        recipe: How the release is made.
        roles: What the columns of the file mean.
        policy: What the release has to fulfil.
        key: Key of its pseudonyms.

    Raises:
        RecipeError: The recipe does not fit the file.
        ConflictError: The target exists already.
        TableError: The file cannot be read as a table.
    """
    _check_target(target)
    with _opened(file) as table:
        before = _assessed(table, roles, policy)
        columns = [c.model_copy(update={"role": before.roles[c.name]}) for c in table.columns]
        made = table.parquet.with_name("release.parquet")
        effect = anonymise.apply(
            table.parquet,
            made,
            recipe,
            quasi_identifiers=roles.quasi_identifiers,
            columns=columns,
            key=key,
        )
        _write(made, effect.columns, target)
    left = {column.name: column.role for column in effect.columns}
    with _opened(target) as written:
        after = _assessed(written, _roles_left(roles, left), policy)
    return FileRelease(
        source=before,
        effect=ReleaseEffect(**effect.model_dump(include=set(ReleaseEffect.model_fields))),
        release=after,
    )


def _check_target(target: Path) -> None:
    if target.suffix.lower() not in _FORMATS:
        raise ValidationError(f"A release is one of: {', '.join(_FORMATS)}.")
    if target.exists():
        raise ConflictError(f"{target} exists already. Choose another place for the release.")


def _roles_left(roles: FileRoles, left: dict[str, ColumnRole]) -> FileRoles:
    """Return the roles of the columns that the recipe left, pseudonyms not taken for names."""
    return FileRoles(
        quasi_identifiers=tuple(name for name in roles.quasi_identifiers if name in left),
        sensitive=tuple(name for name in roles.sensitive if name in left),
        insensitive=tuple(name for name, role in left.items() if role is ColumnRole.INSENSITIVE),
    )


def _write(made: Path, columns: Sequence[ColumnSchema], target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    spec = QuerySpec()
    try:
        with part.open("wb") as stream:
            stream.writelines(export(made, columns, spec, _FORMATS[target.suffix.lower()]))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _assessed(
    table: _Opened,
    roles: FileRoles,
    policy: Policy,
    models: Models = NO_MODELS,
    subject: str | None = None,
) -> FileAssessment:
    report = risk.assess(
        table.parquet,
        quasi_identifiers=roles.quasi_identifiers,
        sensitive=roles.sensitive,
        columns=table.columns,
        thresholds=policy.thresholds,
        missing=policy.missing,
        models=models,
    )
    meanings = _meanings(table, roles)
    columns = [each.model_copy(update={"role": meanings[each.name]}) for each in table.columns]
    found = find_fingerprints(table.parquet, columns, subject=subject)
    report = report.model_copy(update={"fingerprints": found})
    return FileAssessment(
        file=table.name,
        rejected_rows=table.rejected,
        roles=meanings,
        policy=policy,
        report=report,
        verdict=judge(report, meanings, policy),
    )


def _meanings(table: _Opened, roles: FileRoles) -> dict[str, ColumnRole]:
    named = {
        **dict.fromkeys(roles.insensitive, ColumnRole.INSENSITIVE),
        **dict.fromkeys(roles.quasi_identifiers, ColumnRole.QUASI_IDENTIFIER),
        **dict.fromkeys(roles.sensitive, ColumnRole.SENSITIVE),
    }
    unknown = sorted(set(named) - {column.name for column in table.columns})
    if unknown:
        raise AssessmentError(f"The table has no column {', '.join(map(repr, unknown))}.")
    rest = [column for column in table.columns if column.name not in named]
    direct = {
        suggestion.column
        for suggestion in detect.suggest_roles(table.parquet, rest)
        if suggestion.role is ColumnRole.DIRECT_IDENTIFIER and suggestion.confidence >= LOOKS_DIRECT
    }
    return {
        column.name: named.get(
            column.name,
            ColumnRole.DIRECT_IDENTIFIER if column.name in direct else ColumnRole.INSENSITIVE,
        )
        for column in table.columns
    }
