"""Decisions by the matrix: pure functions that every surface and every service asks."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from fairdatabase.authorization.errors import ConfirmationRequiredError, ScopeError
from fairdatabase.authorization.rules.matrix import MATRIX, Rule
from fairdatabase.authorization.rules.routes import ROUTES, TOOLS, Route
from fairdatabase.authorization.schemas import (
    IMPLIED,
    Action,
    Actor,
    Party,
    Resource,
    Role,
    Scope,
    State,
)
from fairdatabase.kernel.errors import (
    AuthenticationError,
    FAIRDatabaseError,
    PermissionDeniedError,
)

_NOBODY: Final = Rule(frozenset())
_FOR_PEOPLE: Final = "No access token may do this. Please sign in with your password."
_IN_WORDS: Final = {
    Party.EVERYBODY: "everybody",
    Party.OWNER: "the owner",
    Party.MEMBER: "members",
    Party.CURATOR: "curators",
    Party.ADMIN: "admins",
    Party.SERVICE: "service accounts",
}


def may(
    actor: Actor,
    resource: Resource,
    action: Action,
    *,
    state: State = State.ANY,
    owner_id: UUID | None = None,
) -> bool:
    """Tell whether the matrix admits an act, once the actor has confirmed it where it must be.

    Args:
        actor: Who asks.
        resource: What is acted on.
        action: What is done.
        state: Of the thing.
        owner_id: Whose the thing is; None where it is nobody's.
    """
    parties = _parties(actor, is_owner=_owns(actor, owner_id))
    return _refusal(actor, _rule(resource, action, state), parties, confirmed=True) is None


def require(
    actor: Actor,
    resource: Resource,
    action: Action,
    *,
    state: State = State.ANY,
    owner_id: UUID | None = None,
) -> None:
    """Let those pass whom the matrix admits; arguments as of :func:`may`.

    Raises:
        AuthenticationError: It needs an account and nobody is signed in.
        ScopeError: The personal access token has not the scope.
        ConfirmationRequiredError: The person has to prove again that it is them.
        PermissionDeniedError: It is for others.
    """
    parties = _parties(actor, is_owner=_owns(actor, owner_id))
    refusal = _refusal(actor, _rule(resource, action, state), parties, confirmed=actor.confirmed)
    if refusal:
        raise refusal


def require_user(actor: Actor) -> UUID:
    """Return the primary key of whoever is signed in.

    Raises:
        AuthenticationError: Nobody is.
    """
    if actor.user_id is None:
        raise _sign_in()
    return actor.user_id


def useful_scopes(roles: frozenset[Role]) -> frozenset[Scope]:
    """Return the scopes that open something to an account with these roles.

    What has to be confirmed does not count: a token confirms nothing.
    """
    parties = {Party.OWNER, *(Party(role) for role in roles)}
    return frozenset(
        rule.scope
        for rule in MATRIX.values()
        if rule.scope and not rule.confirmed and rule.parties & parties
    )


def require_route(actor: Actor, endpoint: str) -> None:
    """Let those pass for whom a route can be of any use; deny by default.

    The first gate, before the request is read: whose the thing is and in which state is only
    known to the service behind it, which asks :func:`require` again.

    Raises:
        FAIRDatabaseError: As :func:`require`.
    """
    _require_of_use(actor, ROUTES[endpoint])


def require_tool(actor: Actor, name: str) -> None:
    """Let those pass for whom a tool can be of any use, as :func:`require_route` does.

    Raises:
        FAIRDatabaseError: As :func:`require`.
    """
    _require_of_use(actor, TOOLS[name])


def _require_of_use(actor: Actor, route: Route) -> None:
    resource, action, states = route
    parties = _parties(actor, is_owner=actor.is_authenticated)
    refusals = [
        _refusal(actor, rule, parties, confirmed=actor.confirmed)
        for rule in _rules(resource, action, states)
    ]
    if None not in refusals:
        raise next(filter(None, refusals))


def rules_of(resource: Resource) -> tuple[tuple[Action, State, Rule], ...]:
    """Return the rows of the matrix about a kind of thing, for those who read them."""
    return tuple(
        (action, state, rule) for (of, action, state), rule in MATRIX.items() if of is resource
    )


def _rules(resource: Resource, action: Action, states: Iterable[State]) -> list[Rule]:
    wanted = frozenset(states)
    return [
        rule
        for (of, what, state), rule in MATRIX.items()
        if of is resource and what is action and (not wanted or state in wanted)
    ]


def _rule(resource: Resource, action: Action, state: State) -> Rule:
    return MATRIX.get((resource, action, state), _NOBODY)


def _owns(actor: Actor, owner_id: UUID | None) -> bool:
    return owner_id is not None and actor.user_id == owner_id


def _parties(actor: Actor, *, is_owner: bool) -> set[Party]:
    parties = {Party.EVERYBODY, *(Party(role) for role in actor.roles)}
    return parties | {Party.OWNER} if is_owner else parties


def _refusal(
    actor: Actor, rule: Rule, parties: set[Party], *, confirmed: bool
) -> FAIRDatabaseError | None:
    if rule.is_public:
        return None
    if not actor.is_authenticated:
        return _sign_in()
    if not rule.parties & parties:
        who = f"Only {_listed(rule.parties)}" if rule.parties else "Nobody"
        return PermissionDeniedError(f"{who} may do this.")
    if actor.scopes is not None and rule.scope not in _with_implied(actor.scopes):
        return _out_of_scope(rule)
    return None if confirmed or not rule.confirmed else _unconfirmed(actor)


def _unconfirmed(actor: Actor) -> FAIRDatabaseError:
    if actor.scopes is not None:
        return ScopeError(_FOR_PEOPLE)
    return ConfirmationRequiredError(
        "This cannot be taken back easily. Please confirm that it is you, by your password, "
        "a passkey or a code, and do it again."
    )


def _with_implied(scopes: frozenset[Scope]) -> frozenset[Scope]:
    return scopes | {IMPLIED[scope] for scope in scopes if scope in IMPLIED}


def _sign_in() -> AuthenticationError:
    return AuthenticationError("This needs an account. Please sign in.")


def _out_of_scope(rule: Rule) -> ScopeError:
    if rule.scope is None:
        return ScopeError(_FOR_PEOPLE)
    return ScopeError(f"The access token was not given the scope {rule.scope.value}.")


def _listed(parties: Iterable[Party]) -> str:
    words = [_IN_WORDS[party] for party in Party if party in set(parties)]
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
