"""Pages of a closer look at the risk: the groups one by one, and what other models say."""

from flask import request

from fairdatabase.deposits.pages.frame import pages, required_table, show_step
from fairdatabase.deposits.schemas import DepositFile
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ValidationError
from fairdatabase.kernel.forms import Form
from fairdatabase.kernel.records import PageMeta
from fairdatabase.privacy.schemas.details import GroupsQuery, ModelsQuery, RiskModels
from fairdatabase.tables.schemas import ColumnRole, ColumnType, TableKind, TableRecord

Choices = list[tuple[str, str]]
_WHOSE = {ColumnRole.DIRECT_IDENTIFIER, ColumnRole.INSENSITIVE}
_MANY = 200


@pages.get("/deposits/<public_id>/risk/groups")
def risk_groups(public_id: str) -> str:
    """Page through the groups of the table that would leave the house, smallest first."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = required_table(deposit)
    form = _asked(item)
    query = form.parse(GroupsQuery) or GroupsQuery(kind=_leaving(item))
    found = services().details.groups(actor(), item.file.public_id, query)
    page = PageMeta(page=query.page, per_page=query.per_page, total=found.total)
    names = _known(item.release or table)
    context = {"item": item, "form": form, "found": found, "page": page, "names": names}
    return show_step("risk_groups", deposit, choices=_choices("Any column", names), **context)


@pages.get("/deposits/<public_id>/risk/models")
def risk_models(public_id: str) -> str:
    """Show what other models say of the table that would leave the house."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = required_table(deposit)
    form = _asked(item, unique_on=str(ModelsQuery().unique_on))
    found = _measured(item, form)
    others = [(each.file.public_id, each.file.name) for each in deposit.files if each.table]
    populations = [("", "None"), *(each for each in others if each[0] != item.file.public_id)]
    people = _choices("Every row is of somebody else", _tell_people(item.release or table))
    context = {"item": item, "form": form, "found": found, "populations": populations}
    return show_step("risk_models", deposit, people=people, **context)


def _measured(item: DepositFile, form: Form) -> RiskModels | None:
    """Return what the models say; what cannot be measured is noted in the form."""
    if query := form.parse(ModelsQuery):
        try:
            return services().details.models(actor(), item.file.public_id, query)
        except ValidationError as error:
            form.refuse(error)
    return None


def _asked(item: DepositFile, **usual: str) -> Form:
    """Return what the address asks of the table that would leave the house; empty is not asked."""
    asked = {name: text for name, text in request.args.items() if text and name != "file"}
    return Form(usual | asked | {"kind": _leaving(item)})


def _leaving(item: DepositFile) -> TableKind:
    return TableKind.RELEASE if item.release else TableKind.SOURCE


def _known(table: TableRecord) -> list[str]:
    return [each.name for each in table.columns if each.role is ColumnRole.QUASI_IDENTIFIER]


def _tell_people(table: TableRecord) -> list[str]:
    """Return the columns that may say whose sample a row is."""
    return [
        each.name
        for each in table.columns
        if each.role in _WHOSE and each.type is not ColumnType.NUMBER
    ]


def _choices(none: str, names: list[str]) -> Choices:
    return [("", none), *((name, name) for name in names[:_MANY])]
