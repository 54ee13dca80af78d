"""The anonymise step: ``action-3`` and its parameters are the fields of column 3.

Further steps of a column have the keys ``3-1``, ``3-2`` and so on, and ``place-3`` is where a step
stands in the recipe. What no field can say is carried along, so a recipe that is shown and sent
back is the recipe that it was.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from math import inf
from operator import itemgetter
from typing import NamedTuple

from pydantic import TypeAdapter

from fairdatabase.deposits.formats import fields, goals
from fairdatabase.deposits.formats.fields import Fields
from fairdatabase.deposits.formats.goals import PARTITION, SUPPRESS
from fairdatabase.privacy.schemas.recipes import (
    ColumnStep,
    Partition,
    Recipe,
    RowStep,
    Step,
    SuppressSmallGroups,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

KEEP = "keep"
MAX_ROWS = 300
"""Steps that are shown as rows of the form; further ones are carried along."""
_EVERYWHERE = [
    (KEEP, "Keep as it is"),
    ("drop", "Leave out"),
    ("pseudonymise", "Replace by a pseudonym"),
]
_AT_LAST = [
    ("suppress_cells", "Empty risky cells"),
    ("impute", "Fill gaps"),
    ("shuffle", "Shuffle"),
]
_EXTREMES = ("code_extremes", "Limit the extremes")
_NOISE = ("noise", "Add noise")
_INTERVALS = ("intervals", "Put into intervals")
_ROUND = ("round", "Round")
_RECODE = ("recode", "Group values")
_PREFIX = ("prefix", "Keep the beginning only")
_TRUNCATE = ("truncate_date", "Shorten to month or year")
_BY_TYPE: dict[ColumnType, list[tuple[str, str]]] = {
    ColumnType.INTEGER: [_INTERVALS, _ROUND, _EXTREMES, _RECODE, _NOISE],
    ColumnType.NUMBER: [_INTERVALS, _ROUND, _EXTREMES, _NOISE],
    ColumnType.TEXT: [_PREFIX, _RECODE],
    ColumnType.BOOLEAN: [_RECODE],
    ColumnType.DATE: [_TRUNCATE],
    ColumnType.DATETIME: [_TRUNCATE],
}


_FURTHER = [*dict.fromkeys(each for offered in _BY_TYPE.values() for each in offered)]
_ROW_STEPS = {PARTITION: "Groups of similar rows", SUPPRESS: "Rows left out"}
_CARRIED = TypeAdapter[tuple[tuple[int, Step], ...]](tuple[tuple[int, Step], ...])


class Row(NamedTuple):
    """A row of the form: a step of a column.

    Attributes:
        key: Of its fields.
        column: The column.
        actions: What the step can be: pairs of its name and its words.
        further: Whether another step of the column comes before it.
    """

    key: str
    column: ColumnSchema
    actions: list[tuple[str, str]]
    further: bool


def rows(values: Fields, columns: Sequence[ColumnSchema]) -> list[Row]:
    """Return the rows of a form: for each column its steps, or one that keeps it."""
    return [
        Row(key, column, _offered(values, key, column), further=key != str(index))
        for index, column in enumerate(columns)
        for key in _keys(values, index)
    ]


def _keys(values: Fields, index: int) -> Iterator[str]:
    yield str(index)
    for further in count(1):
        key = f"{index}-{further}"
        if f"action-{key}" not in values:
            return
        yield key


def _offered(values: Fields, key: str, column: ColumnSchema) -> list[tuple[str, str]]:
    """Return what fits the column's type, what is chosen, and after another step everything."""
    fitting = _FURTHER if "-" in key else _BY_TYPE.get(column.type, [])
    op = values.get(f"action-{key}", KEEP)
    chosen = [each for each in _FURTHER if each[0] == op and each not in fitting]
    return [*_EVERYWHERE, *fitting, *chosen, *_AT_LAST]


def with_further(values: Fields, key: str) -> dict[str, str]:
    """Return the fields of a form in which a column has one more step."""
    index = key.partition("-")[0]
    if not index.isdecimal():
        return dict(values)
    *_, last = _keys(values, int(index))
    further = f"{index}-{int(last.partition('-')[2] or 0) + 1}"
    return {**values, f"action-{further}": KEEP}


