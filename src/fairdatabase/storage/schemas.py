"""Records of the storage feature."""

from pydantic import Field

from fairdatabase.kernel.records import Record


class BlobRecord(Record):
    """Bytes in the store."""

    sha256: str = Field(description="SHA-256 checksum in lower-case hexadecimal digits.")
    size: int = Field(ge=0, description="Bytes.")


class FixityReport(Record):
    """What a fixity check found."""

    checked: int = Field(ge=0, description="Blobs that were read and hashed again.")
    damaged: tuple[str, ...] = Field(
        description="Checksums of blobs that are missing or are no longer what was stored."
    )
