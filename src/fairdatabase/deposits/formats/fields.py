"""A step of a recipe as fields of a form: ``width-3`` is the width of the step with the key 3."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from fairdatabase.kernel.records import in_words
from fairdatabase.privacy.schemas.recipes import (
    CodeExtremes,
    ColumnStep,
    DropColumn,
    Impute,
    Intervals,
    Noise,
    Prefix,
    Pseudonymise,
    Recode,
    Round,
    Shuffle,
    SuppressCells,
    TruncateDate,
)

Fields = Mapping[str, str]
_WORD = r'"(?:[^"\\\n]|\\.)*"|[^"=\n]*?'
_NEW_VALUE = re.compile(rf"\s*({_WORD})\s*=\s*({_WORD})\s*")
_STEPS: dict[str, type[ColumnStep]] = {
    "drop": DropColumn,
    "pseudonymise": Pseudonymise,
    "intervals": Intervals,
    "prefix": Prefix,
    "recode": Recode,
    "truncate_date": TruncateDate,
    "round": Round,
    "code_extremes": CodeExtremes,
    "suppress_cells": SuppressCells,
    "impute": Impute,
    "shuffle": Shuffle,
    "noise": Noise,
}


def read(op: str, values: Fields, key: str, column: str) -> ColumnStep:
    """Return the step that the fields with a key describe.

    Raises:
        ValueError: They describe none; the message of ``sentence`` says why.
    """
    if op not in _STEPS:
        message = "This cannot be done to a column."
        raise ValueError(message)
    step: ColumnStep = _STEPS[op].model_validate({"column": column, **_PARAMETERS[op](values, key)})
    return step


def write(step: ColumnStep, key: str) -> dict[str, str]:
    """Return the parameters of a step as the fields with a key."""
    shown = step.model_dump(exclude={"op", "column"}, exclude_none=True)
    return {f"{name}-{key}": text(value) for name, value in shown.items()}


def sentence(error: ValueError) -> str:
    """Say what is wrong with a field."""
    if isinstance(error, ValidationError):
        return in_words(error.errors(include_url=False)[0])
    return str(error)


def pairs(typed: str) -> dict[str, str]:
    """Return what a text of lines ``old = new`` gives each old value.

    Raises:
        ValueError: A line cannot be read.
    """
    found: dict[str, str] = {}
    for line in typed.replace("\r\n", "\n").split("\n"):
        match = _NEW_VALUE.fullmatch(line)
        if line.strip() and not match:
            message = (
                f"{line.strip()!r} cannot be read. Write one value a line: old value = new value;"
                " values with an equals sign or quotation marks stand in double quotes."
            )
            raise ValueError(message)
        if match:
            found[_unquoted(match[1])] = _unquoted(match[2])
    return found


def lines(mapping: Mapping[str, str]) -> str:
    """Return a mapping as the lines that ``pairs`` reads."""
    return "\n".join(f"{_quoted(old)} = {_quoted(new)}" for old, new in mapping.items())


def text(value: object) -> str:
    """Return a parameter as what somebody would type."""
    if isinstance(value, dict):
        return lines(value)
    if isinstance(value, tuple | list):
        return "; ".join(map(text, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def number(typed: str) -> float:
    """Return a number with a decimal point or comma.

    Raises:
        ValueError: It is none.
    """
    try:
        return float(typed.strip().replace(",", "."))
    except ValueError:
        message = "Write a number, for example 10; several bounds are set apart by semicolons."
        raise ValueError(message) from None


def whole(typed: str) -> int:
    """Return a whole number.

    Raises:
        ValueError: It is none.
    """
    if not typed.strip().lstrip("-").isdecimal():
        message = "Write a whole number."
        raise ValueError(message)
    return int(typed)


def _interval_bounds(values: Fields, key: str) -> dict[str, Any]:
    origin = values.get(f"origin-{key}", "").strip()
    begins = {"origin": number(origin)} if origin else {}
    cuts = values.get(f"cuts-{key}", "").strip()
    if cuts:
        return {"cuts": [number(part) for part in cuts.split(";")], **begins}
    return {"width": number(values.get(f"width-{key}", "")), **begins}


def _bounds(values: Fields, key: str) -> dict[str, Any]:
    given = {name: values.get(f"{name}-{key}", "").strip() for name in ("bottom", "top")}
    return {name: number(typed) for name, typed in given.items() if typed}


def _cells(values: Fields, key: str) -> dict[str, Any]:
    for name in ("rarer_than", "groups_below"):
        if typed := values.get(f"{name}-{key}", "").strip():
            return {name: whole(typed)}
    message = "Say below how many rows a cell is emptied."
    raise ValueError(message)


def _noise(values: Fields, key: str) -> dict[str, Any]:
    return {
        "scale": number(values.get(f"scale-{key}", "")),
        "distribution": values.get(f"distribution-{key}") or "laplace",
    }


def _imputation(values: Fields, key: str) -> dict[str, Any]:
    return {"by": values.get(f"by-{key}") or "mode", **_within(values, key)}


def _within(values: Fields, key: str) -> dict[str, Any]:
    return {"within": values.get(f"within-{key}") or "table"}


def _mapping(values: Fields, key: str) -> dict[str, Any]:
    mapping = pairs(values.get(f"mapping-{key}", ""))
    return {"mapping": mapping, "other": values.get(f"other-{key}", "").strip() or None}


def _whole(name: str) -> Callable[[Fields, str], dict[str, Any]]:
    return lambda values, key: {name: whole(values.get(f"{name}-{key}", ""))}


def _nothing(_values: Fields, _key: str) -> dict[str, Any]:
    return {}


_PARAMETERS: dict[str, Callable[[Fields, str], dict[str, Any]]] = {
    "drop": _nothing,
    "pseudonymise": _nothing,
    "intervals": _interval_bounds,
    "prefix": _whole("length"),
    "recode": _mapping,
    "truncate_date": lambda values, key: {"to": values.get(f"to-{key}", "year")},
    "round": _whole("decimals"),
    "code_extremes": _bounds,
    "suppress_cells": _cells,
    "impute": _imputation,
    "shuffle": _within,
    "noise": _noise,
}


def _quoted(value: str) -> str:
    shown = value.isprintable()
    plain = shown and value == value.strip() != "" and not re.search(r'["=\\]', value)
    return value if plain else json.dumps(value, ensure_ascii=not shown)


def _unquoted(typed: str) -> str:
    return str(json.loads(typed)) if typed.startswith('"') else typed
