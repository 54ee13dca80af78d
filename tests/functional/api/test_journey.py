"""The whole way of a table over the REST API: deposit, screen, anonymise, publish, reuse."""

import csv
import gzip
import io

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, RECIPE, ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, open_deposit, published, screened, upload


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def test_a_harmless_table_is_published_found_and_read_by_anybody(
    owner: FlaskClient, client: FlaskClient, work: Work
) -> None:
    dataset, file = published(owner, work, harmless(), HARMLESS_ROLES)

    found = client.get("/api/v1/datasets?q=gut").get_json()
    assert [item["dataset_public_id"] for item in found["data"]] == [dataset]
    record = ok(client.get(f"/api/v1/datasets/{dataset}"))
    assert record["state"] == "published"
    assert record["dataset_identifier"] == f"ark:/99999/{dataset}"

    page = ok(
        client.get(
            f"/api/v1/files/{file}/rows?filter=sex:eq:female&filter=score:ge:5"
            "&sort=-score&limit=10&with_total=true"
        )
    )
    assert page["columns"] == ["sex", "arm", "score"]
    assert page["total"] == len([n for n in range(200) if n % 2 == 0 and n % 7 >= 5])
    assert page["rows"][0] == ["female", "b", 6]

    groups = ok(
        client.post(
            f"/api/v1/files/{file}/aggregate",
            json={"group_by": ["sex"], "measures": [{"function": "count"}]},
        )
    )
    assert sorted(map(tuple, groups["rows"])) == [("female", 100), ("male", 100)]

    exported = client.get(f"/api/v1/files/{file}/export?format=csv")
    assert exported.headers["Content-Disposition"].startswith("attachment")
    assert _cells(exported.data) == _cells(harmless())
    original = client.get(f"/api/v1/files/{file}/content")
    assert original.data == harmless()


def _cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_a_risky_table_is_refused_then_anonymised_and_published(
    owner: FlaskClient, client: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, cohort(), ROLES)
    verdict = ok(owner.get(f"/api/v1/files/{file}/screening"))
    assert not verdict["passed"]
    assert verdict["report"]["k"] == 1

    refused = owner.post(f"/api/v1/deposits/{deposit}/publication")
    assert refused.status_code == 422
    problem = refused.get_json()
    assert problem["code"] == "not-publishable"
    assert {item["code"] for item in problem["details"]} >= {"small_groups", "direct_identifiers"}
    assert all(item["fix"] for item in problem["details"])

    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    release = ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))
    assert release["passed"], release["verdict"]
    assert release["report"]["k"] >= 5

    version = ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    assert version["files"][0]["withheld"]

    table = ok(client.get(f"/api/v1/files/{file}/table"))
    assert [column["name"] for column in table["columns"]] == ["age", "sex", "diagnosis", "shannon"]
    exported = client.get(f"/api/v1/files/{file}/export?format=csv").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert len(rows) == release["report"]["rows"]
    assert {row["age"][0] for row in rows} == {"["}


def test_what_was_withheld_never_leaves(
    owner: FlaskClient, client: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, cohort(), ROLES)
    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)

    assert client.get(f"/api/v1/files/{file}/content").status_code in {401, 403}
    for path in ("table", "rows", "statistics", "export"):
        answer = client.get(f"/api/v1/files/{file}/{path}?kind=source")
        assert answer.status_code == 404, path
        assert b"S0001" not in answer.data
    assert ok(owner.get(f"/api/v1/files/{file}/rows?kind=source&limit=1"))["rows"]


def test_a_file_that_holds_more_than_its_table_stays_closed(
    owner: FlaskClient, client: FlaskClient, work: Work
) -> None:
    content = harmless() + b"Jan Jansen,rejected,row,with,a,name\n"
    dataset, file = published(owner, work, content, HARMLESS_ROLES)
    assert ok(client.get(f"/api/v1/datasets/{dataset}"))["files"][0]["withheld"]
    assert client.get(f"/api/v1/files/{file}/content").status_code in {401, 403}
    assert len(ok(client.get(f"/api/v1/files/{file}/rows?limit=1000"))["rows"]) == 200
    exported = client.get(f"/api/v1/files/{file}/export").data
    assert b"Jansen" not in exported
    assert b"Jansen" not in client.get(f"/api/v1/files/{file}/table").data


