"""Write ``authorisation.md`` from the matrix: ``python -m docs.reference.authorisation``."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from fairdatabase.authorization.rules import rules_of
from fairdatabase.authorization.rules.matrix import Rule
from fairdatabase.authorization.rules.routes import ROUTES, TOOLS
from fairdatabase.authorization.schemas import Party, Resource, State

DOCUMENT = Path(__file__).with_suffix(".md")
_HEAD = """\
# Authorisation

Who may do what. This page is written from the tables that decide
(`authorization/rules/matrix.py` and `routes.py`) by `python -m docs.reference.authorisation`, and a
test compares the two. What no row names, nobody may do.

- **Who**: any one of them suffices. *Everybody* needs no account; the *owner* of a dataset is who
  deposited it, of an account who holds it.
- **Scope**: what a personal access token needs; *person* means that no token may do it, whatever
  its scopes.
- **Confirmed**: the person must have proved by password, passkey or code within the last minutes
  (`confirmation_minutes`) that it is them.

Somebody else's private thing is answered 404 as if it did not exist; what may be known but not
done, 403; who is not signed in is asked to sign in, 401. A missing scope is `insufficient-scope`,
a missing confirmation `confirmation-required`.

Every instance shows the matrix at `/permissions` as well, with the roles of whoever looks marked;
the menu of the account leads there.
"""


def document() -> str:
    """Return the page."""
    matrix = ("\n".join(_matrix_of(resource)) for resource in Resource)
    parts = [_HEAD, "## The matrix\n", *matrix, "## The routes\n", "\n".join(_routes())]
    parts += ["\n## The tools of agents\n", "\n".join(_tools())]
    return "\n".join(parts).rstrip() + "\n"


def _matrix_of(resource: Resource) -> Iterator[str]:
    yield f"### {resource.value.capitalize()}\n"
    yield "| action | state | who | scope | confirmed |"
    yield "|---|---|---|---|---|"
    for action, state, rule in rules_of(resource):
        shown = "" if state is State.ANY else state.value
        confirmed = "yes" if rule.confirmed else ""
        yield f"| {action.value} | {shown} | {_who(rule)} | {_scope(rule)} | {confirmed} |"
    yield ""


def _who(rule: Rule) -> str:
    return ", ".join(party.value for party in Party if party in rule.parties)


def _scope(rule: Rule) -> str:
    if rule.is_public:
        return ""
    return f"`{rule.scope.value}`" if rule.scope else "person"


def _routes() -> Iterator[str]:
    yield "By the name of the endpoint: `_api` is REST, all others are pages.\n"
    yield "| endpoint | resource | action | states |"
    yield "|---|---|---|---|"
    for endpoint, route in sorted(ROUTES.items()):
        states = _listed(state.value for state in route.states)
        yield f"| `{endpoint}` | {route.resource.value} | {route.action.value} | {states} |"


def _tools() -> Iterator[str]:
    yield "By the name of the tool ([MCP](mcp.md)).\n"
    yield "| tool | resource | action |"
    yield "|---|---|---|"
    for name, route in sorted(TOOLS.items()):
        yield f"| `{name}` | {route.resource.value} | {route.action.value} |"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "all"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
