"""Use cases of reports: what was measured and done, signed by the instance."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fairdatabase import __version__
from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.rules import looks_after
from fairdatabase.catalog.schemas import FileRecord, VersionRecord, VersionState
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import ConflictError, NotFoundError, PermissionDeniedError
from fairdatabase.privacy.formats.provenance import without_values
from fairdatabase.privacy.formats.report_html import write_html
from fairdatabase.privacy.formats.signature import (
    canonical,
    public_text,
    sealed,
    sign,
    signing_key,
)
from fairdatabase.privacy.schemas import (
    Reason,
    ReleaseRecord,
    RiskReport,
)
from fairdatabase.privacy.schemas.reports import (
    MeasuredTable,
    Measures,
    PrivacyReport,
    ReportedColumn,
    ReportedReason,
    ReportFormat,
    SignedReport,
)
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.privacy.service import Privacy
from fairdatabase.tables.schemas import TableKind, TableRecord
from fairdatabase.tables.service import Tables

KEY_ADDRESS = "/.well-known/fairdatabase/report-keys.json"
MEDIA_TYPES = {
    ReportFormat.JSON: "application/vnd.fairdatabase.privacy-report+json",
    ReportFormat.HTML: "text/html; charset=utf-8",
    ReportFormat.PDF: "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A report on its way out."""

    name: str
    media_type: str
    content: bytes


class Reports:
    """Writes what the gate found about a file's tables, and signs it."""

    def __init__(
        self,
        *,
        privacy: Privacy,
        tables: Tables,
        catalog: Catalog,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._privacy = privacy
        self._tables = tables
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._key = signing_key(settings.data_key.get_secret_value().encode())

    def public_keys(self) -> dict[str, object]:
        """Return the public key of reports as a JWK Set (RFC 8037)."""
        shape = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
        return {"keys": [{**shape, "x": public_text(self._key)}]}

    def write(self, actor: Actor, file_public_id: str, kind: ReportFormat) -> Document:
        """Return the signed report on a file, for those who look after its dataset.

        Raises:
            NotFoundError: There is no such file or table, or the actor may not know of it.
            PermissionDeniedError: The dataset is somebody else's.
            ConflictError: The table that leaves the house was not measured as it is now.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="metadata")
        if not looks_after(actor, version):
            raise PermissionDeniedError("The report is for those who look after the dataset.")
        report = self._report(actor, version, file)
        stem = file.name.rpartition(".")[0] or file.name
        return Document(
            name=f"{stem}.privacy-report.{kind.value}",
            media_type=MEDIA_TYPES[kind],
            content=self._written(report, kind),
        )

    def _written(self, report: PrivacyReport, kind: ReportFormat) -> bytes:
        if kind is ReportFormat.JSON:
            told = report.model_dump(mode="json")
            signature = sign(canonical(told), report.hashes, self._key)
            signed = SignedReport(report=report, signature=signature)
            return signed.model_dump_json(indent=2).encode() + b"\n"
        document = write_html(report) if kind is ReportFormat.HTML else _pdf(report)
        return sealed(document, kind.value, report.hashes, self._key)

    def _report(self, actor: Actor, version: VersionRecord, file: FileRecord) -> PrivacyReport:
        tables = self._tables.of_files([file.id]).get(file.id, {})
        source, release = tables.get(TableKind.SOURCE), tables.get(TableKind.RELEASE)
        if source is None:
            raise NotFoundError(f"The file {file.name} was not read as a table.")
        leaving = release or source
        verdicts = self._verdicts(version, [table for table in (source, release) if table])
        judged = verdicts.get(leaving.id)
        if judged is None:
            message = "The table was not measured as it is now. Have it measured and come back."
            raise ConflictError(message)
        made = self._privacy.recipe(actor, file.public_id)
        return PrivacyReport(
            issued_at=self._clock(),
            instance=self._instance(),
            dataset=_dataset(version),
            file={"name": file.name, "public_id": file.public_id, "sha256": file.sha256},
            policy=judged.policy,
            columns=tuple(
                ReportedColumn(name=each.name, type=each.type.value, role=each.role.value)
                for each in leaving.columns
            ),
            source=self._measured(source, verdicts),
            release=self._measured(release, verdicts) if release else None,
            passed=judged.passed,
            reasons=_told(judged.verdict.reasons),
            warnings=_told(judged.verdict.warnings),
            override_reason=version.override_reason,
            **_done(made),
        )

    def _verdicts(
        self, version: VersionRecord, tables: list[TableRecord]
    ) -> dict[UUID, ScreeningRecord]:
        """Return the verdicts by the policy of now for a draft, and of its publication after."""
        if version.state is VersionState.DRAFT:
            return self._privacy.of_draft(version.dataset_id, version.files, tables)
        return self._privacy.of_tables(tables)

    def _measured(self, table: TableRecord, verdicts: dict[UUID, ScreeningRecord]) -> MeasuredTable:
        found = verdicts.get(table.id)
        return MeasuredTable(
            sha256=table.sha256,
            csv_sha256=self._tables.csv_sha256(table),
            columns=len(table.columns),
            measures=measures(found.report) if found else None,
            measured_at=found.created_at if found else None,
        )

    def _instance(self) -> dict[str, str]:
        settings = self._settings
        return {
            "name": settings.site_name,
            "url": settings.public_url,
            "software": f"FAIRDatabase {__version__}",
            "key_url": f"{settings.public_url}{KEY_ADDRESS}",
        }


_TOLD = {"code", "message", "advice", "rows"}


def _pdf(report: PrivacyReport) -> bytes:
    # Fonts and images take half a second to import, which most processes do without.
    from fairdatabase.privacy.formats.report_pdf import write_pdf  # noqa: PLC0415

    return write_pdf(report)


def _told(reasons: Iterable[Reason]) -> tuple[ReportedReason, ...]:
    return tuple(ReportedReason.model_validate(each.model_dump(include=_TOLD)) for each in reasons)


def measures(report: RiskReport) -> Measures:
    """Return the measures of a report without its groups."""
    return Measures.model_validate(report.model_dump())


def _dataset(version: VersionRecord) -> dict[str, str]:
    return {
        "title": version.metadata.title,
        "identifier": version.identifier,
        "version": str(version.number),
        "state": version.state.value,
        "access": version.access.value,
    }


def _done(made: ReleaseRecord | None) -> dict[str, Any]:
    if made is None:
        return {"recipe": None, "effect": None, "key_version": None}
    return {
        "recipe": without_values(made.recipe),
        "effect": made.effect,
        "key_version": made.key_version,
    }