def test_the_recipe_is_for_those_who_look_after_the_dataset(
    owner: FlaskClient, client: FlaskClient, stranger: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, cohort(), ROLES)
    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    assert ok(owner.get(f"/api/v1/files/{file}/release"))["recipe"]["steps"]
    assert client.get(f"/api/v1/files/{file}/release").status_code == 401
    assert stranger.get(f"/api/v1/files/{file}/release").status_code == 403


def test_pseudonyms_replace_identifiers(owner: FlaskClient, work: Work) -> None:
    _, file = screened(owner, work, cohort(), ROLES)
    steps = [{"op": "pseudonymise", "column": "subject_id"}, *RECIPE["steps"][1:]]  # type: ignore[index]
    ok(owner.post(f"/api/v1/files/{file}/release", json={"version": 1, "steps": steps}), 202)
    work()
    assert ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))["passed"]
    page = ok(owner.get(f"/api/v1/files/{file}/rows?kind=release&columns=subject_id"))
    values = {row[0] for row in page["rows"]}
    assert len(values) == len(page["rows"])
    assert not any(value.startswith("S0") for value in values)


def test_the_suggested_recipe_passes(owner: FlaskClient, work: Work) -> None:
    deposit, file = screened(owner, work, cohort(), ROLES)
    recipe = ok(owner.get(f"/api/v1/files/{file}/recipe-suggestion"))
    ok(owner.post(f"/api/v1/files/{file}/release", json=recipe), 202)
    work()
    assert ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))["passed"]
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)


def test_changing_a_role_voids_verdict_and_release(owner: FlaskClient, work: Work) -> None:
    deposit, file = screened(owner, work, cohort(), ROLES)
    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    edits = {"columns": {"shannon": {"role": "quasi_identifier"}}}
    ok(owner.patch(f"/api/v1/files/{file}/columns", json=edits))
    state = ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"][0]
    assert state["release"] is None
    assert state["screening"] is None
    assert owner.post(f"/api/v1/deposits/{deposit}/publication").status_code == 422


def test_restricted_data_stay_closed_while_their_description_is_open(
    owner: FlaskClient, client: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    dataset, file = published(owner, work, cohort(), ROLES, access="restricted")
    assert ok(client.get(f"/api/v1/datasets/{dataset}"))["access"] == "restricted"
    assert ok(client.get(f"/api/v1/files/{file}/table"))["row_count"] == 400
    for path in ("rows", "export", "statistics", "screening", "content"):
        assert client.get(f"/api/v1/files/{file}/{path}").status_code == 401, path
    assert ok(owner.get(f"/api/v1/files/{file}/rows?limit=1"))["rows"]
    curator = client_as(Role.CURATOR)
    assert ok(curator.get(f"/api/v1/files/{file}/rows?limit=1"))["rows"]


def test_a_new_version_starts_from_the_last_one(
    owner: FlaskClient, client: FlaskClient, work: Work
) -> None:
    dataset, first = published(owner, work, harmless(), HARMLESS_ROLES)
    deposit = ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201)
    assert deposit["version"]["number"] == 2
    assert deposit["blockers"] == []
    assert owner.post(f"/api/v1/datasets/{dataset}/deposits").status_code == 409
    ok(owner.post(f"/api/v1/deposits/{deposit['version']['public_id']}/publication"), 201)
    assert ok(client.get(f"/api/v1/datasets/{dataset}"))["number"] == 2
    second = deposit["files"][0]["file"]["public_id"]
    assert second != first
    rows = [ok(client.get(f"/api/v1/files/{file}/rows"))["rows"] for file in (first, second)]
    assert rows[0] == rows[1]


