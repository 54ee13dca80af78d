"""Use cases of policies: what tables have to fulfil, and who asks more."""

from uuid import UUID

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import Actor, Resource
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.privacy.errors import PolicyTooLooseError
from fairdatabase.privacy.models import DatasetPolicy
from fairdatabase.privacy.repository import PolicyRepository
from fairdatabase.privacy.rules import looser, stricter
from fairdatabase.privacy.schemas.policies import DatasetPolicyIn, Policy, PolicyRecord


class Policies:
    """The one place that says which policy a dataset has."""

    def __init__(
        self,
        database: Database,
        *,
        catalog: Catalog,
        audit: Audit,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._audit = audit
        self._clock = clock
        self._policies = PolicyRepository(database)
        self.instance = Policy(
            k=settings.policy_minimum_k,
            l=settings.policy_minimum_l,
            t=settings.policy_maximum_t,
            alpha=settings.policy_maximum_alpha,
            beta=settings.policy_maximum_beta,
            delta=settings.policy_maximum_delta,
            max_missing=settings.policy_maximum_missing,
            min_p29=settings.policy_minimum_p29,
            version_differences=settings.policy_version_differences,
        )
        """What every openly published table has to fulfil on this instance."""

    def policy_for(self, dataset_id: UUID) -> Policy:
        """Return what the openly published tables of a dataset have to fulfil."""
        return self._of(dataset_id).policy

    def show(self, actor: Actor, version_public_id: str) -> PolicyRecord:
        """Return the policy of a draft's dataset.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
        """
        return self._of(self._catalog.require_draft(actor, version_public_id).dataset_id)

    def set(self, actor: Actor, version_public_id: str, wanted: DatasetPolicyIn) -> PolicyRecord:
        """Have the tables of a draft's dataset fulfil more than the instance asks.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            PolicyTooLooseError: It would ask less than the instance does.
        """
        if less := looser(self.instance, wanted):
            raise PolicyTooLooseError(less)
        with self._database.transaction():
            draft = self._catalog.require_draft(actor, version_public_id, lock=True)
            before = self._policies.get(draft.dataset_id)
            was = before.policy if before else None
            asked = wanted.model_dump(mode="json", exclude_none=True)
            self._policies.put(
                DatasetPolicy(
                    dataset_id=draft.dataset_id,
                    policy=asked,
                    updated_by=actor.user_id,
                    updated_at=self._clock(),
                )
            )
            self._audit.record(
                actor,
                "dataset.policy-changed",
                Resource.DATASET,
                draft.public_id,
                before=was,
                after=asked,
            )
            return self._of(draft.dataset_id)

    def _of(self, dataset_id: UUID) -> PolicyRecord:
        with self._database.reading():
            row = self._policies.get(dataset_id)
        asked = DatasetPolicyIn.model_validate(row.policy) if row else None
        held = stricter(self.instance, asked) if asked else self.instance
        return PolicyRecord(policy=held, instance=self.instance, dataset=asked)
