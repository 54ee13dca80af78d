"""Recipes that a search found: their steps, what they cost, and which to choose from."""

from collections.abc import Sequence

import numpy as np

from fairdatabase.privacy.engine.detect import identifies_records
from fairdatabase.privacy.engine.goals import Attribute, Flags, failures, of_classes
from fairdatabase.privacy.engine.lattice import Figures, Lattice
from fairdatabase.privacy.engine.measures import Integers, measure
from fairdatabase.privacy.engine.optimal import Task
from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Pseudonymise,
    Recipe,
    Step,
    SuppressSmallGroups,
)
from fairdatabase.privacy.schemas.searches import Candidate, SensitiveFigures
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema

MAX_CHOICES = 25
"""Most recipes to choose from."""


def identifier_steps(columns: Sequence[ColumnSchema]) -> tuple[Step, ...]:
    """Return the steps for direct identifiers: left out, or pseudonyms where they link files."""
    return tuple(
        Pseudonymise(column=column.name)
        if identifies_records(column.name)
        else DropColumn(column=column.name)
        for column in columns
        if column.role is ColumnRole.DIRECT_IDENTIFIER
    )


_NO_DEMAND = ("column", "ordered")


def suppression(goal: Goal) -> SuppressSmallGroups:
    """Return the step that leaves out what does not reach a goal."""
    asked = tuple(each for each in goal.sensitive if _asks(each.model_dump()))
    return SuppressSmallGroups(k=goal.k, sensitive=asked)


def _asks(goal: dict[str, object]) -> bool:
    return any(value is not None for name, value in goal.items() if name not in _NO_DEMAND)


def undecided(columns: Sequence[ColumnSchema], goal: Goal) -> Recipe:
    """Return the recipe that drops every quasi-identifier, where nothing finer is known."""
    chosen = [each for each in columns if each.role is ColumnRole.QUASI_IDENTIFIER]
    drops = [DropColumn(column=column.name) for column in chosen]
    last = (suppression(goal),) if chosen else ()
    return Recipe(steps=(*identifier_steps(columns), *drops, *last))


def candidate(
    lattice: Lattice, figures: Figures, goal: Goal, first_steps: Sequence[Step]
) -> Candidate:
    """Return a node as a recipe.

    Args:
        lattice: Lattice of the node.
        figures: What is known of it.
        goal: What it reaches.
        first_steps: Steps for other columns.
    """
    table = lattice.table
    rungs = [ladder[place] for ladder, place in zip(table.ladders, figures.node, strict=True)]
    steps = [
        hierarchy.levels[rung.level - 1]
        for hierarchy, rung in zip(table.hierarchies, rungs, strict=True)
        if rung.level
    ]
    groups = lattice.groups(figures.node)
    attributes = lattice.attributes(groups)
    last = (suppression(goal),) if table.names else ()
    return describe(
        levels={name: rung.level for name, rung in zip(table.names, rungs, strict=True)},
        recipe=Recipe(steps=(*first_steps, *steps, *last)),
        loss=figures.loss,
        sizes=groups.sizes,
        attributes=attributes,
        failing=failures(groups.sizes, goal.k, attributes),
    )


def describe(
    *,
    levels: dict[str, int],
    recipe: Recipe,
    loss: float,
    sizes: Integers,
    attributes: Sequence[Attribute],
    failing: Flags,
) -> Candidate:
    """Return the record of a recipe whose classes are known; one of them has to stay."""
    stay = sizes[~failing]
    rows, k = int(stay.sum()), int(stay.min())
    return Candidate(
        levels=levels,
        recipe=recipe,
        loss=loss,
        k=k,
        classes=stay.size,
        rows_suppressed=int(sizes[failing].sum()),
        average_class_size=rows / stay.size,
        prosecutor_max=1 / k,
        prosecutor_average=stay.size / rows,
        sensitive=tuple(_sensitive(attribute, ~failing) for attribute in attributes),
    )


def _sensitive(attribute: Attribute, stay: Flags) -> SensitiveFigures:
    measured = measure(of_classes(attribute.counts, stay), ordered=attribute.ordered, recursive_l=2)
    return SensitiveFigures(
        column=attribute.goal.column,
        distinct_l=int(measured.distinct.min()),
        entropy_l=float(np.exp(measured.entropy.min())),
        t=float(measured.t.max()),
    )


def chosen_candidates(
    lattice: Lattice, tasks: Sequence[Task], first_steps: Sequence[Step]
) -> tuple[Candidate, ...]:
    """Return recipes to choose from: none is beaten in both risk and loss by another one.

    Args:
        lattice: Lattice of the nodes.
        tasks: Searches for several goals.
        first_steps: Steps for other columns.
    """
    ordered = sorted(
        ((figures, task.goal) for task in tasks for figures in task.found),
        key=lambda each: (each[0].loss, -each[0].k, each[0].node),
    )
    front: list[tuple[Figures, Goal]] = []
    for figures, goal in ordered:
        if not front or figures.k > front[-1][0].k:
            front.append((figures, goal))
    keep = np.unique(np.linspace(0, len(front) - 1, min(MAX_CHOICES, len(front))).astype(int))
    chosen = [front[place] for place in keep.tolist()]
    return tuple(candidate(lattice, figures, goal, first_steps) for figures, goal in chosen)
