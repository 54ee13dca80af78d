"""Records of the mail feature."""

from datetime import datetime
from typing import Annotated

from pydantic import EmailStr, Field, StringConstraints

from fairdatabase.kernel.records import Closed, Record

# One line: what ends a header would begin the next one.
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]+$")]


class Letter(Closed, Record):
    """A plain text for one person."""

    to: EmailStr
    subject: Line = Field(max_length=200)
    text: str = Field(min_length=1, max_length=20_000)
    kind: str = Field(pattern=r"^[a-z][a-z-]*$", max_length=64)
    """What it is about, for logs and filters; never who it is to."""


class KeptLetter(Record):
    """A letter that was written to the folder instead of being sent."""

    id: str
    to: str
    subject: str
    text: str
    kind: str
    written_at: datetime
