"""The audit log over REST: who did what, for admins."""

import json
from typing import Any

from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, open_deposit, published, screened, upload

WAY = [
    "created",
    "file-added",
    "table-read",
    "columns-changed",
    "screened",
    "access-changed",
    "file-reread",
    "table-read",
    "data-read",
    "columns-changed",
    "screened",
    "release-requested",
    "release-made",
    "screened",
    "release-discarded",
    "published",
    "withdrawn",
]
HARMLESS = {"sex": "quasi_identifier", "arm": "insensitive", "score": "insensitive"}


def acts(admin: FlaskClient, **asked: str) -> list[dict[str, Any]]:
    """Return the events that match, oldest first."""
    found = ok(admin.get("/api/v1/audit", query_string={"limit": "500", **asked}))
    return list(reversed(found))


def named(events: list[dict[str, Any]]) -> list[str]:
    return [event["action"] for event in events]


def test_the_way_of_a_dataset_is_in_the_log(client_as: ClientAs, work: Work, member: Actor) -> None:
    owner, admin = client_as(Role.MEMBER), client_as(Role.ADMIN)
    deposit, file = screened(owner, work, harmless(), HARMLESS)
    ok(owner.put(f"/api/v1/deposits/{deposit}/access", json={"access": "restricted"}))
    ok(owner.put(f"/api/v1/deposits/{deposit}/access", json={"access": "restricted"}))
    ok(owner.post(f"/api/v1/files/{file}/validation", json={"delimiter": ","}), 202)
    work()
    ok(owner.get(f"/api/v1/files/{file}/rows"))
    steps = {"version": 1, "steps": [{"op": "drop", "column": "score"}]}
    columns = {name: {"role": role} for name, role in HARMLESS.items()}
    ok(owner.patch(f"/api/v1/files/{file}/columns", json={"columns": columns}))
    work()
    ok(owner.post(f"/api/v1/files/{file}/release", json=steps), 202)
    work()
    ok(owner.delete(f"/api/v1/files/{file}/release"))
    version = ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    ok(owner.post(f"/api/v1/versions/{deposit}/withdrawal", json={"reason": "Taken back."}), 201)

    told = acts(admin, subject=deposit)
    assert [name.removeprefix("dataset.") for name in named(told)] == WAY
    by_name = {event["action"]: event for event in told}
    assert by_name["dataset.access-changed"]["before"] == {"access": "open"}
    assert by_name["dataset.access-changed"]["after"] == {"access": "restricted"}
    assert by_name["dataset.published"]["after"]["identifier"] == version["identifier"]
    assert by_name["dataset.withdrawn"]["after"] == {"reason": "Taken back."}
    assert by_name["dataset.columns-changed"]["after"]["columns"]["sex"] == {
        "role": "quasi_identifier"
    }
    worked = {e["actor"] for e in told if e["action"] in {"dataset.screened", "dataset.table-read"}}
    assert worked == {"worker"}
    assert {e["actor"] for e in told} - worked == {member.public_id}
    requests = {e["request_id"] for e in told if e["action"].startswith("dataset.release")}
    assert None not in requests
    assert len(requests) == 2, "a job has the number of the request that started it"


def test_what_changed_is_told_without_the_whole_document(client_as: ClientAs) -> None:
    owner, admin = client_as(Role.MEMBER), client_as(Role.ADMIN)
    deposit = open_deposit(owner)
    described = ok(owner.get(f"/api/v1/deposits/{deposit}"))["version"]["metadata"]
    described |= {"title": "Another title", "methods": "x" * 2000, "creators": []}
    for _ in range(2):
        ok(owner.put(f"/api/v1/deposits/{deposit}/metadata", json=described))
    (event,) = acts(admin, subject=deposit, action="dataset.metadata")
    assert event["after"] == {
        "title": "Another title",
        "methods": "2000 characters",
        "creators": "0 entries",
    }
    assert event["before"]["creators"] == "1 entries"


def test_files_and_drafts_that_go_are_told(client_as: ClientAs, work: Work) -> None:
    owner, admin = client_as(Role.MEMBER), client_as(Role.ADMIN)
    deposit = open_deposit(owner)
    file = upload(owner, deposit, harmless())
    work()
    ok(owner.delete(f"/api/v1/files/{file}"))
    ok(owner.delete(f"/api/v1/deposits/{deposit}"))
    assert named(acts(admin, subject=deposit))[-2:] == [
        "dataset.file-removed",
        "dataset.discarded",
    ]


