"""The hierarchy editor: ``op-2`` and its parameters are the fields of level 2, the finest is 1.

A level that groups values has a field for each member: ``member-2-0`` is a label of level 1, or a
value where there is none, and ``group-2-0`` what level 2 makes of it.
"""

from collections import Counter
from collections.abc import Sequence

from pydantic import TypeAdapter

from fairdatabase.deposits.formats import fields
from fairdatabase.deposits.formats.fields import Fields
from fairdatabase.deposits.schemas import HierarchyBranch, HierarchyCell
from fairdatabase.privacy.schemas.hierarchies import (
    Grouping,
    GroupMember,
    Hierarchy,
    HierarchyTable,
    KeptLevel,
    LevelDraft,
)
from fairdatabase.privacy.schemas.previews import HierarchyEdit
from fairdatabase.privacy.schemas.recipes import DropColumn, Recode
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

MAX_LEVELS = 50
MAX_MEMBERS = 1000
AS_IN_RECIPE = "keep"
_INTERVALS = ("intervals", "Put into intervals")
_PREFIX = ("prefix", "Keep the beginning only")
_GROUP = ("group", "Group values")
_TRUNCATE = ("truncate_date", "Shorten to month or year")
_BY_TYPE: dict[ColumnType, list[tuple[str, str]]] = {
    ColumnType.INTEGER: [_INTERVALS, _PREFIX, _GROUP],
    ColumnType.NUMBER: [_INTERVALS],
    ColumnType.TEXT: [_GROUP, _PREFIX],
    ColumnType.BOOLEAN: [_GROUP],
    ColumnType.DATE: [_TRUNCATE],
    ColumnType.DATETIME: [_TRUNCATE],
}
_LEVEL = TypeAdapter[LevelDraft](LevelDraft)


def kinds(column: ColumnSchema) -> list[tuple[str, str]]:
    """Return what a level of a column's hierarchy can do: pairs of a name and its words."""
    return _BY_TYPE.get(column.type, [])


def to_form(edit: HierarchyEdit) -> dict[str, str]:
    """Return the fields of a hierarchy."""
    levels = edit.hierarchy.levels
    drops = bool(levels) and isinstance(levels[-1], DropColumn)
    shown = levels[:-1] if drops else levels
    found = {"levels": str(len(shown)), "drop": "1" if drops else ""}
    found["level"] = AS_IN_RECIPE if edit.chosen is None else str(edit.chosen)
    for place, (level, members) in enumerate(zip(shown, edit.groups, strict=False)):
        key = str(place + 1)
        if not isinstance(level, Recode):
            found |= {f"op-{key}": level.op, **fields.write(level, key)}
        elif members is None:
            found |= {f"op-{key}": "kept", f"place-{key}": str(place)}
        else:
            found |= {f"op-{key}": "group", f"other-{key}": level.other or ""}
            found |= _members(members, key)
    return found


def _members(members: Sequence[GroupMember], key: str) -> dict[str, str]:
    found = {f"members-{key}": str(len(members))}
    for place, member in enumerate(members):
        found |= {
            f"member-{key}-{place}": member.label,
            f"rows-{key}-{place}": str(member.rows),
            f"group-{key}-{place}": member.group,
        }
    return found


def from_form(
    values: Fields, column: ColumnSchema
) -> tuple[tuple[LevelDraft, ...], dict[str, str]]:
    """Return the levels that the form describes, and an error for each that is wrong."""
    levels: list[LevelDraft] = []
    errors: dict[str, str] = {}
    for key in map(str, range(1, _count(values, "levels", MAX_LEVELS) + 1)):
        try:
            levels.append(_level(values, key, column.name))
        except ValueError as error:
            errors[f"op-{key}"] = f"Level {key}: {fields.sentence(error)}"
    if values.get("drop"):
        levels.append(DropColumn(column=column.name))
    return tuple(levels), errors


def _level(values: Fields, key: str, column: str) -> LevelDraft:
    op = values.get(f"op-{key}", "")
    if op == "kept":
        return KeptLevel(place=fields.whole(values.get(f"place-{key}", "")))
    if op != "group":
        return _LEVEL.validate_python(fields.read(op, values, key, column))
    given = {
        values.get(f"member-{key}-{place}", ""): values.get(f"group-{key}-{place}", "").strip()
        for place in range(_count(values, f"members-{key}", MAX_MEMBERS))
    }
    return Grouping(
        members={label: group for label, group in given.items() if group},
        other=values.get(f"other-{key}", "").strip() or None,
    )


def _count(values: Fields, name: str, most: int) -> int:
    text = values.get(name, "")
    return min(int(text), most) if text.isdecimal() else 0


def chosen(values: Fields, hierarchy: Hierarchy) -> int | None:
    """Return the level that the form chooses; None to leave the recipe as it is."""
    text = values.get("level", "")
    return min(int(text), len(hierarchy.levels)) if text.isdecimal() else None


def tree(table: HierarchyTable) -> tuple[HierarchyBranch, ...]:
    """Return the rows of a hierarchy, values with the same labels together."""
    levels = range(len(table.distinct) - 1)[::-1]
    labels = [tuple(row.labels[level] for level in levels) for row in table.rows]
    first = [
        {label: place for place, label in reversed(list(enumerate(column)))}
        for column in zip(*labels, strict=True)
    ]
    order = sorted(
        range(len(labels)),
        key=lambda place: [known[label] for known, label in zip(first, labels[place], strict=True)],
    )
    paths = [labels[place] for place in order]
    reach = Counter(path[: depth + 1] for path in paths for depth in range(len(path)))
    branches, seen = [], set()
    for place, path in zip(order, paths, strict=True):
        begun = [path[: depth + 1] for depth in range(len(path))]
        branches.append(
            HierarchyBranch(
                labels=tuple(
                    HierarchyCell(text=each[-1], span=reach[each])
                    for each in begun
                    if each not in seen
                ),
                value=table.rows[place].value,
                rows=table.rows[place].rows,
            )
        )
        seen.update(begun)
    return tuple(branches)
