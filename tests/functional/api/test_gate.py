"""Whatever table and recipe: what is published openly holds the policy, counted by hand."""

from collections import Counter
from itertools import product
from typing import Any

import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.services import Services
from fairdatabase.tables.rules import outgoing
from fairdatabase.tables.schemas import ColumnRole
from tests.factories.accounts import ClientAs
from tests.factories.deposits import Work, ok, published, screened, set_roles, upload

ROLES = {
    "person": "direct_identifier",
    "age": "quasi_identifier",
    "town": "quasi_identifier",
    "illness": "sensitive",
}
K = 5

ROWS = st.lists(
    st.tuples(
        st.integers(20, 32) | st.none(),
        st.sampled_from(["North", "South", "South", "East"]),
        st.sampled_from(["flu", "none", "cold"]),
    ),
    min_size=12,
    max_size=60,
)
AGE = st.sampled_from(
    [
        [],
        [{"op": "drop", "column": "age"}],
        [{"op": "intervals", "column": "age", "width": 5}],
        [{"op": "code_extremes", "column": "age", "bottom": 24, "top": 28}],
        [{"op": "suppress_cells", "column": "age", "rarer_than": 5}],
        [{"op": "impute", "column": "age", "by": "median", "within": "class"}],
        [{"op": "noise", "column": "age", "scale": 3}],
    ]
)
TOWN = st.sampled_from(
    [
        [],
        [{"op": "recode", "column": "town", "mapping": {"South": "South"}, "other": "else"}],
        [{"op": "suppress_cells", "column": "town", "groups_below": 5}],
        [{"op": "shuffle", "column": "town"}],
    ]
)
PERSON = st.sampled_from([[], [{"op": "drop", "column": "person"}]]) | st.just(
    [{"op": "pseudonymise", "column": "person"}]
)
LAST = st.sampled_from([[], [{"op": "suppress", "k": 5}], [{"op": "suppress", "k": 3}]])


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=st.tuples(ROWS, st.tuples(PERSON, AGE, TOWN, LAST)))
def test_the_verdict_on_the_published_file_holds(
    owner: FlaskClient,
    services: Services,
    member: Actor,
    work: Work,
    case: tuple[list[tuple[int | None, str, str]], tuple[list[dict[str, Any]], ...]],
) -> None:
    rows, steps = case
    lines = [f"P{n:03d},{old or ''},{town_},{ill}" for n, (old, town_, ill) in enumerate(rows)]
    content = "\n".join(["person,age,town,illness", *lines]).encode()
    deposit, file = screened(owner, work, content, ROLES)
    recipe = {"steps": [step for part in steps for step in part]}
    asked = owner.post(f"/api/v1/files/{file}/release", json=recipe)
    if asked.status_code == 422:
        return  # a step does not fit the type that these rows happen to prove
    work()
    verdict = ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))
    published = owner.post(f"/api/v1/deposits/{deposit}/publication")
    assert (published.status_code == 201) == verdict["passed"], published.text
    if published.status_code != 201:
        return
    table = leaving(services, member, file)
    assert ColumnRole.DIRECT_IDENTIFIER not in {column.role for column in table.columns}
    stored = pq.read_table(services.tables.path(table)).to_pylist()
    quasi = [each.key for each in table.columns if each.role is ColumnRole.QUASI_IDENTIFIER]
    sizes = Counter(tuple(row[key] for key in quasi) for row in stored)
    assert stored
    assert min(sizes.values()) >= K
    assert verdict["report"]["k"] == min(sizes.values())


CELLS = tuple(product("NS", ("flu", "cold")))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.lists(st.integers(3, 9), min_size=4, max_size=4),
    change=st.lists(st.sampled_from([-5, -1, 0, 0, 1, 5, 6]), min_size=4, max_size=4),
)
@example(first=[6, 6, 6, 6], change=[5, 0, 0, 0])
@example(first=[6, 6, 6, 6], change=[6, -1, 0, 0])
def test_no_two_published_versions_tell_about_few(
    owner: FlaskClient, work: Work, first: list[int], change: list[int]
) -> None:
    """Counted by hand: a second version is published exactly if it holds k and hides changes."""
    roles = {"town": "quasi_identifier", "illness": "sensitive"}

    def table(counts: list[int]) -> bytes:
        lines = [f"{','.join(cell)}\n" * n for cell, n in zip(CELLS, counts, strict=True)]
        return "".join(["town,illness\n", *lines]).encode()

    dataset, _ = published(owner, work, table(first), roles)
    second = [max(0, n + more) for n, more in zip(first, change, strict=True)]
    draft = ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201)
    ok(owner.delete(f"/api/v1/files/{draft['files'][0]['file']['public_id']}"))
    file = upload(owner, draft["version"]["public_id"], table(second), "next.csv")
    work()
    set_roles(owner, file, roles)
    work()
    answer = owner.post(f"/api/v1/deposits/{draft['version']['public_id']}/publication")

    moved = [new - old for old, new in zip(first, second, strict=True)]
    towns = [(moved[:2], second[:2]), (moved[2:], second[2:])]
    few = any(
        0 < sum(n for n in (sign * each for each in some) if n > 0) < K
        for some, _ in towns
        for sign in (1, -1)
    )
    small = any(0 < sum(rows) < K for _, rows in towns) or not any(second)
    assert (answer.status_code == 201) == (not few and not small), answer.text


def leaving(services: Services, actor: Actor, file: str) -> Any:  # noqa: ANN401 - a table record
    """Return the record of the table that everybody reads."""
    _, record = services.catalog.require_file(actor, file, need="metadata")
    table = outgoing(services.tables.of_files([record.id])[record.id])
    assert table
    return table