def to_form(recipe: Recipe | None, columns: Sequence[ColumnSchema]) -> dict[str, str]:
    """Return the fields of a recipe; without one, everything is kept."""
    places = {column.name: index for index, column in enumerate(columns)}
    found = {f"action-{index}": KEEP for index in places.values()}
    used: set[str] = set()
    carried: list[tuple[int, Step]] = []
    for place, step in enumerate(recipe.steps if recipe else ()):
        if isinstance(step, Partition | SuppressSmallGroups):
            key, shown = _row_step(step, columns)
        else:
            key, shown = _column_step(step, columns, places, used)
        if not shown or key in used:
            carried.append((place, step))
            continue
        used.add(key)
        found |= shown | {f"place-{key}": str(place)}
    if carried:
        found["carried"] = _CARRIED.dump_json(tuple(carried), ensure_ascii=True).decode()
    return found


def _row_step(step: RowStep, columns: Sequence[ColumnSchema]) -> tuple[str, dict[str, str]]:
    kind = PARTITION if isinstance(step, Partition) else SUPPRESS
    shown = goals.write(step, columns)
    return kind, shown if _says(shown, lambda: goals.read(shown, kind, columns), step) else {}


def _column_step(
    step: ColumnStep, columns: Sequence[ColumnSchema], places: dict[str, int], used: set[str]
) -> tuple[str, dict[str, str]]:
    index = places.get(step.column)
    if index is None or len(used) >= MAX_ROWS:
        return "", {}
    before = sum(key.partition("-")[0] == str(index) for key in used)
    key = f"{index}-{before}" if before else str(index)
    shown = fields.write(step, key)
    if not _says(shown, lambda: fields.read(step.op, shown, key, columns[index].name), step):
        return key, {}
    return key, shown | {f"action-{key}": step.op}


def _says(shown: Fields, read: Callable[[], Step | None], step: Step) -> bool:
    """Tell whether fields describe a step, also after a browser sent them back."""
    single = (text for name, text in shown.items() if not name.startswith("mapping-"))
    try:
        return all(map(str.isprintable, single)) and read() == step
    except ValueError:
        return False


def carried(values: Fields) -> tuple[tuple[int, Step], ...]:
    """Return the steps that no field shows, each with its place.

    Raises:
        ValueError: They were changed on the way.
    """
    return _CARRIED.validate_json(values.get("carried") or "[]")


def needs_places(values: Fields, columns: Sequence[ColumnSchema]) -> bool:
    """Tell whether the order of a form's steps is other than that of its rows."""
    keys = [*(row.key for row in rows(values, columns)), PARTITION, SUPPRESS]
    placed = [
        int(values[name]) for key in keys if values.get(name := f"place-{key}", "").isdecimal()
    ]
    further = any(row.further for row in rows(values, columns))
    return further or bool(values.get("carried")) or placed != sorted(placed)


def from_form(values: Fields, columns: Sequence[ColumnSchema]) -> tuple[Recipe, dict[str, str]]:
    """Return the recipe that the form describes, and an error for each field that is wrong.

    A step without a place comes after the other steps of columns, before those over rows.

    Args:
        values: Fields that were sent.
        columns: The source table's columns.
    """
    errors: dict[str, str] = {}
    steps = [*_kept(values, errors), *_column_steps(values, columns, errors)]
    last = max((place for place, _ in steps if place is not None), default=-1)
    found = [(last + 0.5 if place is None else place, step) for place, step in steps]
    for kind, otherwise in ((PARTITION, last + 0.75), (SUPPRESS, inf)):
        try:
            if step := goals.read(values, kind, columns):
                place = _place(values, kind, errors)
                found.append((otherwise if place is None else place, step))
        except ValueError as error:
            errors[f"{kind}_k"] = f"{_ROW_STEPS[kind]}: {fields.sentence(error)}"
    found.sort(key=itemgetter(0))
    return Recipe(steps=tuple(step for _, step in found)), errors


def _kept(values: Fields, errors: dict[str, str]) -> list[tuple[int | None, Step]]:
    try:
        return [each for each in carried(values) if not values.get(f"without-{each[0]}")]
    except ValueError:
        errors["carried"] = "Steps of the recipe were lost on the way. Please choose it again."
        return []


def _column_steps(
    values: Fields, columns: Sequence[ColumnSchema], errors: dict[str, str]
) -> Iterator[tuple[int | None, Step]]:
    for row in rows(values, columns):
        action = values.get(f"action-{row.key}", KEEP)
        if action == KEEP:
            continue
        try:
            step = fields.read(action, values, row.key, row.column.name)
            yield _place(values, row.key, errors), step
        except ValueError as error:
            errors[f"action-{row.key}"] = f"{row.column.name}: {fields.sentence(error)}"


def _place(values: Fields, key: str, errors: dict[str, str]) -> int | None:
    text = values.get(f"place-{key}", "").strip()
    try:
        return fields.whole(text) if text else None
    except ValueError as error:
        errors[f"place-{key}"] = f"Place of a step: {error}"
        return None
