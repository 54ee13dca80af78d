"""What can go wrong in the catalogue.

The tree::

    ValidationError
    ├── FileNameError            a file cannot have this name
    └── IncompleteVersionError   something that publication needs is missing
    ConflictError
    ├── NotADraftError           only drafts change
    └── OpenDraftError           the dataset has a draft already
    GoneError
    └── WithdrawnError           the data were withdrawn; the metadata stay
"""

from fairdatabase.kernel.errors import ConflictError, GoneError, ValidationError


class FileNameError(ValidationError):
    """A file cannot have this name."""

    code = "file-name"
    title = "The file name is not usable"


class IncompleteVersionError(ValidationError):
    """Something that publication needs is missing; ``details`` names each field and its fix."""

    code = "incomplete-version"
    title = "This cannot be published yet"


class NotADraftError(ConflictError):
    """The version was published or withdrawn: it never changes again."""

    code = "not-a-draft"
    title = "Only drafts change"


class OpenDraftError(ConflictError):
    """The dataset has an open draft already."""

    code = "open-draft"
    title = "There is a draft already"


class WithdrawnError(GoneError):
    """The data were withdrawn; the metadata stay as a tombstone."""

    code = "withdrawn"
    title = "These data were withdrawn"
