"""Hierarchies as people edit them: by what each level joins of the level before.

``compose`` makes a hierarchy of edited levels, ``members`` shows one for editing, and ``coarser``
proposes a further level.
"""

from collections.abc import Sequence
from pathlib import Path

from fairdatabase.privacy.engine.hierarchies import (
    Domain,
    check_levels,
    domain,
    fitting,
)
from fairdatabase.privacy.engine.session import open_session
from fairdatabase.privacy.errors import HierarchyError
from fairdatabase.privacy.schemas.hierarchies import (
    Generalisation,
    Grouping,
    GroupMember,
    Hierarchy,
    KeptLevel,
    LevelDraft,
)
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Prefix,
    Recode,
    TruncateDate,
)
from fairdatabase.tables.schemas import ColumnSchema

_DATES = ("day", "month", "quarter", "year", "decade")

Labels = Sequence[str | None]


def compose(
    source: Path, column: ColumnSchema, levels: Sequence[LevelDraft], present: Hierarchy
) -> Hierarchy:
    """Make a hierarchy of edited levels.

    A label of ``other`` is given to what a grouping does not name, so that the hierarchy does not
    name it either; without one it keeps its label.

    Args:
        source: Parquet file of the table.
        column: Its column.
        levels: Edited levels, finest first.
        present: The hierarchy that kept levels are taken from.

    Raises:
        HierarchyError: If a kept level is gone, or a level does not fit the type of the column.
    """
    with open_session() as connection:
        values: Labels = domain(connection, source, column).texts
        below, made = values, list[Generalisation]()
        for draft in levels:
            level = _composed(column.name, draft, present, values, below)
            made.append(level)
            check_levels(Hierarchy(column=column.name, levels=tuple(made)), column)
            below = _labels(domain(connection, source, column, [level]))[0]
    return Hierarchy(column=column.name, levels=tuple(made))


def _composed(
    column: str, draft: LevelDraft, present: Hierarchy, values: Labels, below: Labels
) -> Generalisation:
    if isinstance(draft, KeptLevel):
        if draft.place >= len(present.levels):
            raise HierarchyError("The levels were changed elsewhere meanwhile; look at them again.")
        return present.levels[draft.place]
    if not isinstance(draft, Grouping):
        return draft
    mapping: dict[str, str] = {}
    for value, name in zip(values, below, strict=True):
        if value is None or name is None:
            continue
        group = draft.members.get(name, name if draft.other is None else draft.other)
        if group != draft.other:
            mapping[value] = group
    return Recode(column=column, mapping=mapping, other=draft.other)


def members(
    source: Path, column: ColumnSchema, hierarchy: Hierarchy, *, limit: int
) -> tuple[tuple[GroupMember, ...] | None, ...]:
    """Return, for each level that groups values, what it joins.

    Args:
        source: Parquet file of the table.
        column: Its column.
        hierarchy: Hierarchy that fits it.
        limit: Most members of a level that somebody can edit one by one.

    Returns:
        The labels of the level before, in the order of the values; where some have to be left out,
        these are rare ones that get the level's label for all others. None for a level that is no
        list of values, or names too many.

    Raises:
        HierarchyError: If the hierarchy does not fit, see ``check_hierarchy``.
    """
    with open_session() as connection:
        found = fitting(connection, source, column, hierarchy)
    labels = [found.texts, *_labels(found)]
    return tuple(
        _members(level, labels[place], labels[place + 1], found, limit)
        if isinstance(level, Recode)
        else None
        for place, level in enumerate(hierarchy.levels)
    )


def _members(
    level: Recode, below: Labels, groups: Labels, found: Domain, limit: int
) -> tuple[GroupMember, ...] | None:
    joined: dict[str, tuple[int, str]] = {}
    for label, group, rows in zip(below, groups, found.rows.tolist(), strict=True):
        if label is not None and group is not None:
            joined[label] = (joined.get(label, (0, ""))[0] + rows, group)
    listed = [
        GroupMember(label=label, rows=rows, group=group) for label, (rows, group) in joined.items()
    ]
    if len(listed) <= limit:
        return tuple(listed)
    named = [each for each in listed if each.group != level.other]
    if level.other is None or len(named) > limit:
        return None
    others = sorted((each for each in listed if each.group == level.other), key=_rarity)
    return (*named, *others[: limit - len(named)])


def _rarity(member: GroupMember) -> tuple[int, str]:
    return -member.rows, member.label


def _labels(found: Domain) -> list[Labels]:
    return [labels.to_pylist() for labels in found.labels]


def coarser(hierarchy: Hierarchy) -> LevelDraft:
    """Return a level to go on with, coarser than the last one that keeps the column."""
    kept = [level for level in hierarchy.levels if not isinstance(level, DropColumn)]
    match kept[-1] if kept else None:
        case Intervals(width=float(width)) as last:
            return last.model_copy(update={"width": 2 * width})
        case Intervals(cuts=tuple(cuts)) as last if len(cuts) > 1:
            return last.model_copy(update={"cuts": cuts[1::2]})
        case Prefix(length=length) as last if length > 1:
            return last.model_copy(update={"length": length - 1})
        case TruncateDate(to=to) as last:
            further = _DATES[min(_DATES.index(to) + 1, len(_DATES) - 1)]
            return TruncateDate.model_validate(last.model_dump() | {"to": further})
    return Grouping()
