"""Pages of tables: the data explorer. Its address is the query, so it can be shared."""

from itertools import zip_longest
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError as PydanticValidationError

from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ValidationError
from fairdatabase.kernel.records import in_words
from fairdatabase.tables.schemas import FilterOp
from fairdatabase.tables.schemas.exploration import ExploreQuery

pages = Blueprint("tables_pages", __name__)
_WITHOUT_VALUE = {FilterOp.IS_NULL, FilterOp.NOT_NULL}
_PLAIN = ("search", "limit", "cursor", "kind", "group_by", "function", "measure")
_ORDER = ("sort", "descending", "first")


@pages.get("/files/<public_id>")
def explore(public_id: str) -> ResponseReturnValue:
    """Show rows or groups of a table; a query that cannot be answered is shown with its error."""
    tables, status, problem = services().tables, 200, None
    try:
        found = tables.explore(actor(), public_id, _query())
    except (ValidationError, PydanticValidationError) as error:
        status, problem = 422, _sentence(error)
        found = tables.explore(actor(), public_id, ExploreQuery(limit=1))
    types = {column.name: column.type for column in found.table.columns}
    page = render_template(
        "tables/explore.html", **_context(), found=found, types=types, error=problem
    )
    return page, status


def _query() -> ExploreQuery:
    """Return the query of the address, which the form writes."""
    asked = request.args
    sort = asked.get("sort", "")
    return ExploreQuery.model_validate(
        {
            "columns": _chosen(),
            "filter": [_condition(*each) for each in _conditions()],
            "sort": [f"-{sort}" if asked.get("descending") else sort] if sort else [],
            **{name: text for name in _PLAIN if (text := asked.get(name))},
        }
    )


def _chosen() -> list[str]:
    """Return the ticked columns, or those typed with commas where there are too many to tick."""
    typed = request.args.get("columns", "")
    names = [*request.args.getlist("show"), *(name.strip() for name in typed.split(","))]
    return [name for name in names if name]


def _conditions() -> list[tuple[str, str, str]]:
    """Return column, operator and value of each filter that names a column."""
    parts = (request.args.getlist(name) for name in ("column", "op", "value"))
    rows = zip_longest(*parts, fillvalue="")
    return [(column, op or FilterOp.EQ, value) for column, op, value in rows if column]


def _condition(column: str, op: str, value: str) -> str:
    return f"{column}:{op}" if op in _WITHOUT_VALUE else f"{column}:{op}:{value}"


def _sentence(error: ValidationError | PydanticValidationError) -> str:
    if isinstance(error, ValidationError):
        return error.message
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{first['loc'][0]}: {in_words(first)}"


def _context() -> dict[str, Any]:
    """Return what the form shows again, and what addresses of the same query are made of."""
    return {
        "asked": {name: request.args.get(name, "") for name in (*_PLAIN, *_ORDER)},
        "address": request.args.to_dict(flat=False),
        "conditions": _conditions(),
        "chosen": _chosen(),
        "parameters": {
            "columns": _chosen(),
            "filter": [_condition(*each) for each in _conditions()],
            "search": request.args.get("search") or None,
            "kind": request.args.get("kind") or None,
        },
    }
