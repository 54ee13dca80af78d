"""Known attacks: each finds people in the raw table, nobody in a release that passes the gate."""

import hashlib
import hmac
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest

from fairdatabase.privacy.engine.anonymise import apply, dataset_key
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.engine.versions import compare_versions
from fairdatabase.privacy.rules import judge
from fairdatabase.privacy.schemas import (
    DropColumn,
    Intervals,
    Prefix,
    Pseudonymise,
    Recipe,
    SuppressSmallGroups,
)
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType
from tests.factories.privacy import read_parquet, write_parquet

Person = dict[str, object]
QUASI = ("age", "postcode", "sex")
POLICY = Policy(k=5, l=2, t=0.35)
ROLES = {
    "name": ColumnRole.DIRECT_IDENTIFIER,
    "patient": ColumnRole.DIRECT_IDENTIFIER,
    **dict.fromkeys(QUASI, ColumnRole.QUASI_IDENTIFIER),
    "diagnosis": ColumnRole.SENSITIVE,
}
COLUMNS = [
    ColumnSchema(
        key=name,
        name=name,
        type=ColumnType.INTEGER if name == "age" else ColumnType.TEXT,
        role=role,
    )
    for name, role in ROLES.items()
]
RECIPE = Recipe(
    steps=(
        DropColumn(column="name"),
        Pseudonymise(column="patient"),
        Intervals(column="age", width=35, origin=18),
        Prefix(column="postcode", length=2),
        SuppressSmallGroups(k=5),
    )
)
KEY = dataset_key(b"a master key that nobody knows", UUID(int=7))
ILLNESSES = ["flu", "cold", "asthma", "migraine", "HIV"]


def population(size: int, seed: int = 1) -> list[Person]:
    """People of a town; in one street they are alike and share a rare diagnosis."""
    draw = random.Random(seed)
    people: list[Person] = [
        {
            "name": f"Name {number}",
            "patient": f"P{number:04}",
            "age": draw.randint(18, 87),
            "postcode": f"10{draw.randint(0, 2)}{draw.randint(0, 9)}",
            "sex": draw.choice("fm"),
            "diagnosis": draw.choices(ILLNESSES, [30, 30, 20, 17, 3])[0],
        }
        for number in range(size)
    ]
    for person in people[:6]:
        person.update(age=40, postcode="1077", sex="f", diagnosis="HIV")
    return people


def stored(path: Path, people: Sequence[Person]) -> Path:
    return write_parquet(path, {name: [person[name] for person in people] for name in ROLES})


def rows(path: Path) -> list[Person]:
    columns = read_parquet(path)
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def passes(path: Path, columns: Sequence[ColumnSchema]) -> bool:
    """Ask the gate about a file, as it is on the disk."""
    roles = {column.name: column.role for column in columns}
    report = assess(
        path,
        quasi_identifiers=[name for name in QUASI if name in roles],
        sensitive=["diagnosis"],
        columns=columns,
        thresholds=POLICY.thresholds,
    )
    return judge(report, roles, POLICY).passed


def released(source: Path) -> Path:
    """Make a release by the recipe; it passes the gate, which the source does not."""
    target = source.with_name(f"released-{source.name}")
    effect = apply(source, target, RECIPE, quasi_identifiers=QUASI, columns=COLUMNS, key=KEY)
    assert not passes(source, COLUMNS)
    assert passes(target, effect.columns)
    return target


def seen(person: Person, *, generalised: bool) -> tuple[object, ...]:
    """What an attacker looks for: the recipe is public, so that it is applied to what is known."""
    if not generalised:
        return tuple(person[name] for name in QUASI)
    low = (int(str(person["age"])) - 18) // 35 * 35 + 18
    return f"[{low}, {low + 35})", f"{str(person['postcode'])[:2]}", person["sex"]


def groups(path: Path) -> dict[tuple[object, ...], list[Person]]:
    found: dict[tuple[object, ...], list[Person]] = defaultdict(list)
    for row in rows(path):
        found[tuple(row[name] for name in QUASI)].append(row)
    return found


@pytest.fixture
def people() -> list[Person]:
    return population(600)


@pytest.fixture
def raw(tmp_path: Path, people: list[Person]) -> Path:
    return stored(tmp_path / "raw.parquet", people)


