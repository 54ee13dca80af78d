"""The matrix: resource x action x state -> who, with which scope, after which confirmation.

What is not in here nobody may do. ``docs/reference/authorisation.md`` shows it as a page.
"""

from typing import Final, NamedTuple

from fairdatabase.authorization.schemas import Action, Party, Resource, Scope, State


class Rule(NamedTuple):
    """Who may do something.

    Attributes:
        parties: Any one of them suffices.
        scope: What a personal access token needs; None: no token may do this, whatever its
            scopes, because it is for a person in a session. What is public needs none.
        confirmed: Whether the person must have proved a short while ago that it is them.
    """

    parties: frozenset[Party]
    scope: Scope | None = None
    confirmed: bool = False

    @property
    def is_public(self) -> bool:
        """Whether nobody needs an account for it."""
        return Party.EVERYBODY in self.parties


Key = tuple[Resource, Action, State]

_EVERYBODY: Final = frozenset({Party.EVERYBODY})
_ACCOUNTS: Final = frozenset({Party.MEMBER, Party.CURATOR, Party.ADMIN, Party.SERVICE})
_OWNER: Final = frozenset({Party.OWNER})
_STEWARDS: Final = frozenset({Party.OWNER, Party.CURATOR, Party.ADMIN})
_CURATORS: Final = frozenset({Party.CURATOR, Party.ADMIN})
_KEEPERS: Final = frozenset({Party.OWNER, Party.ADMIN})
_ADMINS: Final = frozenset({Party.ADMIN})

_READ, _WRITE = Scope.DATASETS_READ, Scope.DATASETS_WRITE
_ANY = State.ANY
_DATASET = Resource.DATASET

