"""The steps of a release recipe: whether they fit the columns, and as SQL expressions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

from fairdatabase.privacy.engine.pseudonyms import pseudonym_sql
from fairdatabase.privacy.errors import RecipeError
from fairdatabase.privacy.schemas.recipes import (
    CodeExtremes,
    ColumnStep,
    DropColumn,
    Impute,
    Intervals,
    Noise,
    Partition,
    Prefix,
    Pseudonymise,
    Recipe,
    Recode,
    Round,
    RowStep,
    Shuffle,
    Step,
    SuppressCells,
    SuppressSmallGroups,
    TableStep,
    TruncateDate,
    ValueStep,
)
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType

NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
CODES = (ColumnType.TEXT, ColumnType.INTEGER)
CATEGORIES = (*CODES, ColumnType.BOOLEAN)
DATES = (ColumnType.DATE, ColumnType.DATETIME)
_DATES = {
    "day": "strftime({0}, '%Y-%m-%d')",
    "month": "strftime({0}, '%Y-%m')",
    "quarter": "strftime({0}, '%Y-Q') || quarter({0})",
    "year": "strftime({0}, '%Y')",
    "decade": "printf('%04ds', (floor(year({0}) / 10) * 10)::BIGINT)",
}
MAX_DECIMALS = 9
MAX_BOUND = 1e15
"""Beyond this, whole numbers are not exact in floating point."""


@dataclass(frozen=True)
class Expression:
    """SQL that computes a column from the source, and the parameters it needs."""

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def wrap(self, sql: str, **parameters: Any) -> "Expression":  # noqa: ANN401 - any SQL value
        """Return a further expression over this one."""
        return Expression(sql, self.parameters | parameters)


def check(recipe: Recipe, columns: Sequence[ColumnSchema]) -> None:
    """Check that a recipe fits the columns of a table, without looking at its rows.

    Args:
        recipe: Steps to check.
        columns: Columns of the source.

    Raises:
        RecipeError: If it does not; the message says which step, which column and how to mend it.
    """
    known = {column.name: column for column in columns}
    for index, step in enumerate(recipe.steps):
        if isinstance(step, SuppressSmallGroups | Partition):
            _check_rows(index, step, known, last=index == len(recipe.steps) - 1)
            known |= partitioned(step, known)
            continue
        column = known.get(step.column)
        if column is None:
            raise refusal(
                index, step, "there is no such column at this step; correct its name or the order"
            )
        _check_step(index, step, column)
        if isinstance(step, DropColumn):
            del known[step.column]
        else:
            known[step.column] = changed_column(step, column)
    if not known:
        raise RecipeError("The recipe drops every column; keep at least one.")


def refusal(index: int, step: Step, reason: str) -> RecipeError:
    """Return the error that names a step of a recipe and its column."""
    column = None if isinstance(step, SuppressSmallGroups | Partition) else step.column
    where = f" of column {column!r}" if column is not None else ""
    return RecipeError(
        f"Step {index} ({step.op}{where}): {reason}.",
        details={"step": index, "op": step.op, "column": column},
    )


def changed_column(step: ValueStep | TableStep, column: ColumnSchema) -> ColumnSchema:
    """Return the schema of a column after a step; a pseudonym identifies nobody directly."""
    if isinstance(step, Round | CodeExtremes | SuppressCells | Impute | Shuffle | Noise):
        return column
    role = column.role
    if isinstance(step, Pseudonymise) and role is ColumnRole.DIRECT_IDENTIFIER:
        role = ColumnRole.INSENSITIVE
    return column.model_copy(update={"type": ColumnType.TEXT, "role": role})


def apply_step(step: ValueStep, value: Expression, index: int, key: bytes | None) -> Expression:
    """Return a column after a step, as SQL.

    Args:
        step: Step that was checked.
        value: The column before the step.
        index: Place of the step in the recipe.
        key: Pseudonym key of the dataset.

    Raises:
        RecipeError: If the step needs a key and there is none.
    """
    if isinstance(step, Pseudonymise):
        if key is None:
            raise refusal(index, step, "pseudonyms need the key of the dataset; pass one")
        sql, parameters = pseudonym_sql(f"CAST({value.sql} AS VARCHAR)", key, index)
        return value.wrap(sql, **parameters)
    if isinstance(step, Recode):
        return _recoded(step, value, index)
    return value.wrap(_step_sql(step, value.sql))


def _step_sql(step: Intervals | Prefix | TruncateDate | Round | CodeExtremes, value: str) -> str:
    match step:
        case Intervals():
            return _intervals_sql(step, f"CAST({value} AS DOUBLE)")
        case Prefix():
            return f"left_grapheme(CAST({value} AS VARCHAR), {step.length})"
        case TruncateDate():
            label = _DATES[step.to].format(value)
            return f"CASE WHEN isfinite({value}) THEN {label} ELSE CAST({value} AS VARCHAR) END"
        case CodeExtremes():
            return _extremes_sql(step, value)
    return f"round({value}, {step.decimals})"


def _recoded(step: Recode, value: Expression, index: int) -> Expression:
    text = f"CAST({value.sql} AS VARCHAR)"
    return value.wrap(
        f"CASE WHEN {text} IS NOT NULL THEN"
        f" coalesce({_mapped(text, index)}, $other{index}::VARCHAR) END",
        **_mapping_parameters(step, index),
        **{f"other{index}": step.other},
    )


def unmapped(step: Recode, value: Expression, index: int) -> Expression:
    """Return SQL that is true for the values a mapping does not name."""
    text = f"CAST({value.sql} AS VARCHAR)"
    return value.wrap(
        f"{text} IS NOT NULL AND {_mapped(text, index)} IS NULL",
        **_mapping_parameters(step, index),
    )


def interval_bound(value: float) -> str:
    """Return a bound without a needless fraction or exponent."""
    return format(Decimal(repr(value)).normalize(), "f")


def _mapped(text: str, index: int) -> str:
    return f"map($old{index}::VARCHAR[], $new{index}::VARCHAR[])[{text}]"


def _mapping_parameters(step: Recode, index: int) -> dict[str, list[str]]:
    return {f"old{index}": list(step.mapping), f"new{index}": list(step.mapping.values())}


def _intervals_sql(step: Intervals, value: str) -> str:
    """Return SQL for the label of a number's interval; what is not finite keeps its name."""
    label = _equal_width_sql(step, value) if step.cuts is None else _cuts_sql(step.cuts, value)
    return (
        f"CASE WHEN {value} IS NULL THEN NULL"
        f" WHEN NOT isfinite({value}) THEN CAST({value} AS VARCHAR) ELSE {label} END"
    )


