"""From rows to the records that leave the feature."""

from fairdatabase.catalog.models import DataFile, Version
from fairdatabase.catalog.schemas import FileRecord, Metadata, VersionRecord, VersionSummary


def version_record(row: Version, naan: str) -> VersionRecord:
    """Return a version whose dataset and files are loaded.

    Args:
        row: The version.
        naan: Name assigning authority number of the identifiers.
    """
    return VersionRecord(
        id=row.id,
        dataset_id=row.dataset_id,
        owner_id=row.dataset.owner_id,
        public_id=row.public_id,
        dataset_public_id=row.dataset.public_id,
        number=row.number,
        state=row.state,
        access=row.access,
        identifier=f"ark:/{naan}/{row.public_id}",
        dataset_identifier=f"ark:/{naan}/{row.dataset.public_id}",
        metadata=Metadata.model_validate(row.record),
        files=tuple(FileRecord.model_validate(file) for file in row.files),
        created_at=row.created_at,
        updated_at=row.updated_at,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
        withdrawal_reason=row.withdrawal_reason,
        override_reason=row.override_reason,
    )


def file_record(row: DataFile) -> FileRecord:
    """Return a file."""
    return FileRecord.model_validate(row)


def version_summary(row: Version) -> VersionSummary:
    """Return a line of a list from a version whose dataset is loaded."""
    metadata = row.record
    return VersionSummary(
        public_id=row.public_id,
        dataset_public_id=row.dataset.public_id,
        number=row.number,
        state=row.state,
        access=row.access,
        title=row.title,
        description=metadata["description"],
        creators=tuple(creator["name"] for creator in metadata["creators"]),
        subjects=tuple(subject["term"] for subject in metadata["subjects"]),
        published_at=row.published_at,
        updated_at=row.updated_at,
    )