MATRIX: Final[dict[Key, Rule]] = {
    (Resource.PLATFORM, Action.READ, _ANY): Rule(_EVERYBODY),
    (Resource.PLATFORM, Action.DASHBOARD, _ANY): Rule(_ACCOUNTS),
    (Resource.ACCOUNT, Action.REGISTER, _ANY): Rule(_EVERYBODY),
    (Resource.ACCOUNT, Action.SIGN_IN, _ANY): Rule(_EVERYBODY),
    (Resource.ACCOUNT, Action.RECOVER, _ANY): Rule(_EVERYBODY),
    (Resource.ACCOUNT, Action.READ, _ANY): Rule(_OWNER, Scope.ACCOUNT_READ),
    (Resource.ACCOUNT, Action.CONFIRM, _ANY): Rule(_OWNER),
    (Resource.ACCOUNT, Action.EDIT, _ANY): Rule(_OWNER),
    (Resource.ACCOUNT, Action.PROTECT, _ANY): Rule(_OWNER, confirmed=True),
    (Resource.ACCOUNT, Action.EXPORT, _ANY): Rule(_OWNER, confirmed=True),
    (Resource.ACCOUNT, Action.DELETE, _ANY): Rule(_OWNER, confirmed=True),
    (Resource.TOKEN, Action.LIST, _ANY): Rule(_OWNER | _ADMINS),
    (Resource.TOKEN, Action.CREATE, _ANY): Rule(_OWNER, confirmed=True),
    (Resource.TOKEN, Action.ISSUE, _ANY): Rule(_ADMINS, confirmed=True),
    (Resource.TOKEN, Action.REVOKE, _ANY): Rule(_OWNER | _ADMINS),
    (Resource.SESSION, Action.LIST, _ANY): Rule(_OWNER),
    (Resource.SESSION, Action.REVOKE, _ANY): Rule(_OWNER),
    (Resource.USER, Action.LIST, _ANY): Rule(_ACCOUNTS, Scope.USERS_READ),
    (Resource.USER, Action.READ, _ANY): Rule(_STEWARDS, Scope.USERS_READ),
    (Resource.USER, Action.CREATE, _ANY): Rule(_ADMINS, confirmed=True),
    (Resource.USER, Action.CHANGE_ROLES, _ANY): Rule(_ADMINS, Scope.USERS_WRITE, confirmed=True),
    (Resource.USER, Action.DISABLE, _ANY): Rule(_ADMINS, Scope.USERS_WRITE, confirmed=True),
    (Resource.USER, Action.PROTECT, _ANY): Rule(_ADMINS, confirmed=True),
    (Resource.USER, Action.STATISTICS, _ANY): Rule(_CURATORS, Scope.USERS_READ),
    (Resource.INVITATION, Action.LIST, _ANY): Rule(_ADMINS, Scope.USERS_READ),
    (Resource.INVITATION, Action.CREATE, _ANY): Rule(_ADMINS, Scope.USERS_WRITE, confirmed=True),
    (Resource.INVITATION, Action.REVOKE, _ANY): Rule(_ADMINS, Scope.USERS_WRITE),
    (_DATASET, Action.LIST, _ANY): Rule(_EVERYBODY),
    (_DATASET, Action.CREATE, _ANY): Rule(_ACCOUNTS, _WRITE),
    (_DATASET, Action.READ, State.DRAFT): Rule(_STEWARDS, _READ),
    (_DATASET, Action.READ, State.OPEN): Rule(_EVERYBODY),
    (_DATASET, Action.READ, State.RESTRICTED): Rule(_EVERYBODY),
    (_DATASET, Action.READ, State.WITHDRAWN): Rule(_EVERYBODY),
    (_DATASET, Action.READ_DATA, State.DRAFT): Rule(_STEWARDS, _READ),
    (_DATASET, Action.READ_DATA, State.OPEN): Rule(_EVERYBODY),
    (_DATASET, Action.READ_DATA, State.RESTRICTED): Rule(_STEWARDS, _READ),
    (_DATASET, Action.READ_DATA, State.WITHDRAWN): Rule(_STEWARDS, _READ),
    (_DATASET, Action.INSPECT, State.DRAFT): Rule(_STEWARDS, _READ),
    (_DATASET, Action.INSPECT, State.OPEN): Rule(_STEWARDS, _READ),
    (_DATASET, Action.INSPECT, State.RESTRICTED): Rule(_STEWARDS, _READ),
    (_DATASET, Action.INSPECT, State.WITHDRAWN): Rule(_STEWARDS, _READ),
    (_DATASET, Action.EDIT, State.DRAFT): Rule(_STEWARDS, _WRITE),
    (_DATASET, Action.DISCARD, State.DRAFT): Rule(_STEWARDS, _WRITE),
    (_DATASET, Action.PUBLISH, State.DRAFT): Rule(_STEWARDS, _WRITE),
    (_DATASET, Action.OVERRIDE, State.DRAFT): Rule(_CURATORS, confirmed=True),
    (_DATASET, Action.ROTATE_KEY, State.DRAFT): Rule(_KEEPERS, confirmed=True),
    (_DATASET, Action.ROTATE_KEY, State.OPEN): Rule(_KEEPERS, confirmed=True),
    (_DATASET, Action.ROTATE_KEY, State.RESTRICTED): Rule(_KEEPERS, confirmed=True),
    (_DATASET, Action.RELINK, State.DRAFT): Rule(_OWNER, confirmed=True),
    (_DATASET, Action.RELINK, State.OPEN): Rule(_OWNER, confirmed=True),
    (_DATASET, Action.RELINK, State.RESTRICTED): Rule(_OWNER, confirmed=True),
    (_DATASET, Action.RELINK, State.WITHDRAWN): Rule(_OWNER, confirmed=True),
    (_DATASET, Action.REVISE, State.OPEN): Rule(_STEWARDS, _WRITE),
    (_DATASET, Action.REVISE, State.RESTRICTED): Rule(_STEWARDS, _WRITE),
    (_DATASET, Action.WITHDRAW, State.OPEN): Rule(_STEWARDS, confirmed=True),
    (_DATASET, Action.WITHDRAW, State.RESTRICTED): Rule(_STEWARDS, confirmed=True),
    (Resource.COMMUNITY, Action.LIST, _ANY): Rule(_EVERYBODY),
    (Resource.COMMUNITY, Action.READ, _ANY): Rule(_EVERYBODY),
    (Resource.COMMUNITY, Action.CREATE, _ANY): Rule(_CURATORS),
    (Resource.COMMUNITY, Action.EDIT, _ANY): Rule(_CURATORS),
    (Resource.KNOWLEDGE, Action.READ, _ANY): Rule(_EVERYBODY),
    (Resource.KNOWLEDGE, Action.INSPECT, _ANY): Rule(_CURATORS),
    (Resource.KNOWLEDGE, Action.CREATE, _ANY): Rule(_CURATORS),
    (Resource.KNOWLEDGE, Action.ADD_FOLDER, _ANY): Rule(_ADMINS),
    (Resource.KNOWLEDGE, Action.EDIT, _ANY): Rule(_CURATORS),
    (Resource.KNOWLEDGE, Action.DISCARD, _ANY): Rule(_CURATORS),
    (Resource.JOB, Action.READ, _ANY): Rule(_STEWARDS, _READ),
    (Resource.JOB, Action.DISCARD, _ANY): Rule(_STEWARDS, _WRITE),
    (Resource.AUDIT, Action.READ, _ANY): Rule(_ADMINS, Scope.AUDIT_READ),
    (Resource.AUDIT, Action.EXPORT, _ANY): Rule(_ADMINS, Scope.AUDIT_READ, confirmed=True),
}