def _cuts_sql(cuts: Sequence[float], value: str) -> str:
    bounds = [interval_bound(cut) for cut in cuts]
    branches = [f"WHEN {value} < {cuts[0]!r}::DOUBLE THEN '< {bounds[0]}'"]
    branches += [
        f"WHEN {value} < {upper!r}::DOUBLE THEN '[{low}, {high})'"
        for upper, (low, high) in zip(cuts[1:], pairwise(bounds), strict=True)
    ]
    return f"CASE {' '.join(branches)} ELSE '>= {bounds[-1]}' END"


def _equal_width_sql(step: Intervals, value: str) -> str:
    """Return SQL for ``[origin + i width, origin + (i + 1) width)``.

    Bounds are whole multiples of the last decimal place, divided once, so that they are the
    nearest floating-point numbers to what the label says. The first guess of i is off by one where
    the division rounds: comparing with the bounds puts 0.29 into [0.29, 0.3).
    """
    width, origin = (Decimal(repr(number)) for number in (step.width, step.origin))
    places = max(0, *(-int(number.normalize().as_tuple().exponent) for number in (width, origin)))
    scale = 10**places
    start, stride = int(origin * scale), int(width * scale)

    def bound(index: str) -> str:
        return f"(({start}::DOUBLE + ({index}) * {stride}::DOUBLE) / {scale}::DOUBLE)"

    guess = f"floor(({value} - {step.origin!r}::DOUBLE) / {step.width!r}::DOUBLE)"
    index = (
        f"({guess} + ({value} >= {bound(guess + ' + 1')})::INTEGER"
        f" - ({value} < {bound(guess)})::INTEGER)"
    )
    layout = f"'%.{places}f'"
    return (
        f"'[' || printf({layout}, {bound(index)}) || ', '"
        f" || printf({layout}, {bound(index + ' + 1')}) || ')'"
    )


def _extremes_sql(step: CodeExtremes, value: str) -> str:
    branches = [
        f"WHEN {value} {sign} {_typed(bound)} THEN {_typed(bound)}"
        for sign, bound in (("<", step.bottom), (">", step.top))
        if bound is not None
    ]
    return f"CASE {' '.join(branches)} ELSE {value} END"


def _typed(bound: float) -> str:
    return f"{int(bound)}::BIGINT" if bound == int(bound) else f"{bound!r}::DOUBLE"


def _check_rows(
    index: int, step: RowStep, columns: Mapping[str, ColumnSchema], *, last: bool
) -> None:
    if step.k < 1:
        raise refusal(index, step, f"k is {step.k}; use 1 or more, commonly 5")
    named = [goal.column for goal in step.sensitive]
    if isinstance(step, Partition):
        if not step.columns or len(set(step.columns)) < len(step.columns):
            raise refusal(index, step, "name the columns to recode, each once")
        named += step.columns
        for group in step.groups:
            _check_group(index, step, group, columns)
    elif not last:
        raise refusal(index, step, "later steps change the groups again; make it the last step")
    gone = sorted(set(named) - set(columns))
    if gone:
        raise refusal(
            index,
            step,
            f"there is no column {', '.join(map(repr, gone))} at this step; correct its name or"
            " the order",
        )