def test_a_published_version_never_changes(owner: FlaskClient, work: Work) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    attempts = [
        owner.put(f"/api/v1/deposits/{deposit}/metadata", json={"title": "Other"}),
        owner.put(f"/api/v1/deposits/{deposit}/files/more.csv", data=b"a\n1\n"),
        owner.patch(f"/api/v1/files/{file}/columns", json={"columns": {"sex": {"unit": "x"}}}),
        owner.post(f"/api/v1/files/{file}/validation", json={}),
        owner.post(f"/api/v1/files/{file}/release", json=RECIPE),
        owner.delete(f"/api/v1/files/{file}"),
        owner.delete(f"/api/v1/deposits/{deposit}"),
        owner.post(f"/api/v1/deposits/{deposit}/publication"),
    ]
    assert [answer.status_code for answer in attempts] == [409] * len(attempts)


def test_somebody_else_s_draft_does_not_exist(
    owner: FlaskClient, client: FlaskClient, work: Work, stranger: FlaskClient
) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    for visitor, refusals in ((client, {401, 404}), (stranger, {404})):
        for method, path in (
            ("GET", f"deposits/{deposit}"),
            ("PUT", f"deposits/{deposit}/metadata"),
            ("DELETE", f"deposits/{deposit}"),
            ("POST", f"deposits/{deposit}/publication"),
            ("PUT", f"deposits/{deposit}/files/x.csv"),
            ("GET", f"files/{file}/table"),
            ("GET", f"files/{file}/rows"),
            ("GET", f"files/{file}/export"),
            ("GET", f"files/{file}/content"),
            ("GET", f"files/{file}/screening"),
            ("GET", f"files/{file}/role-suggestions"),
            ("POST", f"files/{file}/release"),
            ("PATCH", f"files/{file}/columns"),
            ("DELETE", f"files/{file}"),
        ):
            bodies = {"PATCH": {"columns": {"sex": {"unit": "x"}}}, "POST": RECIPE, "PUT": {}}
            answer = visitor.open(f"/api/v1/{path}", method=method, json=bodies.get(method))
            assert answer.status_code in refusals, (method, path, answer.get_data(as_text=True))


def test_documentation_is_no_way_around_the_screen(owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    path = f"/api/v1/deposits/{deposit}/files/protocol.md?role=documentation"
    refused = owner.put(path, data=cohort(), content_type="application/octet-stream")
    assert refused.status_code == 422
    assert "looks like a table" in refused.get_json()["error"]
    added = owner.put(path, data=b"# Protocol\n\nSamples were frozen.\n")
    assert ok(added, 201)["stage"] == "stored"


def test_sequence_reads_are_recognised_and_not_taken(owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    path = f"/api/v1/deposits/{deposit}/files/reads.fastq.gz"
    alu = b"GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGC"
    reads = b"".join(b"@r\n%b\n+\n%b\n" % (read, b"I" * 35) for read in (alu, b"ACGTT" * 7))
    refused = owner.put(path, data=gzip.compress(reads))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "sequences-refused")
    assert "Of the first 2 sequences 1 look human" in refused.get_json()["detail"]
    harmless_reads = owner.put(path, data=b">a\n" + b"ACGTT" * 7)
    assert "the check can miss some" in harmless_reads.get_json()["detail"]
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"] == []


def test_files_may_come_by_a_form(owner: FlaskClient, work: Work) -> None:
    deposit = open_deposit(owner)
    sent = {"file": (io.BytesIO(harmless()), "people.csv")}
    ok(owner.post(f"/api/v1/deposits/{deposit}/files", data=sent), 201)
    work()
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"][0]["table"]["row_count"] == 200


def test_a_file_can_be_read_anew_with_other_options(owner: FlaskClient, work: Work) -> None:
    deposit = open_deposit(owner)
    file = upload(owner, deposit, b"code;n\nX;1\nY;2\n")
    work()
    ok(owner.post(f"/api/v1/files/{file}/validation", json={"missing_codes": ["X"]}), 202)
    work()
    page = ok(owner.get(f"/api/v1/files/{file}/rows"))
    assert page["rows"] == [[None, 1], ["Y", 2]]


def test_unknown_fields_are_refused(owner: FlaskClient) -> None:
    refused = owner.post("/api/v1/deposits", json={"metadata": {"titel": "x"}})
    assert refused.status_code == 422
    assert "titel" in refused.get_json()["error"]
    assert owner.get("/api/v1/deposits?pages=2").status_code == 422
