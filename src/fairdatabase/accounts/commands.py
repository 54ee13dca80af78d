"""Users on the command line."""

import secrets
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from fairdatabase.accounts.schemas import InvitationIn, Registration, UserQuery
from fairdatabase.accounts.schemas.tokens import (
    DEFAULT_DAYS,
    LONGEST_DAYS,
    ServiceAccountIn,
    TokenIn,
)
from fairdatabase.authorization.schemas import OPERATOR, Role, Scope

if TYPE_CHECKING:
    from fairdatabase.cli import Instance

_GENERATED_BYTES = 15
_PRIVATE = 0o600
_ROLES = click.Choice([role.value for role in Role])
_SCOPES = click.Choice([scope.value for scope in Scope])
_PERSONAL = click.Choice([role.value for role in Role if role is not Role.SERVICE])


def new_password() -> str:
    """Return a random password of twenty characters."""
    return secrets.token_urlsafe(_GENERATED_BYTES)


def _ask_or_generate(*, generate: bool) -> str:
    if generate:
        return new_password()
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


@click.group()
def user() -> None:
    """Create users, list them, change their roles and passwords."""


@user.command(epilog="\b\nExample:\n  fairdatabase user create ada@example.org --role admin")
@click.argument("email")
@click.option("--name", help="As it is shown to others; by default the address up to its @.")
@click.option("--role", "roles", type=_ROLES, multiple=True, help="Repeatable; member by default.")
@click.option("--generate", is_flag=True, help="Make a password and print it.")
@click.pass_obj
def create(
    instance: "Instance", email: str, name: str | None, roles: tuple[str, ...], *, generate: bool
) -> None:
    """Create a user; the password is asked for, or made and printed. A service has none."""
    held = frozenset(map(Role, roles)) or frozenset({Role.MEMBER})
    if Role.SERVICE in held:
        _create_service(instance, email, name, held)
        return
    password = _ask_or_generate(generate=generate)
    registration = Registration(
        name=name or email.partition("@")[0], email=email, password=SecretStr(password)
    )
    made = instance.services.accounts.create_user(registration, roles=held)
    click.echo(f"{made.email} ({made.public_id}) is {', '.join(made.roles)}.")
    if generate:
        click.echo(f"Password: {password}")


def _create_service(
    instance: "Instance", email: str, name: str | None, roles: frozenset[Role]
) -> None:
    wanted = ServiceAccountIn(name=name or email.partition("@")[0], email=email)
    public_id = instance.services.users.create_service(OPERATOR, wanted, roles=roles)
    click.echo(f"{wanted.email} ({public_id}) is {', '.join(sorted(roles))}.")
    click.echo(f"Give it a token: fairdatabase token create {wanted.email} --scope datasets:read")


@user.command(epilog="\b\nExample:\n  fairdatabase user invite ada@example.org --role curator")
@click.argument("email")
@click.option("--role", "roles", type=_PERSONAL, multiple=True, help="Repeatable; member if none.")
@click.option("--link", is_flag=True, help="Print the link instead of sending a letter.")
@click.pass_obj
def invite(instance: "Instance", email: str, roles: tuple[str, ...], *, link: bool) -> None:
    """Invite somebody to make an account."""
    admission = instance.services.admission
    invitation = InvitationIn.model_validate({"email": email, "roles": roles or [Role.MEMBER]})
    if link:
        click.echo(admission.invitation_link(OPERATOR, invitation))
        return
    made = admission.invite(OPERATOR, invitation)
    click.echo(f"A letter to {made.email} waits to be sent; its link works for two weeks.")


@user.command("list", epilog="\b\nExample:\n  fairdatabase user list --search ada")
@click.option("--search", default="", help="Part of a name or address.")
@click.pass_obj
def list_users(instance: "Instance", search: str) -> None:
    """List the users by name."""
    page = 1
    while True:
        query = UserQuery(search=search, page=page, per_page=100)
        found = instance.services.accounts.list_users(OPERATOR, query)
        for each in found.users:
            closed = "  (deleted)" if each.is_deleted else "  (disabled)"
            state = "" if each.is_active else closed
            click.echo(
                f"{each.public_id}  {each.email}  {','.join(each.roles)}  {each.name}{state}"
            )
        if query.offset + len(found.users) >= found.total:
            return
        page += 1


@user.command(epilog="\b\nExample:\n  fairdatabase user role ada@example.org member curator")
@click.argument("email")
@click.argument("roles", type=_ROLES, nargs=-1, required=True)
@click.pass_obj
def role(instance: "Instance", email: str, roles: tuple[str, ...]) -> None:
    """Give a user exactly these roles."""
    accounts = instance.services.accounts
    public_id = accounts.actor_by_email(email).public_id
    made = accounts.change_roles(OPERATOR, public_id, frozenset(map(Role, roles)))
    click.echo(f"{made.email} is {', '.join(made.roles)}.")


