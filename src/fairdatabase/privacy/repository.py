"""Every SELECT of the privacy feature, named by its question."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select

from fairdatabase.kernel.database import Repository
from fairdatabase.privacy.models import (
    ColumnHierarchy,
    CommunityPolicy,
    DatasetPolicy,
    PseudonymKey,
    RecipeDraft,
    RecipeSearch,
    ReleaseRecipe,
    SavedRecipe,
    Screening,
)


class ScreeningRepository(Repository[Screening]):
    """Stored verdicts."""

    model = Screening

    def of_tables(self, table_ids: Collection[UUID]) -> Sequence[Screening]:
        """Return the verdicts on these tables in one query."""
        return self._session.scalars(
            select(Screening).where(Screening.table_id.in_(table_ids))
        ).all()

    def remove(self, table_id: UUID) -> None:
        """Forget the verdict on a table."""
        self._session.execute(delete(Screening).where(Screening.table_id == table_id))


class RecipeRepository(Repository[ReleaseRecipe]):
    """Recipes that release tables were made by."""

    model = ReleaseRecipe


class PseudonymKeyRepository(Repository[PseudonymKey]):
    """Versions of pseudonym keys; the first one of a dataset has no row."""

    model = PseudonymKey

    def newest(self, dataset_id: UUID) -> int | None:
        """Return the number of a dataset's newest version, if it was ever changed."""
        return self._session.scalar(
            select(func.max(PseudonymKey.version)).where(PseudonymKey.dataset_id == dataset_id)
        )

    def of_dataset(self, dataset_id: UUID) -> Sequence[PseudonymKey]:
        """Return the versions that a dataset was given, in their order."""
        return self._session.scalars(
            select(PseudonymKey)
            .where(PseudonymKey.dataset_id == dataset_id)
            .order_by(PseudonymKey.version)
        ).all()


class PolicyRepository(Repository[DatasetPolicy]):
    """Policies of single datasets."""

    model = DatasetPolicy


class CommunityPolicyRepository(Repository[CommunityPolicy]):
    """Policies of communities."""

    model = CommunityPolicy


class RecipeDraftRepository(Repository[RecipeDraft]):
    """Recipes that are being worked on."""

    model = RecipeDraft


class SearchRepository(Repository[RecipeSearch]):
    """The newest automatic search of each file."""

    model = RecipeSearch


class SavedRecipeRepository(Repository[SavedRecipe]):
    """Recipes that people keep."""

    model = SavedRecipe

    def of_owner(self, owner_id: UUID) -> Sequence[SavedRecipe]:
        """Return somebody's recipes by their names."""
        return self._session.scalars(
            select(SavedRecipe).where(SavedRecipe.owner_id == owner_id).order_by(SavedRecipe.name)
        ).all()

    def named(self, owner_id: UUID, name: str) -> SavedRecipe | None:
        """Return somebody's recipe of this name."""
        return self._session.scalar(
            select(SavedRecipe).where(SavedRecipe.owner_id == owner_id, SavedRecipe.name == name)
        )

    def find(self, owner_id: UUID, public_id: str) -> SavedRecipe | None:
        """Return somebody's recipe by its identifier."""
        return self._session.scalar(
            select(SavedRecipe).where(
                SavedRecipe.owner_id == owner_id, SavedRecipe.public_id == public_id
            )
        )

    def remove(self, recipe: SavedRecipe) -> None:
        """Forget a recipe."""
        self._session.delete(recipe)


class HierarchyRepository(Repository[ColumnHierarchy]):
    """Hierarchies that people edited."""

    model = ColumnHierarchy

    def of_file(self, file_id: UUID) -> Sequence[ColumnHierarchy]:
        """Return the edited hierarchies of a file."""
        return self._session.scalars(
            select(ColumnHierarchy).where(ColumnHierarchy.file_id == file_id)
        ).all()

    def remove(self, file_id: UUID, column: str) -> None:
        """Go back to the hierarchy that is proposed."""
        self._session.execute(
            delete(ColumnHierarchy).where(
                ColumnHierarchy.file_id == file_id, ColumnHierarchy.column == column
            )
        )
