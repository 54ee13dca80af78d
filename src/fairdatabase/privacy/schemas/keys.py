"""Records of pseudonym keys."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from fairdatabase.kernel.records import Closed, Record

MAX_VALUES = 1000


class KeyVersion(Record):
    """A version of a dataset's pseudonym key; the key itself is shown to nobody."""

    version: int = Field(ge=1)
    created_at: datetime | None = Field(description="None for the first version.")


class RelinkIn(Closed):
    """Original values whose pseudonyms are wanted."""

    column: str = Field(min_length=1, max_length=1000, description="Column of the release.")
    values: list[Annotated[str, StringConstraints(max_length=10_000)]] = Field(
        min_length=1,
        max_length=MAX_VALUES,
        description="As they stand in the table that was deposited.",
        json_schema_extra={"example": ["P-0017", "P-0042"]},
    )


class Relinked(Record):
    """An original value and its pseudonym in the release."""

    value: str
    pseudonym: str
