"""Tables of the privacy feature."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fairdatabase.kernel.database import Base
from fairdatabase.kernel.identifiers import new_public_id, new_uuid


class Screening(Base):
    """The stored verdict on one table: what was measured, by which policy, on which bytes."""

    __tablename__ = "screenings"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    table_id: Mapped[UUID] = mapped_column(ForeignKey("tables.id", ondelete="CASCADE"), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    """Checksum of the Parquet file that was measured."""
    roles: Mapped[dict[str, Any]]
    """Role of each column at the time; a verdict on other roles does not count."""
    passed: Mapped[bool]
    policy: Mapped[dict[str, Any]]
    verdict: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]

    def copy_for(self, table_id: UUID) -> "Screening":
        """Return the same verdict on a copy of the table."""
        return Screening(
            table_id=table_id,
            sha256=self.sha256,
            roles=self.roles,
            passed=self.passed,
            policy=self.policy,
            verdict=self.verdict,
            report=self.report,
            created_at=self.created_at,
        )


class ReleaseRecipe(Base):
    """The recipe that a release table was made by."""

    __tablename__ = "release_recipes"

    table_id: Mapped[UUID] = mapped_column(
        ForeignKey("tables.id", ondelete="CASCADE"), primary_key=True
    )
    recipe: Mapped[dict[str, Any]]
    effect: Mapped[dict[str, Any]]
    source_sha256: Mapped[str] = mapped_column(String(64))
    key_version: Mapped[int] = mapped_column(default=1)
    """Version of the dataset's pseudonym key it was made with."""
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]

    def copy_for(self, table_id: UUID) -> "ReleaseRecipe":
        """Return the same recipe for a copy of the release."""
        return ReleaseRecipe(
            table_id=table_id,
            recipe=self.recipe,
            effect=self.effect,
            source_sha256=self.source_sha256,
            key_version=self.key_version,
            created_by=self.created_by,
            created_at=self.created_at,
        )


class PseudonymKey(Base):
    """A version of a dataset's pseudonym key; the key itself is derived and stored nowhere."""

    __tablename__ = "pseudonym_keys"

    dataset_id: Mapped[UUID] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class DatasetPolicy(Base):
    """What the tables of one dataset have to fulfil beyond the policy of the instance."""

    __tablename__ = "dataset_policies"

    dataset_id: Mapped[UUID] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    policy: Mapped[dict[str, Any]]
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[datetime]


class CommunityPolicy(Base):
    """What the tables of a community's datasets have to fulfil beyond the instance's policy."""

    __tablename__ = "community_policies"

    community_id: Mapped[UUID] = mapped_column(
        ForeignKey("communities.id", ondelete="CASCADE"), primary_key=True
    )
    policy: Mapped[dict[str, Any]]
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[datetime]


class SavedRecipe(Base):
    """A recipe that somebody keeps for other files."""

    __tablename__ = "saved_recipes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    recipe: Mapped[dict[str, Any]]
    hierarchies: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("owner_id", "name"),)


class ColumnHierarchy(Base):
    """How the values of a column of a draft's file are generalised, as a person edited it."""

    __tablename__ = "column_hierarchies"

    file_id: Mapped[UUID] = mapped_column(
        ForeignKey("files.id", ondelete="CASCADE"), primary_key=True
    )
    column: Mapped[str] = mapped_column(String(1000), primary_key=True)
    hierarchy: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class RecipeSearch(Base):
    """The newest automatic search for a recipe of a file: what was asked and what was found."""

    __tablename__ = "recipe_searches"

    file_id: Mapped[UUID] = mapped_column(
        ForeignKey("files.id", ondelete="CASCADE"), primary_key=True
    )
    job_id: Mapped[str] = mapped_column(String(16))
    """Public id of the job that does it."""
    source_sha256: Mapped[str] = mapped_column(String(64))
    roles: Mapped[dict[str, Any]]
    request: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]


class RecipeDraft(Base):
    """The recipe that somebody is working on, before it is applied."""

    __tablename__ = "recipe_drafts"

    file_id: Mapped[UUID] = mapped_column(
        ForeignKey("files.id", ondelete="CASCADE"), primary_key=True
    )
    recipe: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
