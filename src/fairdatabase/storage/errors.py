"""Errors of the storage feature."""

from fairdatabase.kernel.errors import UnavailableError, ValidationError


class BlobMissingError(UnavailableError):
    """The catalogue knows these bytes and the store does not have them.

    Args:
        sha256: Checksum of the bytes.
    """

    code = "blob-missing"
    title = "The file is not in the store"

    def __init__(self, sha256: str) -> None:
        super().__init__(
            "The bytes of this file are not in the store at the moment. Please tell the admin,"
            " who can put them back from the backup.",
            details={"sha256": sha256},
        )


class InfectedFileError(ValidationError):
    """The virus scanner of the instance found something in a file."""

    code = "file-infected"
    title = "The file may do harm"