def test_a_next_version_is_told(client_as: ClientAs, work: Work) -> None:
    owner, admin = client_as(Role.MEMBER), client_as(Role.ADMIN)
    dataset, _ = published(owner, work, harmless(), HARMLESS)
    draft = ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201)["version"]["public_id"]
    assert named(acts(admin, subject=draft)) == ["dataset.version-opened"]


def test_who_looks_at_what_is_not_open_is_told(
    client: FlaskClient, client_as: ClientAs, work: Work, curator: Actor
) -> None:
    owner, sloane, admin = (client_as(r) for r in (Role.MEMBER, Role.CURATOR, Role.ADMIN))
    _, closed = published(owner, work, cohort(), ROLES, access="restricted")
    for _ in range(2):
        ok(sloane.get(f"/api/v1/files/{closed}/rows"))
        assert sloane.get(f"/api/v1/files/{closed}/export?format=csv").data
        assert sloane.get(f"/api/v1/files/{closed}/content").data
    seen = acts(admin, actor=curator.public_id, action="dataset.")
    assert named(seen) == ["dataset.data-read", "dataset.exported", "dataset.downloaded"]
    assert {event["after"]["file"] for event in seen} == {closed}

    _, free = published(owner, work, harmless(), HARMLESS)
    before = len(acts(admin))
    for reader in (client, sloane):
        ok(reader.get(f"/api/v1/files/{free}/rows"))
        assert reader.get(f"/api/v1/files/{free}/content").data
    assert len(acts(admin)) == before, "what is open may be read by anybody unseen"


def test_refusals_of_who_is_signed_in_are_told(
    client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    owner, admin = client_as(Role.MEMBER), client_as(Role.ADMIN)
    for curious in (client, owner, owner):
        assert curious.get("/api/v1/audit").status_code in {401, 403}
    (event,) = acts(admin, action="access.")
    assert event["actor"] == member.public_id
    assert event["after"] == {"route": "audit_api.list_events"}


def test_signing_in_and_out_is_told(
    client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    admin, owner = client_as(Role.ADMIN), client_as(Role.MEMBER)
    wrong = {"email": member.email, "password": "not the password"}
    assert client.post("/api/v1/auth/login", json=wrong).status_code == 401
    ok(owner.post("/api/v1/auth/logout"))
    told = acts(admin, subject=member.public_id)
    assert named(told) == [
        "user.created",
        "user.signed-in",
        "user.sign-in-failed",
        "user.signed-out",
    ]
    assert member.email not in json.dumps(told)
    assert told[2]["actor"] == ""


def test_an_export_is_streamed(client_as: ClientAs) -> None:
    admin = client_as(Role.ADMIN)
    lines = admin.get("/api/v1/audit/export?action=user.")
    assert lines.mimetype == "application/jsonl"
    assert [json.loads(line)["sequence"] for line in lines.text.splitlines()] == [1, 2]
    table = admin.get("/api/v1/audit/export?format=csv")
    assert table.mimetype == "text/csv"
    assert table.text.startswith("sequence,at,actor,")
    assert table.headers["Content-Disposition"].startswith('attachment; filename="audit-')


def test_a_page_says_where_the_next_one_begins(client_as: ClientAs) -> None:
    admin = client_as(Role.ADMIN)
    answer = admin.get("/api/v1/audit?limit=1").get_json()
    assert answer["meta"]["head"]["sequence"] == answer["data"][0]["sequence"]
    second = admin.get(f"/api/v1/audit?limit=1&before={answer['meta']['next']}").get_json()
    assert second["data"][0]["sequence"] == answer["data"][0]["sequence"] - 1
    assert second["meta"]["next"] is None


def test_an_unknown_filter_is_refused(client_as: ClientAs) -> None:
    admin = client_as(Role.ADMIN)
    assert admin.get("/api/v1/audit?who=me").status_code == 422
    assert admin.get("/api/v1/audit?since=2026-01-01T00:00:00").status_code == 422