def test_linkage_with_a_register(raw: Path, people: list[Person]) -> None:
    """A register of names, ages, postcodes and sexes is joined with the table."""

    def found(path: Path, *, generalised: bool) -> int:
        table = groups(path)
        alone = [
            (person, table[known][0])
            for person in people
            if len(table.get(known := seen(person, generalised=generalised), ())) == 1
        ]
        return sum(person["diagnosis"] == row["diagnosis"] for person, row in alone)

    assert found(raw, generalised=False) > 0.5 * len(people)
    release = released(raw)
    assert found(release, generalised=True) == 0
    table = groups(release)
    candidates = [
        len(table[known]) for p in people if (known := seen(p, generalised=True)) in table
    ]
    assert len(candidates) > 0.9 * len(people)
    assert min(candidates) >= POLICY.k


def test_homogeneity_of_a_street(raw: Path, people: list[Person]) -> None:
    """Six women cannot be told apart, and need not be: all have the same diagnosis."""
    victim = people[0]
    street = groups(raw)[seen(victim, generalised=False)]
    assert len(street) >= POLICY.k
    assert {row["diagnosis"] for row in street} == {"HIV"}
    for members in groups(released(raw)).values():
        assert len({row["diagnosis"] for row in members}) >= 2


def test_skewness_of_a_group(raw: Path) -> None:
    """A group in which a rare diagnosis is frequent says much about each member."""

    def gain(path: Path) -> float:
        table = Counter(row["diagnosis"] for row in rows(path))
        total = sum(table.values())
        return max(
            Counter(row["diagnosis"] for row in members)[value] / len(members) - count / total
            for members in groups(path).values()
            if len(members) >= POLICY.k
            for value, count in table.items()
        )

    assert gain(raw) > 0.9
    assert POLICY.t is not None
    assert gain(released(raw)) <= POLICY.t


def newcomers(path: Path, earlier: Path) -> Counter[tuple[object, ...]]:
    """Groups and diagnoses that a later version has more often than an earlier one."""

    def counted(table: Path) -> Counter[tuple[object, ...]]:
        return Counter((*(row[name] for name in QUASI), row["diagnosis"]) for row in rows(table))

    return counted(path) - counted(earlier)


def test_differencing_of_two_versions(tmp_path: Path) -> None:
    """Whoever knows that one person came in between sees which diagnosis came along."""
    people = population(640)
    arrived, batch = people[600], people[600:]
    first = stored(tmp_path / "first.parquet", people[:600])
    second = stored(tmp_path / "second.parquet", people[:601])
    assert newcomers(second, first).popitem()[0][-1] == arrived["diagnosis"]

    before, hasty = released(first), released(second)
    compared = compare_versions(before, hasty, quasi_identifiers=QUASI, sensitive=["diagnosis"])
    assert compared.telling_rows == 1, "each version passes the gate, and together they tell"

    later = stored(tmp_path / "later.parquet", batch + people[:600])
    patient = released(later)
    compared = compare_versions(before, patient, quasi_identifiers=QUASI, sensitive=["diagnosis"])
    assert compared.telling_groups == 0
    came = newcomers(patient, before)
    here = {key: n for key, n in came.items() if key[:-1] == seen(arrived, generalised=True)}
    assert sum(here.values()) >= POLICY.k
    assert len(here) >= 2, "several diagnoses came, and nothing says which is whose"


def test_dictionary_of_all_patient_numbers(raw: Path, people: list[Person]) -> None:
    """Patient numbers are few enough to try them all."""
    numbers = [f"P{number:04}" for number in range(10_000)]
    hashes = {hashlib.sha256(number.encode()).hexdigest(): number for number in numbers}
    bare = [hashlib.sha256(str(person["patient"]).encode()).hexdigest() for person in people]
    assert [hashes[one] for one in bare] == [person["patient"] for person in people]

    pseudonyms = {str(row["patient"]) for row in rows(released(raw))}
    guesses = (b"", b"\0" * 32, b"secret", UUID(int=7).bytes, b"a master key that nobody knows")
    tried = {one[: len(next(iter(pseudonyms)))] for one in hashes} | {
        hmac.new(key, number.encode(), "sha256").hexdigest()[:24]
        for key, number in product(guesses, numbers[:1000])
    }
    assert len(pseudonyms) > 500
    assert not pseudonyms & tried
    other = dataset_key(b"a master key that nobody knows", UUID(int=8))
    assert other != KEY


def test_membership_by_rare_combinations(raw: Path, people: list[Person]) -> None:
    """Half of the people asked about are in the table: who is told by looking them up?"""
    strangers = population(600, seed=2)[6:]

    def accuracy(path: Path, *, generalised: bool) -> float:
        table = groups(path)
        inside = sum(seen(one, generalised=generalised) in table for one in people[6:])
        outside = sum(seen(one, generalised=generalised) not in table for one in strangers)
        return (inside + outside) / (len(people) - 6 + len(strangers))

    assert accuracy(raw, generalised=False) > 0.9
    assert accuracy(released(raw), generalised=True) < 0.55
