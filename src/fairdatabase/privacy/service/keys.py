"""Use cases of pseudonym keys: versions, rotation, and linking values to their pseudonyms."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.catalog.rules import looks_after, require_act
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, NotFoundError, PermissionDeniedError
from fairdatabase.privacy.engine.pseudonyms import dataset_key, pseudonym
from fairdatabase.privacy.errors import RecipeError
from fairdatabase.privacy.models import PseudonymKey
from fairdatabase.privacy.repository import PseudonymKeyRepository, RecipeRepository
from fairdatabase.privacy.schemas import Recipe
from fairdatabase.privacy.schemas.keys import KeyVersion, Relinked, RelinkIn
from fairdatabase.tables.schemas import TableKind
from fairdatabase.tables.service import Tables


class Pseudonyms:
    """Keys of pseudonyms: derived when they are needed, never stored and never shown.

    The key of a dataset's version n is HKDF-SHA-256(the instance's master key, salt = the dataset's
    id, info = purpose/n). The database knows only which versions there are.
    """

    def __init__(
        self,
        database: Database,
        *,
        tables: Tables,
        catalog: Catalog,
        audit: Audit,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._tables = tables
        self._catalog = catalog
        self._audit = audit
        self._master = settings.pseudonym_key.get_secret_value().encode()
        self._clock = clock
        self._keys = PseudonymKeyRepository(database)
        self._recipes = RecipeRepository(database)

    def current_version(self, dataset_id: UUID) -> int:
        """Return the version that releases made from now on are made with."""
        with self._database.reading():
            return self._keys.newest(dataset_id) or 1

    def key(self, dataset_id: UUID, version: int) -> bytes:
        """Return a key; for services that make releases."""
        return dataset_key(self._master, dataset_id, version)

    def versions(self, actor: Actor, dataset_public_id: str) -> Sequence[KeyVersion]:
        """Return the versions of a dataset's key, for those who look after it.

        Raises:
            NotFoundError: There is no such dataset, or the actor may not know of it.
            PermissionDeniedError: It is somebody else's.
        """
        version = self._catalog.get_dataset(actor, dataset_public_id)
        if not looks_after(actor, version):
            raise PermissionDeniedError("The keys are for those who look after the dataset.")
        with self._database.reading():
            later = self._keys.of_dataset(version.dataset_id)
            first = KeyVersion(version=1, created_at=None)
            return (first, *(KeyVersion.model_validate(row) for row in later))

    def rotate(self, actor: Actor, dataset_public_id: str) -> KeyVersion:
        """Give a dataset a new key, which releases are made with from now on.

        What was released keeps its pseudonyms; they cannot be joined with those of the new key.

        Raises:
            NotFoundError: There is no such dataset, or the actor may not know of it.
            PermissionDeniedError: It is somebody else's, or was not confirmed.
            ConflictError: Somebody else did it a moment ago.
        """
        version = self._catalog.get_dataset(actor, dataset_public_id)
        require_act(actor, Action.ROTATE_KEY, version)
        try:
            with self._database.transaction():
                before = self._keys.newest(version.dataset_id) or 1
                row = self._keys.add(
                    PseudonymKey(
                        dataset_id=version.dataset_id,
                        version=before + 1,
                        created_by=actor.user_id,
                        created_at=self._clock(),
                    )
                )
                self._audit.record(
                    actor,
                    "dataset.key-rotated",
                    Resource.DATASET,
                    version.public_id,
                    before={"key_version": before},
                    after={"key_version": row.version},
                )
                return KeyVersion.model_validate(row)
        except IntegrityError:
            message = "Somebody else changed the key a moment ago. Please look at it again."
            raise ConflictError(message) from None

    def relink(self, actor: Actor, file_public_id: str, wanted: RelinkIn) -> tuple[Relinked, ...]:
        """Return the pseudonyms that original values have in a file's release.

        The way back, from a pseudonym to its value, does not exist: whoever has the original
        values looks theirs up. Every use is recorded, with how many values and never which.

        Raises:
            NotFoundError: There is no such file, or it has no release.
            PermissionDeniedError: The dataset is somebody else's, or it was not confirmed.
            RecipeError: The column holds no pseudonyms, or not of the values themselves.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="metadata")
        require_act(actor, Action.RELINK, version)
        table = self._tables.of_file(file.id, TableKind.RELEASE)
        with self._database.transaction():
            made = self._recipes.get(table.id) if table else None
            if made is None:
                raise NotFoundError("The file has no release, so there are no pseudonyms.")
            _require_pseudonyms(Recipe.model_validate(made.recipe), wanted.column)
            told = {
                "column": wanted.column,
                "values": len(wanted.values),
                "key_version": made.key_version,
            }
            self._catalog.record_file_act(actor, file.id, "dataset.relinked", after=told)
            key = self.key(version.dataset_id, made.key_version)
            return tuple(
                Relinked(value=value, pseudonym=pseudonym(value, key)) for value in wanted.values
            )


def _require_pseudonyms(recipe: Recipe, column: str) -> None:
    steps = [step.op for step in recipe.steps if getattr(step, "column", None) == column]
    if "pseudonymise" not in steps or "drop" in steps:
        raise RecipeError(f"The column {column!r} of the release holds no pseudonyms.")
    if steps != ["pseudonymise"]:
        raise RecipeError(
            f"The recipe changes {column!r} by further steps, so its pseudonyms are not those of"
            " the original values. Look at the recipe."
        )