def _check_group(
    index: int, step: Partition, group: Recode, columns: Mapping[str, ColumnSchema]
) -> None:
    if group.column not in step.columns:
        reason = f"groups of {group.column!r}, which is not among the columns; add it"
        raise refusal(index, step, reason)
    if group.column in columns:
        problem = _type_problem(group, columns[group.column].type)
        if problem:
            raise refusal(index, step, f"groups of {group.column!r}: {problem}")


def partitioned(step: RowStep, columns: Mapping[str, ColumnSchema]) -> dict[str, ColumnSchema]:
    """Return the columns that a step over rows turns into text."""
    names = step.columns if isinstance(step, Partition) else ()
    return {name: columns[name].model_copy(update={"type": ColumnType.TEXT}) for name in names}


def _check_step(index: int, step: ColumnStep, column: ColumnSchema) -> None:
    problem = _type_problem(step, column.type) or _option_problem(step, column.type)
    if problem:
        raise refusal(index, step, problem)


def _type_problem(step: ColumnStep, found: ColumnType) -> str | None:
    allowed, advice = _TYPES.get(type(step), ((), ""))
    if isinstance(step, Impute) and step.by != "mode":
        allowed, advice = NUMBERS, "impute the most frequent value, by 'mode'"
    if not allowed or found in allowed:
        return None
    wanted = " or ".join(allowed)
    return f"the column holds {found}, the step needs {wanted}; {advice}"


def _option_problem(step: ColumnStep, found: ColumnType) -> str | None:
    if isinstance(step, CodeExtremes):
        return _extremes_problem(step, found)
    if isinstance(step, SuppressCells):
        return _cells_problem(step)
    if isinstance(step, Intervals):
        return _interval_problem(step)
    return _other_problem(step)


def _other_problem(step: ColumnStep) -> str | None:
    match step:
        case Noise() if not 0 < step.scale <= MAX_BOUND:
            return f"the scale is {step.scale:g}; use one above 0 and at most {MAX_BOUND:.0e}"
        case Prefix() if step.length < 1:
            return f"the length is {step.length}; keep at least one character, or drop the column"
        case Round() if abs(step.decimals) > MAX_DECIMALS:
            return f"{step.decimals} decimals; use -{MAX_DECIMALS} to {MAX_DECIMALS}"
        case Recode() if not step.mapping and step.other is None:
            return "the mapping is empty; name new values, or one for all others"
    return None


def _extremes_problem(step: CodeExtremes, found: ColumnType) -> str | None:
    bounds = [bound for bound in (step.bottom, step.top) if bound is not None]
    if not bounds:
        return "give a bottom, a top or both"
    if any(abs(bound) > MAX_BOUND for bound in bounds):
        return f"bounds beyond {MAX_BOUND:.0e} are not exact; use smaller ones"
    if sorted(bounds) != bounds:
        return "the bottom lies above the top; swap them"
    if found is ColumnType.INTEGER and any(bound != int(bound) for bound in bounds):
        return "the column holds whole numbers; use whole bounds"
    return None


def _cells_problem(step: SuppressCells) -> str | None:
    if (step.rarer_than is None) == (step.groups_below is None):
        return "give either 'rarer_than' or 'groups_below'"
    if (step.rarer_than or step.groups_below or 0) < 1:
        return "the number is below 1; use 2 or more, commonly 5"
    return None


def _interval_problem(step: Intervals) -> str | None:
    if (step.width is None) == (step.cuts is None):
        return "give either a width or cuts"
    numbers = [step.origin, step.width or 0.0, *(step.cuts or ())]
    if any(abs(number) > MAX_BOUND for number in numbers):
        return f"bounds beyond {MAX_BOUND:.0e} are not exact; use smaller ones"
    if step.width is not None and step.width <= 0:
        return f"the width is {step.width:g}; use a width above 0"
    if step.cuts == () or any(low >= high for low, high in pairwise(step.cuts or ())):
        return "cuts must be one or more numbers, ascending and each once"
    if any(round(number, MAX_DECIMALS) != number for number in numbers):
        return f"bounds have more than {MAX_DECIMALS} decimals; round them"
    return None


_TYPES: dict[type[ColumnStep], tuple[tuple[ColumnType, ...], str]] = {
    Intervals: (NUMBERS, "recode texts, truncate dates"),
    Round: (NUMBERS, "recode texts, truncate dates"),
    CodeExtremes: (NUMBERS, "recode texts, truncate dates"),
    Noise: (NUMBERS, "shuffle texts and dates"),
    Prefix: (CODES, "use intervals or rounding for numbers, truncate dates"),
    Recode: (CATEGORIES, "use intervals for numbers, truncate dates"),
    TruncateDate: (DATES, "use intervals for numbers, prefixes for texts"),
}
