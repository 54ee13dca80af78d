"""What can go wrong with deposits.

::

    PolicyError
    └── NotPublishableError   the gate keeps the deposit from being published
    ValidationError
    ├── DocumentationError    a documentation file is of no allowed kind
    └── SequenceFileError     a file holds sequence reads, which cannot be screened
"""

from fairdatabase.kernel.errors import PolicyError, ValidationError


class NotPublishableError(PolicyError):
    """The deposit cannot be published as it is; ``details`` lists every reason with its fix."""

    code = "not-publishable"
    title = "The deposit cannot be published yet"


class DocumentationError(ValidationError):
    """A file that was sent as documentation could hold data, or could do harm."""

    code = "documentation-refused"
    title = "This file cannot be used as documentation"


class SequenceFileError(ValidationError):
    """A file holds sequence reads: they are no table, and human ones identify people."""

    code = "sequences-refused"
    title = "Sequence reads are not taken"