@user.command(epilog="\b\nExample:\n  fairdatabase user password ada@example.org --generate")
@click.argument("email")
@click.option("--generate", is_flag=True, help="Make a password and print it.")
@click.pass_obj
def password(instance: "Instance", email: str, *, generate: bool) -> None:
    """Set a new password and end the user's sessions."""
    text = _ask_or_generate(generate=generate)
    instance.services.accounts.set_password(email, text)
    click.echo(f"The password of {email} is changed.")
    if generate:
        click.echo(f"Password: {text}")


@user.command(epilog="\b\nExample:\n  fairdatabase user close ada@example.org")
@click.argument("email")
@click.pass_obj
def close(instance: "Instance", email: str) -> None:
    """Close an account: its sessions end, its access tokens are revoked for good."""
    users = instance.services.users
    users.disable(OPERATOR, users.identifier(OPERATOR, email))
    click.echo(f"The account {email} is closed.")


@user.command("open", epilog="\b\nExample:\n  fairdatabase user open ada@example.org")
@click.argument("email")
@click.pass_obj
def open_again(instance: "Instance", email: str) -> None:
    """Open a closed account again."""
    users = instance.services.users
    users.enable(OPERATOR, users.identifier(OPERATOR, email))
    click.echo(f"The account {email} is open.")


@user.command(epilog="\b\nExample:\n  fairdatabase user unprotect ada@example.org")
@click.argument("email")
@click.pass_obj
def unprotect(instance: "Instance", email: str) -> None:
    """Take the authenticator app off an account whose owner lost it and all recovery codes."""
    instance.services.users.unprotect(OPERATOR, email)
    click.echo(f"Signing in to {email} takes the password alone.")


@click.group()
def token() -> None:
    """Make access tokens for accounts, list them, revoke them."""


@token.command(
    "create",
    epilog="\b\nExample:\n  fairdatabase token create bot@example.org --scope datasets:read",
)
@click.argument("email")
@click.option("--scope", "scopes", type=_SCOPES, multiple=True, required=True, help="Repeatable.")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_DAYS),
    default=DEFAULT_DAYS,
    show_default=True,
    help="How long it is good for.",
)
@click.pass_obj
def create_token(
    instance: "Instance", email: str, scopes: tuple[str, ...], name: str, days: int
) -> None:
    """Make an access token and print it, this once."""
    wanted = TokenIn(name=name, scopes=frozenset(map(Scope, scopes)), days=days)
    made = instance.services.tokens.issue(OPERATOR, email, wanted)
    click.echo(f"{made.public_id}, good until {made.expires_at:%Y-%m-%d}:", err=True)
    click.echo(made.token)


@token.command("list", epilog="\b\nExample:\n  fairdatabase token list bot@example.org")
@click.argument("email")
@click.pass_obj
def list_tokens(instance: "Instance", email: str) -> None:
    """List the access tokens of an account, the newest first."""
    for each in instance.services.tokens.issued(OPERATOR, email):
        used = f"{each.last_used_at:%Y-%m-%d}" if each.last_used_at else "never"
        state = "  (expired)" if each.is_expired else ""
        click.echo(
            f"{each.public_id}  …{each.hint}  {','.join(each.scopes)}"
            f"  until {each.expires_at:%Y-%m-%d}  used {used}  {each.name}{state}"
        )


@token.command("revoke", epilog="\b\nExample:\n  fairdatabase token revoke 5k9z2m4xqvb")
@click.argument("identifier")
@click.pass_obj
def revoke_token(instance: "Instance", identifier: str) -> None:
    """Revoke an access token: it is refused from the next request on."""
    instance.services.tokens.revoke(OPERATOR, identifier)
    click.echo(f"The access token {identifier} is revoked.")


@user.command(epilog="\b\nExample:\n  fairdatabase user export ada@example.org --output ada.zip")
@click.argument("email")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
@click.pass_obj
def export(instance: "Instance", email: str, output: Path | None) -> None:
    """Save a copy of everything that is kept about a user."""
    made = instance.services.personal_data.export_of(email)
    path = output or Path(made.name)
    with closing(made.archive), path.open("xb") as file:
        path.chmod(_PRIVATE)
        size = sum(map(file.write, made.archive))
    click.echo(f"{path} ({size:,} bytes)")


@user.command(epilog="\b\nExample:\n  fairdatabase user delete ada@example.org")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(instance: "Instance", email: str, *, yes: bool) -> None:
    """Delete an account, for good; say what stays and why."""
    question = f"Delete the account {email} and its drafts? Nobody can bring them back."
    if not yes:
        click.confirm(question, abort=True)
    found = instance.services.personal_data.delete_of(email)
    click.echo(f"The account {email} is deleted.")
    click.echo("Gone: " + "; ".join(found.gone) + ".")
    for kept in found.kept:
        click.echo(f"Stays: {kept}")
