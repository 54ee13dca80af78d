"""Deposits on the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import AccessClass, Metadata
from fairdatabase.deposits.schemas import Deposit, DepositFile, DepositIn, OverrideIn
from fairdatabase.kernel.errors import ValidationError
from fairdatabase.tables.schemas import ColumnEdit, ColumnRole

if TYPE_CHECKING:
    from fairdatabase.cli import Instance

_as_user = click.option(
    "--as", "email", envvar="FAIRDATABASE_USER", required=True, help="Address of the depositor."
)
_ACCESS = click.Choice([access.value for access in AccessClass])


@click.command(
    epilog="\b\nExample:\n"
    '  fairdatabase deposit people.csv --as ada@example.org --title "Cohort" \\\n'
    '    --creator "Lovelace, Ada" --licence CC-BY-4.0 --role age=quasi_identifier'
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@_as_user
@click.option("--metadata", type=click.File("rb"), help="JSON file with all metadata.")
@click.option("--title")
@click.option("--description")
@click.option("--creator", "creators", multiple=True, help="Family name, given name; repeatable.")
@click.option("--licence", help="SPDX identifier.")
@click.option("--access", type=_ACCESS, default="open", show_default=True)
@click.option("--role", "roles", multiple=True, help="column=role; repeatable.")
@click.option("--suggested-roles", is_flag=True, help="Take suggestions for all other columns.")
@click.pass_obj
def deposit(
    instance: "Instance", /, files: tuple[Path, ...], *, email: str, access: str,
    roles: tuple[str, ...], suggested_roles: bool, metadata: BinaryIO | None,
    creators: tuple[str, ...], **texts: str | None,
) -> None:  # fmt: skip
    """Deposit files as a draft: store, validate and screen them."""
    actor = instance.actor(email)
    chosen = _roles(roles)
    data = DepositIn(metadata=_metadata(metadata, creators, texts), access=AccessClass(access))
    draft = instance.services.deposits.open(actor, data).version.public_id
    added = [_add(instance, actor, draft, path) for path in files]
    _require_columns(chosen, added, draft)
    for item in added:
        if item.table:
            _assign(instance, actor, item, chosen, suggested=suggested_roles)
    _report(instance.services.deposits.get(actor, draft), email)


def _metadata(
    file: BinaryIO | None, creators: tuple[str, ...], texts: Mapping[str, str | None]
) -> Metadata:
    given = Metadata.model_validate_json(file.read()) if file else Metadata()
    values = given.model_dump(exclude_unset=True)
    values |= {name: text for name, text in texts.items() if text is not None}
    if creators:
        values["creators"] = [{"name": name} for name in creators]
    return Metadata.model_validate(values)


def _roles(texts: tuple[str, ...]) -> dict[str, ColumnRole]:
    chosen = {}
    for text in texts:
        name, _, role = text.rpartition("=")
        if not name or role not in set(ColumnRole):
            known = ", ".join(ColumnRole)
            raise ValidationError(f"--role {text}: write column=role, with a role of: {known}.")
        chosen[name] = ColumnRole(role)
    return chosen


def _add(instance: "Instance", actor: Actor, draft: str, path: Path) -> DepositFile:
    with path.open("rb") as stream:
        added = instance.services.deposits.add_file(actor, draft, path.name, stream)
    job = instance.finish(added.file.id)
    if job.error:
        raise ValidationError(f"{path.name}: {job.error} The draft is {draft}.")
    found = instance.services.deposits.get(actor, draft).file(added.file.public_id)
    return found or added


def _assign(
    instance: "Instance", actor: Actor, item: DepositFile, chosen: dict[str, ColumnRole],
    *, suggested: bool,
) -> None:  # fmt: skip
    columns = {column.name for column in item.table.columns} if item.table else set()
    roles = {name: role for name, role in chosen.items() if name in columns}
    if suggested:
        for each in instance.services.privacy.suggest_roles(actor, item.file.public_id):
            known = each.role is not ColumnRole.UNASSIGNED
            roles.setdefault(each.column, each.role if known else ColumnRole.INSENSITIVE)
    if roles:
        edits = {name: ColumnEdit(role=role) for name, role in roles.items()}
        instance.services.deposits.set_columns(actor, item.file.public_id, edits)
        instance.finish(item.file.id)


def _require_columns(
    chosen: Mapping[str, ColumnRole], items: list[DepositFile], draft: str
) -> None:
    known = {column.name for item in items if item.table for column in item.table.columns}
    unknown = sorted(chosen.keys() - known)
    if unknown:
        there = ", ".join(sorted(known))
        raise ValidationError(
            f"--role {unknown[0]}=...: no file has this column; there are {there}."
            f" No role was set. The draft is {draft}."
        )


def _report(found: Deposit, email: str) -> None:
    click.echo(f"Draft {found.version.public_id}")
    for item in found.files:
        rows = f", {item.table.row_count:,} rows" if item.table else ""
        click.echo(f"  {item.file.name}: {item.stage.value}{rows}")
    for blocker in found.blockers:
        click.echo(f"  - {blocker.message} {blocker.fix}")
    if found.ready:
        click.echo(f"Next: fairdatabase publish {found.version.public_id} --as {email}")


@click.command(epilog="\b\nExample:\n  fairdatabase publish 7h3k9z2m4xq --as ada@example.org")
@click.argument("draft")
@_as_user
@click.option("--anonymise", is_flag=True, help="First apply the suggested recipe where needed.")
@click.option("--override", metavar="REASON", help="Why a curator takes the risk; it is public.")
@click.pass_obj
def publish(
    instance: "Instance", draft: str, email: str, *, anonymise: bool, override: str | None
) -> None:
    """Publish a draft that passes the gate; otherwise say what is in the way."""
    actor = instance.actor(email)
    deposits = instance.services.deposits
    if anonymise:
        _anonymise(instance, actor, deposits.get(actor, draft))
    reason = OverrideIn(reason=override).reason if override is not None else None
    version = deposits.publish(actor, draft, override=reason)
    click.echo(f"Published as {version.dataset_identifier}")
    click.echo(f"{instance.settings.public_url}/datasets/{version.dataset_public_id}")


def _anonymise(instance: "Instance", actor: Actor, found: Deposit) -> None:
    privacy = instance.services.privacy
    for item in found.files:
        if item.outgoing and not item.outgoing.passed:
            recipe = privacy.suggest_recipe(actor, item.file.public_id)
            privacy.request_release(actor, item.file.public_id, recipe)
            job = instance.finish(item.file.id)
            if job.error:
                raise ValidationError(f"{item.file.name}: {job.error}")
