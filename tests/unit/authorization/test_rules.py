"""The matrix decides, and what it does not know it refuses."""

from dataclasses import replace
from itertools import product
from uuid import UUID, uuid4

import pytest

from fairdatabase.authorization.errors import ConfirmationRequiredError, ScopeError
from fairdatabase.authorization.rules import (
    may,
    require,
    require_route,
    require_user,
    useful_scopes,
)
from fairdatabase.authorization.rules.matrix import MATRIX
from fairdatabase.authorization.rules.routes import ROUTES, TOOLS
from fairdatabase.authorization.schemas import (
    ANONYMOUS,
    OPERATOR,
    Action,
    Actor,
    Party,
    Resource,
    Role,
    Scope,
    State,
)
from fairdatabase.kernel.errors import AuthenticationError, PermissionDeniedError

OWNER = uuid4()


def someone(*roles: Role, owner: bool = False) -> Actor:
    return Actor(user_id=OWNER if owner else uuid4(), roles=frozenset(roles), confirmed=True)


ASKING = {
    Party.EVERYBODY: ANONYMOUS,
    Party.OWNER: someone(owner=True),
    Party.MEMBER: someone(Role.MEMBER),
    Party.CURATOR: someone(Role.CURATOR),
    Party.ADMIN: someone(Role.ADMIN),
    Party.SERVICE: someone(Role.SERVICE),
}


@pytest.mark.parametrize("resource", Resource)
def test_the_decision_is_what_the_matrix_says(resource: Resource) -> None:
    for action, state, (party, actor) in product(Action, State, ASKING.items()):
        rule = MATRIX.get((resource, action, state))
        admitted = rule.parties if rule else frozenset()
        expected = party in admitted or Party.EVERYBODY in admitted
        found = may(actor, resource, action, state=state, owner_id=OWNER)
        assert found is expected, (action, state, party)


def test_what_belongs_to_nobody_has_no_owner() -> None:
    nobody = Actor(user_id=None)
    assert not may(nobody, Resource.JOB, Action.READ, owner_id=None)
    assert not may(someone(Role.MEMBER), Resource.JOB, Action.READ, owner_id=None)


@pytest.mark.parametrize(
    ("actor", "error", "words"),
    [
        (ANONYMOUS, AuthenticationError, "sign in"),
        (someone(Role.MEMBER), PermissionDeniedError, "Only admins may do this"),
        (replace(someone(Role.ADMIN), confirmed=False), ConfirmationRequiredError, "confirm"),
        (
            replace(someone(Role.ADMIN), scopes=frozenset({Scope.USERS_READ})),
            ScopeError,
            "users:write",
        ),
    ],
)
def test_a_refusal_says_what_is_missing(actor: Actor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        require(actor, Resource.USER, Action.CHANGE_ROLES)


def test_a_confirmed_admin_passes() -> None:
    require(someone(Role.ADMIN), Resource.USER, Action.CHANGE_ROLES)
    require(OPERATOR, Resource.USER, Action.CHANGE_ROLES)


def test_what_may_be_done_after_confirming_is_shown_before() -> None:
    actor = replace(someone(Role.ADMIN), confirmed=False)
    assert may(actor, Resource.USER, Action.CHANGE_ROLES)


def test_no_token_does_what_is_for_a_person() -> None:
    for scopes in (frozenset[Scope](), frozenset(Scope)):
        token = replace(someone(Role.ADMIN, owner=True), scopes=scopes)
        with pytest.raises(ScopeError, match="No access token"):
            require(token, Resource.TOKEN, Action.CREATE, owner_id=OWNER)


def test_no_token_does_what_has_to_be_confirmed() -> None:
    scopes = frozenset({Scope.USERS_WRITE})
    token = replace(someone(Role.ADMIN), scopes=scopes, confirmed=False)
    with pytest.raises(ScopeError, match="No access token"):
        require(token, Resource.USER, Action.CHANGE_ROLES)


def test_a_scope_is_useful_where_it_opens_something() -> None:
    member = useful_scopes(frozenset({Role.MEMBER}))
    assert Scope.DATASETS_WRITE in member
    assert not {Scope.AUDIT_READ, Scope.USERS_WRITE} & member
    assert useful_scopes(frozenset({Role.ADMIN})) == frozenset(Scope)


def test_a_scope_gives_nothing_that_the_account_does_not_have() -> None:
    token = replace(someone(Role.MEMBER), scopes=frozenset(Scope))
    with pytest.raises(PermissionDeniedError, match="Only the owner, curators and admins"):
        require(token, Resource.DATASET, Action.READ, state=State.DRAFT, owner_id=uuid4())


def test_writing_includes_reading() -> None:
    token = replace(someone(owner=True), scopes=frozenset({Scope.DATASETS_WRITE}))
    require(token, Resource.DATASET, Action.READ, state=State.DRAFT, owner_id=OWNER)


def test_what_is_public_needs_no_scope() -> None:
    token = replace(someone(Role.MEMBER), scopes=frozenset({Scope.AUDIT_READ}))
    assert may(token, Resource.DATASET, Action.READ_DATA, state=State.OPEN)


def test_a_state_that_no_rule_names_is_for_nobody() -> None:
    with pytest.raises(PermissionDeniedError, match="Nobody may do this"):
        require(OPERATOR, Resource.DATASET, Action.PUBLISH, state=State.OPEN)


def test_whoever_is_signed_in_has_a_key() -> None:
    assert require_user(someone(owner=True)) == OWNER
    assert isinstance(require_user(OPERATOR), UUID)
    with pytest.raises(AuthenticationError):
        require_user(ANONYMOUS)


@pytest.mark.parametrize("name", ROUTES | TOOLS)
def test_a_route_or_tool_stands_for_an_act_that_the_matrix_knows(name: str) -> None:
    resource, action, states = (ROUTES | TOOLS)[name]
    known = {state for of, what, state in MATRIX if (of, what) == (resource, action)}
    assert known
    assert set(states) <= known


def test_a_route_lets_those_pass_whom_a_state_admits() -> None:
    require_route(ANONYMOUS, "catalog_api.content")
    with pytest.raises(AuthenticationError):
        require_route(ANONYMOUS, "deposits_api.drafts")
    with pytest.raises(PermissionDeniedError):
        require_route(someone(Role.MEMBER), "accounts_api.change_roles")


def test_an_unknown_route_is_not_served() -> None:
    with pytest.raises(KeyError):
        require_route(OPERATOR, "somewhere.else")
