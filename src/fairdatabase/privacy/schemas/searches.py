"""Records of the automatic search for a recipe: what is asked, and what was found."""

from typing import Literal

from pydantic import Field, FiniteFloat

from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.recipes import Recipe
from fairdatabase.tables.schemas import Record

SearchMethod = Literal["auto", "optimal", "greedy", "mondrian"]
"""``optimal`` finds the recipe with the least loss among all levels of all hierarchies;
``greedy`` finds a good one among too many; ``auto`` takes the one or the other; ``mondrian``
recodes locally: each group of rows gets intervals and sets of its own."""


class SearchRequest(Record):
    """What a recipe has to reach, and how to look for it.

    Attributes:
        goal: What every class of the release fulfils.
        max_suppression: Greatest share of rows that may be left out.
        method: How to search.
        seconds: Time after which the best recipe found so far is taken; None: no limit. With a
            limit the same search may end differently on another day.
        frontier: Further values of k, for each of which the best recipe is found as well.
    """

    goal: Goal = Goal()
    max_suppression: FiniteFloat = Field(default=0.05, ge=0, le=1)
    method: SearchMethod = "auto"
    seconds: FiniteFloat | None = Field(default=None, gt=0)
    frontier: tuple[int, ...] = Field(default=(), max_length=20)


class SearchProgress(Record):
    """How far a search is.

    Attributes:
        fraction: Share of the combinations of levels that are decided, 0 to 1.
        checked: Combinations that were counted out.
        loss: Least loss found so far.
    """

    fraction: float
    checked: int
    loss: float | None


class SensitiveFigures(Record):
    """What the classes of a release give away about a sensitive attribute.

    Attributes:
        column: The attribute.
        distinct_l: Fewest distinct values in a class.
        entropy_l: Smallest exponential of a class's entropy.
        t: Greatest distance of a class from the release.
    """

    column: str
    distinct_l: int
    entropy_l: float
    t: float


class Candidate(Record):
    """A recipe that reaches the goal, and what it costs.

    Attributes:
        levels: Level of each quasi-identifier's hierarchy; empty where it was recoded locally.
        recipe: The recipe.
        loss: Granularity loss: mean over quasi-identifiers and rows of (leaves-1)/(domain-1) where
            leaves are the values that share the label; 1 for rows left out.
        k: Size of the smallest class.
        classes: Number of classes.
        rows_suppressed: Rows left out.
        average_class_size: Rows for each class.
        prosecutor_max: Highest risk of one row, 1/k.
        prosecutor_average: Mean over the rows of 1/size.
        sensitive: What the classes give away.
    """

    levels: dict[str, int]
    recipe: Recipe
    loss: float
    k: int
    classes: int
    rows_suppressed: int
    average_class_size: float
    prosecutor_max: float
    prosecutor_average: float
    sensitive: tuple[SensitiveFigures, ...] = ()


class SearchResult(Record):
    """What a search found.

    Attributes:
        best: The recipe with the least loss; None where no combination reaches the goal.
        proven: Whether all combinations of levels are decided: no other one has a smaller loss, or
            none reaches the goal.
        method: How it was found.
        nodes: Combinations of levels that there are.
        checked: How many of them were counted out; the others were excluded by what was known.
        frontier: Recipes to choose from, highest risk first: none of them is beaten in both
            risk and loss by another one that was counted out.
    """

    best: Candidate | None
    proven: bool
    method: SearchMethod
    nodes: int
    checked: int
    frontier: tuple[Candidate, ...] = ()
