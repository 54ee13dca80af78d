"""Bad input: a clear message, a right status, and nothing lost or half-written."""

import gzip
import io
import zipfile

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.deposits import Work, ok, open_deposit, upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def outcome(owner: FlaskClient, work: Work, content: bytes, name: str) -> dict[str, object]:
    """Upload a file, let it be validated, and return its state in the deposit."""
    deposit = open_deposit(owner)
    upload(owner, deposit, content, name)
    work()
    state: dict[str, object] = ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"][0]
    return state


def zip_bomb() -> bytes:
    """Return a workbook whose one sheet would unpack to a thousand times its size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2**25)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "empty.csv", ["empty"]),
        (PNG, "picture.csv", ["PNG"]),
        (gzip.compress(b"a,b\n1,2\n"), "table.csv", ["gzip"]),
        (b"\x00\x01\x02\x03" * 50, "noise.csv", ["binary"]),
    ],
    ids=["empty", "picture", "compressed", "noise"],
)
def test_what_is_no_table_is_refused_with_advice(
    owner: FlaskClient, work: Work, content: bytes, name: str, words: list[str]
) -> None:
    state = outcome(owner, work, content, name)
    assert state["stage"] == "invalid"
    assert state["table"] is None
    job = state["job"]
    assert isinstance(job, dict)
    assert job["state"] == "failed"
    assert all(word.lower() in job["error"].lower() for word in words), job["error"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(owner: FlaskClient, work: Work) -> None:
    state = outcome(owner, work, zip_bomb(), "bomb.xlsx")
    assert state["stage"] == "invalid"
    assert isinstance(state["job"], dict)
    assert "would expand" in state["job"]["error"]


def test_ragged_rows_are_reported_and_the_others_kept(owner: FlaskClient, work: Work) -> None:
    content = b"id,age\nA,1\nB,2,extra\nC\nD,4\n"
    table = outcome(owner, work, content, "ragged.csv")["table"]
    assert isinstance(table, dict)
    report = table["report"]
    assert (report["rows_read"], report["rows_stored"], report["rows_rejected"]) == (4, 2, 2)
    assert [row["line"] for row in report["rejected"]] == [3, 4]
    assert all(row["reason"] and row["advice"] for row in report["rejected"])


def test_odd_headers_are_kept_or_renamed_with_a_finding(owner: FlaskClient, work: Work) -> None:
    long = "x" * 300
    content = f"age,age,,{long}\n1,2,3,4\n5,6,7,8\n".encode()
    table = outcome(owner, work, content, "headers.csv")["table"]
    assert isinstance(table, dict)
    names = [column["name"] for column in table["columns"]]
    assert len(set(names)) == 4
    assert names[0] == "age"
    assert long in names
    codes = {finding["code"] for finding in table["report"]["findings"]}
    assert any("duplicate" in code for code in codes)
    assert any("empty" in code for code in codes)


def test_text_of_another_encoding_is_refused_and_read_once_it_is_named(
    owner: FlaskClient, work: Work
) -> None:
    deposit = open_deposit(owner)
    file = upload(owner, deposit, "naam;stad\nZoë;Curaçao\nRené;Genève\n".encode("cp1252"))
    work()
    job = ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"][0]["job"]
    assert "not UTF-8" in job["error"]
    ok(owner.post(f"/api/v1/files/{file}/validation", json={"encoding": "cp1252"}), 202)
    work()
    assert ok(owner.get(f"/api/v1/files/{file}/rows"))["rows"] == [
        ["Zoë", "Curaçao"],
        ["René", "Genève"],
    ]


def test_ten_thousand_columns_are_stored(owner: FlaskClient, work: Work) -> None:
    columns = 10_000
    header = ",".join(f"taxon {n}" for n in range(columns))
    row = ",".join(str(n % 10) for n in range(columns))
    deposit = open_deposit(owner)
    file = upload(owner, deposit, f"{header}\n{row}\n{row}\n".encode())
    work()
    table = ok(owner.get(f"/api/v1/files/{file}/table"))
    assert len(table["columns"]) == columns
    page = ok(owner.get(f"/api/v1/files/{file}/rows?columns=taxon 9999&columns=taxon 3"))
    assert page["rows"] == [[9, 3], [9, 3]]


def test_a_row_of_fifty_megabytes_is_reported(owner: FlaskClient, work: Work) -> None:
    content = b"id,note\nA,short\nB," + b"y" * 50_000_000 + b"\nC,short\n"
    state = outcome(owner, work, content, "huge.csv")
    if state["table"] is None:
        assert isinstance(state["job"], dict)
        assert "3" in state["job"]["error"]
        return
    assert isinstance(state["table"], dict)
    report = state["table"]["report"]
    assert report["rows_stored"] == 2
    assert [row["line"] for row in report["rejected"]] == [3]


@pytest.mark.parametrize(
    ("name", "status"),
    [("..%2Fpasswd", 404), ("a%00b.csv", 422), ("x" * 256, 422), ("%20", 422), ("..", 404)],
)
def test_bad_file_names_are_refused(owner: FlaskClient, name: str, status: int) -> None:
    deposit = open_deposit(owner)
    answer = owner.put(f"/api/v1/deposits/{deposit}/files/{name}", data=b"a\n1\n")
    assert answer.status_code in {status, 422}, answer.get_data(as_text=True)
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"] == []


def test_the_same_name_twice_is_a_conflict(owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    upload(owner, deposit, b"a\n1\n")
    again = owner.put(f"/api/v1/deposits/{deposit}/files/people.csv", data=b"a\n2\n")
    assert again.status_code == 409
    assert "people.csv" in again.get_json()["error"]


@pytest.mark.parametrize(
    "question",
    ["rows?sort=agee", "rows?filter=agee:eq:3", "rows?columns=agee", "statistics?columns=agee"],
)
def test_an_unknown_column_is_the_same_error_in_every_address(
    owner: FlaskClient, work: Work, question: str
) -> None:
    file = upload(owner, open_deposit(owner), b"age,sex\n1,f\n2,m\n", "people.csv")
    work()
    refused = owner.get(f"/api/v1/files/{file}/{question}")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "column-unknown")
    assert "Did you mean 'age'?" in refused.get_json()["detail"]
