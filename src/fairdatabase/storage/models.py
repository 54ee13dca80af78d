"""Tables of the storage feature."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from fairdatabase.kernel.database import Base


class Blob(Base):
    """Bytes that are kept, known by their SHA-256 checksum."""

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    stored_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    damaged_at: Mapped[datetime | None]
