"""Use cases of policies: what tables have to fulfil, and which dataset or community asks more."""

from typing import Any
from uuid import UUID

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import Actor, Resource
from fairdatabase.catalog.service import Catalog
from fairdatabase.catalog.service.communities import Communities
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.privacy.errors import PolicyTooLooseError
from fairdatabase.privacy.models import CommunityPolicy, DatasetPolicy
from fairdatabase.privacy.repository import CommunityPolicyRepository, PolicyRepository
from fairdatabase.privacy.rules import looser, stricter
from fairdatabase.privacy.schemas.policies import (
    CommunityPolicyRecord,
    Policy,
    PolicyIn,
    PolicyRecord,
)


class Policies:
    """The one place that says which policy a dataset has."""

    def __init__(
        self,
        database: Database,
        *,
        catalog: Catalog,
        communities: Communities,
        audit: Audit,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._communities = communities
        self._audit = audit
        self._clock = clock
        self._policies = PolicyRepository(database)
        self._community_policies = CommunityPolicyRepository(database)
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

    def set(self, actor: Actor, version_public_id: str, wanted: PolicyIn) -> PolicyRecord:
        """Have the tables of a draft's dataset fulfil more than the instance asks.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            PolicyTooLooseError: It would ask less than the instance does.
        """
        asked = self._checked(wanted)
        with self._database.transaction():
            draft = self._catalog.require_draft(actor, version_public_id, lock=True)
            before = self._policies.get(draft.dataset_id)
            was = before.policy if before else None
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

    def show_community(self, slug: str) -> CommunityPolicyRecord:
        """Return the policy of a community.

        Raises:
            NotFoundError: There is no such community.
        """
        return self._of_community(self._communities.get(slug).id)

    def set_community(self, actor: Actor, slug: str, wanted: PolicyIn) -> CommunityPolicyRecord:
        """Have the tables of a community's datasets fulfil more than the instance asks.

        What is published already stays; drafts and new versions are judged by it.

        Raises:
            AuthenticationError: Nobody is signed in.
            PermissionDeniedError: The actor is no curator.
            NotFoundError: There is no such community.
            PolicyTooLooseError: It would ask less than the instance does.
        """
        community = self._communities.require_editor(actor, slug)
        asked = self._checked(wanted)
        with self._database.transaction():
            before = self._community_policies.get(community.id)
            was = before.policy if before else None
            self._community_policies.put(
                CommunityPolicy(
                    community_id=community.id,
                    policy=asked,
                    updated_by=actor.user_id,
                    updated_at=self._clock(),
                )
            )
            self._audit.record(
                actor,
                "community.policy-changed",
                Resource.COMMUNITY,
                slug,
                before=was,
                after=asked,
            )
            return self._of_community(community.id)

    def _checked(self, wanted: PolicyIn) -> dict[str, Any]:
        if less := looser(self.instance, wanted):
            raise PolicyTooLooseError(less)
        return wanted.model_dump(mode="json", exclude_none=True)

    def _of(self, dataset_id: UUID) -> PolicyRecord:
        with self._database.reading():
            row = self._policies.get(dataset_id)
            community = self._communities.of(dataset_id)
            held = self._of_community(community.id if community else None)
        asked = PolicyIn.model_validate(row.policy) if row else None
        return PolicyRecord(
            policy=stricter(held.policy, asked) if asked else held.policy,
            instance=self.instance,
            community=held.community,
            community_name=community.slug if community else None,
            dataset=asked,
        )

    def _of_community(self, community_id: UUID | None) -> CommunityPolicyRecord:
        with self._database.reading():
            row = self._community_policies.get(community_id) if community_id else None
        asked = PolicyIn.model_validate(row.policy) if row else None
        held = stricter(self.instance, asked) if asked else self.instance
        return CommunityPolicyRecord(policy=held, instance=self.instance, community=asked)
