"""What the pages of deposits share: their blueprint and the frame of every step."""

from typing import Any

from flask import Blueprint, render_template, request

from fairdatabase.deposits.formats.steps import steps
from fairdatabase.deposits.schemas import Deposit, DepositFile
from fairdatabase.kernel.errors import ConflictError
from fairdatabase.tables.schemas import TableRecord

pages = Blueprint("deposits_pages", __name__)


def table_of(deposit: Deposit) -> tuple[DepositFile | None, TableRecord | None]:
    """Return the file that a step is about, and its table: the one asked for, else the first."""
    wanted = request.args.get("file")
    tables = [item for item in deposit.files if item.table]
    item = next((each for each in tables if each.file.public_id == wanted), None)
    item = item or (tables[0] if tables else None)
    return item, item.table if item else None


def required_table(deposit: Deposit) -> tuple[DepositFile, TableRecord]:
    """Return the file that a step is about, and its table.

    Raises:
        ConflictError: No file was read as a table yet.
    """
    item, table = table_of(deposit)
    if item is None or table is None:
        raise ConflictError("No file of this deposit was read as a table yet. Add one first.")
    return item, table


def show_step(name: str, deposit: Deposit, **context: Any) -> str:  # noqa: ANN401 - for the template
    """Show a step of a deposit within the frame."""
    return render_template(
        f"deposits/{name}.html",
        deposit=deposit,
        steps=steps(deposit),
        tables=[each for each in deposit.files if each.table],
        **context,
    )
