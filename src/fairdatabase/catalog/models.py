"""Tables of the catalogue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql import ColumnElement

from fairdatabase.catalog.schemas import AccessClass, FileRole, VersionState
from fairdatabase.kernel.database import Base
from fairdatabase.kernel.identifiers import new_public_id, new_uuid


class Community(Base):
    """A group of people whose datasets belong together."""

    __tablename__ = "communities"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Dataset(Base):
    """The concept that all versions share; its identifier leads to the newest one."""

    __tablename__ = "datasets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    versions: Mapped[list["Version"]] = relationship(
        back_populates="dataset", lazy="raise", order_by="Version.number"
    )


class CommunityDataset(Base):
    """That a dataset belongs to a community: to one at most."""

    __tablename__ = "community_datasets"

    dataset_id: Mapped[UUID] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    community_id: Mapped[UUID] = mapped_column(
        ForeignKey("communities.id", ondelete="CASCADE"), index=True
    )


class Version(Base):
    """One state of a dataset: a draft, then published and never changed again."""

    __tablename__ = "versions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id"), index=True)
    number: Mapped[int]
    state: Mapped[VersionState]
    access: Mapped[AccessClass]
    title: Mapped[str] = mapped_column(String(500), default="")
    record: Mapped[dict[str, Any]] = mapped_column()
    """The metadata as ``catalog.schemas.Metadata`` writes it."""
    index_text: Mapped[str] = mapped_column(Text, default="", deferred=True)
    """Words of the files, such as column names, by which a search finds the version as well."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str | None] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text)
    """Why a curator published it although the privacy policy speaks against it."""
    dataset: Mapped[Dataset] = relationship(back_populates="versions", lazy="raise")
    files: Mapped[list["DataFile"]] = relationship(
        back_populates="version", lazy="raise", order_by="DataFile.position"
    )

    __table_args__ = (
        UniqueConstraint("dataset_id", "number"),
        Index("ix_versions_state_published", "state", "published_at"),
    )

    @hybrid_property
    def is_public(self) -> bool:
        """Whether everybody may read the metadata; a withdrawn version keeps its tombstone."""
        return self.state in {VersionState.PUBLISHED, VersionState.WITHDRAWN}

    @is_public.inplace.expression
    @classmethod
    def _is_public_sql(cls) -> ColumnElement[bool]:
        return cls.state.in_([VersionState.PUBLISHED, VersionState.WITHDRAWN])


class DataFile(Base):
    """A file of a version; its bytes are a blob of the storage feature."""

    __tablename__ = "files"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    version_id: Mapped[UUID] = mapped_column(
        ForeignKey("versions.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    role: Mapped[FileRole]
    sha256: Mapped[str] = mapped_column(ForeignKey("blobs.sha256"))
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(127))
    withheld: Mapped[bool] = mapped_column(default=False)
    """True where only the table made from the file leaves the house, never its bytes."""
    created_at: Mapped[datetime]
    version: Mapped[Version] = relationship(back_populates="files", lazy="raise")

    __table_args__ = (UniqueConstraint("version_id", "name"),)
