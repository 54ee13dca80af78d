"""Steps over rows as fields of a form: ``suppress_k``, and ``suppress_t-3`` for sensitive column 3.

``partition`` has the same fields, and ``partition-3`` for each column that it recodes. What they
cannot say, such as the order of columns and the groups of categories, is carried in one field.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from fairdatabase.deposits.formats import fields
from fairdatabase.deposits.formats.fields import Fields
from fairdatabase.privacy.schemas.goals import SensitiveGoal
from fairdatabase.privacy.schemas.recipes import Partition, Recode, RowStep, SuppressSmallGroups
from fairdatabase.tables.schemas import ColumnSchema

SUPPRESS, PARTITION = "suppress", "partition"
_MEASURES = {
    "distinct_l": fields.whole,
    "entropy_l": fields.number,
    "t": fields.number,
    "alpha": fields.number,
}
_ORDERED = {"yes": True, "no": False}
_GROUPS = TypeAdapter[tuple[Recode, ...]](tuple[Recode, ...])


def read(values: Fields, kind: str, columns: Sequence[ColumnSchema]) -> RowStep | None:
    """Return the step over rows that a form describes, if it does.

    Args:
        values: Fields that were sent.
        kind: Suppression or partition.
        columns: The source table's columns.

    Raises:
        ValueError: A field is wrong; the message of ``fields.sentence`` says why.
    """
    if not values.get(f"{kind}_k", "").strip():
        return None
    found: dict[str, Any] = {"k": fields.whole(values[f"{kind}_k"])}
    places = range(len(columns))
    goals = {place: _goal(values, kind, place) for place in places}
    found["sensitive"] = [
        SensitiveGoal.model_validate({"column": columns[place].name, **goals[place]})
        for place in _ordered(values, f"{kind}_goals", places)
        if goals[place]
    ]
    if kind == SUPPRESS:
        return SuppressSmallGroups.model_validate(found)
    chosen = [
        columns[place].name
        for place in _ordered(values, f"{kind}_columns", places)
        if values.get(f"{kind}-{place}")
    ]
    groups = _GROUPS.validate_json(values.get(f"{kind}_groups") or "[]")
    kept = [group for group in groups if group.column in chosen]
    return Partition.model_validate(found | {"columns": chosen, "groups": kept})


def write(step: RowStep, columns: Sequence[ColumnSchema]) -> dict[str, str]:
    """Return the fields of a step over rows."""
    places = {column.name: place for place, column in enumerate(columns)}
    kind = PARTITION if isinstance(step, Partition) else SUPPRESS
    found = {f"{kind}_k": str(step.k)}
    known = [goal for goal in step.sensitive if goal.column in places]
    found[f"{kind}_goals"] = " ".join(str(places[goal.column]) for goal in known)
    for goal in known:
        found |= _goal_fields(goal, kind, places[goal.column])
    if isinstance(step, Partition):
        chosen = [str(places[name]) for name in step.columns if name in places]
        found |= {f"{kind}-{place}": "1" for place in chosen}
        found[f"{kind}_columns"] = " ".join(chosen)
        found[f"{kind}_groups"] = json.dumps([each.model_dump() for each in step.groups])
    return found


def _ordered(values: Fields, name: str, places: range) -> list[int]:
    """Return all places, those that a field names first."""
    named = [int(text) for text in values.get(name, "").split() if text.isdecimal()]
    first = [place for place in named if place in places]
    return list(dict.fromkeys([*first, *places]))


def _goal(values: Fields, kind: str, place: int) -> dict[str, Any]:
    given = {
        name: values.get(f"{kind}_{name}-{place}", "").strip()
        for name in (*_MEASURES, "c", "l", "ordered")
    }
    found: dict[str, Any] = {
        name: convert(given[name]) for name, convert in _MEASURES.items() if given[name]
    }
    if given["c"] or given["l"]:
        found["recursive"] = {"c": fields.number(given["c"]), "l": fields.whole(given["l"])}
    if given["ordered"]:
        found["ordered"] = _ORDERED.get(given["ordered"], given["ordered"])
    return found


def _goal_fields(goal: SensitiveGoal, kind: str, place: int) -> dict[str, str]:
    told = goal.model_dump(exclude={"column", "recursive", "ordered"}, exclude_none=True)
    if goal.recursive is not None:
        told |= goal.recursive.model_dump()
    if goal.ordered is not None:
        told["ordered"] = "yes" if goal.ordered else "no"
    return {f"{kind}_{name}-{place}": fields.text(value) for name, value in told.items()}
