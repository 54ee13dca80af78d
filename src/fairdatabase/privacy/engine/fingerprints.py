"""Fingerprints of microbiomes: do few kinds of microbes tell a sample apart from all others?

A presence code of a sample is a set of taxa that it has, and that no sample of somebody else has
together (Franzosa et al. 2015). Whoever knows a short code of a person finds the person's sample.
The shortest code is a smallest hitting set; the greedy one found here is hardly longer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fairdatabase.privacy.engine.session import Source, described, row_count
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import FingerprintRemedy, FingerprintRisk
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType

Flags = NDArray[np.bool_]

MAX_CODE = 5
"""Most taxa in a code: more are hardly known of a person."""

PREVALENT = 0.1
"""Share of the samples that a taxon has to occur in to stay after the filter."""

HIGH_SHARE = 0.2
"""Share of unique samples from which on open publication is advised against."""

MAX_COMPARISONS = 20_000_000_000
"""Pairs of samples times taxa that are looked through: about half a minute."""

FEWEST_TAXA = 5
"""Fewer columns with names of taxa are no table of abundances."""

_LINEAGE = re.compile(r"(^|[|;\s])[dkpcofgst]__")
_VARIANT = re.compile(r"(ASV|OTU|zOTU)[_-]?\d+")
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


@dataclass(frozen=True)
class Codes:
    """The shortest code found for each sample.

    Attributes:
        size: Taxa in the code; 0 where none of at most ``MAX_CODE`` tells the sample apart.
    """

    size: NDArray[np.int64]

    @property
    def unique(self) -> int:
        """How many samples are told apart."""
        return int(np.count_nonzero(self.size))


def presence_codes(present: Flags, subjects: NDArray[np.int64]) -> Codes:
    """Find a short presence code of each sample, greedily.

    Args:
        present: Whether a sample has a taxon, shape (samples, taxa).
        subjects: Number of the person each sample is from; samples of one person do not count
            against each other.
    """
    prevalence = present.sum(axis=0)
    sizes = np.zeros(present.shape[0], dtype=np.int64)
    for sample, own in enumerate(present):
        taxa = np.flatnonzero(own)
        taxa = taxa[np.argsort(prevalence[taxa], kind="stable")]
        others = subjects != subjects[sample]
        sizes[sample] = _code_size(present[:, taxa], others) if others.any() else 0
    return Codes(sizes)


def _code_size(present: Flags, others: Flags) -> int:
    """Choose the taxon that the fewest of the others have, until nobody is left."""
    left = present[others]
    for size in range(1, MAX_CODE + 1):
        if left.shape[1] == 0:
            return 0
        shared = left.sum(axis=0)
        best = int(np.argmin(shared))
        if shared[best] == 0:
            return size
        left = left[left[:, best]]
    return 0


def assess_fingerprints(
    source: Source,
    *,
    taxa: Sequence[str],
    subject: str | None = None,
    columns: Sequence[ColumnSchema] | None = None,
) -> FingerprintRisk:
    """Measure how many samples a short presence code tells apart, and what would help.

    Args:
        source: Parquet file, or Arrow table in memory, with a row for each sample.
        taxa: Columns of abundances; more than 0 means present.
        subject: Column that says whose sample it is; without one each is of somebody else.
        columns: Schema of the table; without one its own names and types are taken.

    Raises:
        AssessmentError: If a column does not exist, or one of taxa holds no numbers.
    """
    known = described(source, columns)
    wrong = [name for name in taxa if name not in known or known[name].type not in _NUMBERS] + [
        name for name in [subject] if name is not None and name not in known
    ]
    if wrong or not taxa:
        raise AssessmentError(
            "Abundances are columns of numbers, at least one; these are none:"
            f" {', '.join(map(repr, wrong)) or 'none was named'}.",
            details={"columns": wrong},
        )
    present = _present(source, [known[name].key for name in taxa])
    samples = present.shape[0]
    subjects = np.arange(samples)
    if subject is not None:
        whose = _columns(source, [known[subject].key])[0].dictionary_encode().combine_chunks()
        # Whose sample it is may be unknown; then it is somebody else's than all others.
        subjects = pc.coalesce(whose.indices.cast(pa.int64()), pa.array(-1 - subjects)).to_numpy()
    found = presence_codes(present, subjects)
    return FingerprintRisk(
        samples=samples,
        taxa=len(taxa),
        unique_samples=found.unique,
        unique_share=found.unique / samples if samples else 1.0,
        by_size=tuple(int((found.size == size).sum()) for size in range(1, MAX_CODE + 1)),
        remedies=tuple(_remedies(taxa, present, subjects)),
        advice=_advice(found.unique, samples),
    )


def taxa_of(columns: Sequence[ColumnSchema]) -> tuple[str, ...]:
    """Return the columns of a table that look like abundances of taxa.

    These are numbers that nobody called known, sensitive or an identifier, with a lineage such as
    ``g__Prevotella`` or the number of a variant such as ``ASV12`` for a name; where binomials
    such as ``Prevotella copri`` make most of the numbers, these as well.

    Args:
        columns: Of the table, with their roles.
    """
    numbers = [
        column.name
        for column in columns
        if column.type in _NUMBERS
        and column.role in {ColumnRole.INSENSITIVE, ColumnRole.UNASSIGNED}
    ]
    sure = [name for name in numbers if _LINEAGE.search(name) or _VARIANT.match(name)]
    certain = set(sure)
    named = [name for name in numbers if name in certain or genus(name) is not None]
    taxa = named if 2 * len(named) > len(numbers) else sure
    return tuple(taxa) if len(taxa) >= FEWEST_TAXA else ()


def find_fingerprints(
    source: Source, columns: Sequence[ColumnSchema], *, subject: str | None = None
) -> FingerprintRisk | None:
    """Measure the samples of a table that has columns of abundances and is not too large.

    Args:
        source: Parquet file, or Arrow table in memory.
        columns: Its schema, with roles.
        subject: Column that says whose sample it is.
    """
    taxa = taxa_of(columns)
    if not taxa or row_count(source) ** 2 * len(taxa) > MAX_COMPARISONS:
        return None
    return assess_fingerprints(source, taxa=taxa, subject=subject, columns=columns)


def genus(name: str) -> str | None:
    """Return the genus in the name of a taxon; None where none can be told.

    Understands lineages such as ``k__Bacteria|g__Prevotella|s__copri`` and binomials such as
    ``Prevotella copri``.
    """
    for part in name.replace(";", "|").split("|"):
        if part.strip().lower().startswith("g__"):
            return part.strip()[3:] or None
    words = name.replace("_", " ").split()
    binomial = len(words) > 1 and words[0][:1].isupper() and words[0][1:].islower()
    return words[0] if binomial and words[1].islower() else None


def _remedies(
    taxa: Sequence[str], present: Flags, subjects: NDArray[np.int64]
) -> list[FingerprintRemedy]:
    samples = max(present.shape[0], 1)
    found = []
    genera: dict[str, list[int]] = {}
    for place, name in enumerate(taxa):
        if (known := genus(name)) is not None:
            genera.setdefault(known, []).append(place)
    if 1 < len(genera) < len(taxa):
        merged = np.column_stack(
            [present[:, places].any(axis=1) for _, places in sorted(genera.items())]
        )
        unique = presence_codes(merged, subjects).unique
        found.append(
            FingerprintRemedy(
                name="genus", taxa=len(genera), unique_samples=unique, unique_share=unique / samples
            )
        )
    kept = present[:, present.mean(axis=0) >= PREVALENT] if present.size else present
    unique = presence_codes(kept, subjects).unique
    found.append(
        FingerprintRemedy(
            name="prevalence",
            taxa=kept.shape[1],
            unique_samples=unique,
            unique_share=unique / samples,
        )
    )
    return found


def _advice(unique: int, samples: int) -> tuple[str, ...]:
    if samples == 0:
        return ("The table has no samples; nothing about it was shown to be safe.",)
    if unique == 0:
        return (
            "No few taxa tell a sample apart. Abundances still may: round them, or publish ranks.",
        )
    advice = [
        "Add up the taxa to genera: fewer and more common columns tell fewer people apart.",
        f"Leave out taxa that occur in less than {PREVALENT:.0%} of the samples.",
        "Round the abundances: exact numbers find a sample even where its taxa are common.",
    ]
    if unique >= HIGH_SHARE * samples:
        advice.append("Prefer restricted access: an open table of abundances is a key to people.")
    return tuple(advice)


def _columns(source: Source, keys: list[str]) -> list[pa.ChunkedArray]:
    if isinstance(source, pa.Table):
        return [source[key] for key in keys]
    with pq.ParquetFile(source) as file:
        table = file.read(columns=keys)
    return [table[key] for key in keys]


def _present(source: Source, keys: list[str]) -> Flags:
    flags: Flags = np.column_stack(
        [pc.fill_null(pc.greater(column, 0), False).to_numpy() for column in _columns(source, keys)]
    )
    return flags
