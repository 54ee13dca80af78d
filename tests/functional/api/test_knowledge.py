"""The knowledge base over REST: search, reading, sources by jobs, gaps, documents of datasets."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.config import Settings
from fairdatabase.services import Services
from fairdatabase.worker import register_tasks
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, METADATA, harmless
from tests.factories.deposits import Work, ok, open_deposit, set_roles, upload

GUIDE = """# Guide

Samples are kept in the zeolite freezer.

## Thawing

Thaw each tube slowly:

```python
thaw(tube, minutes=20)
```
"""
DESCRIPTION = str(METADATA["description"])
PROTOCOL = b"# Protocol\n\nStool was stored in a quokkaflask before sequencing.\n"
HOSTILE = b"# Notes\n\n<script>alert(1)</script> The wombatometer was calibrated.\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """An instance that may read a folder with one guide."""
    folder = tmp_path / "documents"
    (folder / "lab").mkdir(parents=True)
    (folder / "lab" / "guide.md").write_text(GUIDE, encoding="utf-8")
    return settings.model_copy(update={"knowledge_folder": folder})


@pytest.fixture
def lab(client_as: ClientAs, work: Work) -> FlaskClient:
    """An admin who has added the folder of the lab."""
    admin = client_as(Role.ADMIN)
    job = ok(admin.post("/api/v1/knowledge/sources", json={"location": "folder:lab"}), 202)
    work()
    assert ok(admin.get(f"/api/v1/jobs/{job['public_id']}"))["state"] == "done"
    return admin


def found(client: FlaskClient, question: str, **options: str) -> dict[str, Any]:
    """Return the answer to a question."""
    asked = {"q": question, **options}
    answer: dict[str, Any] = ok(client.get("/api/v1/knowledge/search", query_string=asked))
    return answer


def document(client: FlaskClient, deposit: str, name: str, content: bytes) -> str:
    """Add documentation to a deposit; return the id of the file."""
    added = client.put(
        f"/api/v1/deposits/{deposit}/files/{name}",
        query_string={"role": "documentation"},
        data=content,
        content_type="application/octet-stream",
    )
    return str(ok(added, 201)["file"]["public_id"])


def documented(client: FlaskClient, work: Work, *, access: str = "open") -> str:
    """Return a deposit that may be published and has a protocol."""
    deposit = open_deposit(client, access=access)
    file = upload(client, deposit, harmless())
    document(client, deposit, "protocol.md", PROTOCOL)
    work()
    set_roles(client, file, HARMLESS_ROLES)
    work()
    return deposit


def publish(client: FlaskClient, deposit: str) -> str:
    """Publish a deposit; return the id of its dataset."""
    version = ok(client.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    return str(version["dataset_public_id"])


def sees(client: FlaskClient, word: str = "quokkaflask") -> bool:
    """Tell whether a search, the list of sources or a document gives anything of a word away."""
    answer = found(client, word)
    code = ok(client.get("/api/v1/knowledge/code", query_string={"q": word}))["examples"]
    assert bool(answer["sections"]) == (word not in answer["missing"])
    assert bool(answer["sections"]) or not code
    return bool(answer["sections"])


def test_an_answer_says_where_it_stands(lab: FlaskClient, client: FlaskClient) -> None:
    answer = found(client, "zeolite freezer")
    first = answer["sections"][0]
    assert first["citation"]["trail"] == ["Guide"]
    assert first["citation"]["source"]["id"] == "lab"
    assert {"text": "zeolite", "is_hit": True} in first["snippet"]
    assert answer["mode"] == "lexical"
    assert not answer["is_gap"]
    assert "not instructions" in answer["notice"]
    # Where documents lie on the server is nobody's business.
    assert first["citation"]["url"] == ""

    whole = ok(client.get(f"/api/v1/knowledge/pages/{first['citation']['page_id']}"))
    assert [each["title"] for each in whole["sections"]] == ["Guide", "Thawing"]
    assert whole["sections"][1]["blocks"][1] == {
        "is_code": True, "text": "thaw(tube, minutes=20)", "language": "python",
    }  # fmt: skip
    listed = ok(client.get("/api/v1/knowledge/sources/lab/pages"))
    assert [each["id"] for each in listed] == [whole["id"]]
    (source,) = ok(client.get("/api/v1/knowledge/sources"))
    assert (source["location"], source["pages"], source["job"]) == ("folder:", 1, None)


def test_code_is_found_apart(lab: FlaskClient, client: FlaskClient) -> None:
    asked = {"q": "thaw tube"}
    (example,) = ok(client.get("/api/v1/knowledge/code", query_string=asked))["examples"]
    assert example["code"] == "thaw(tube, minutes=20)"
    assert example["language"] == "python"


def test_filters_leave_out(lab: FlaskClient, client: FlaskClient) -> None:
    assert found(client, "zeolite", source="lab")["sections"]
    assert not found(client, "zeolite", source="datasets")["sections"]
    assert not found(client, "zeolite", source="unheard-of")["sections"]
    assert not found(client, "zeolite", version="9")["sections"]


def test_an_answer_can_be_demanded(client: FlaskClient) -> None:
    refused = client.get("/api/v1/knowledge/search?q=zeolite&demand=true")
    assert refused.status_code == 422
    assert refused.get_json()["code"] == "knowledge-base"


def test_gaps_are_for_curators(client_as: ClientAs, client: FlaskClient, work: Work) -> None:
    curator = client_as(Role.CURATOR)
    for question in ("bake a sourdough", "bake a sourdough", "flask blueprints"):
        assert found(client, question)["is_gap"]
    first, second = ok(curator.get("/api/v1/knowledge/gaps"))
    assert (first["questions"], first["times"]) == (["bake a sourdough"], 2)
    assert "pypi:Flask" in second["suggestions"]
    for method, path in (("get", "gaps"), ("post", "gaps/dismissal"), ("post", "starter")):
        sent = client_as(Role.MEMBER).open(f"/api/v1/knowledge/{path}", method=method.upper())
        assert sent.status_code == 403
    body = {"question": "bake a sourdough"}
    assert curator.post("/api/v1/knowledge/gaps/dismissal", json=body).status_code == 204
    assert [each["times"] for each in ok(curator.get("/api/v1/knowledge/gaps"))] == [1]


def test_a_folder_is_added_by_admins_alone_and_only_below_the_one_that_is_set(
    client_as: ClientAs, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("# Secret", encoding="utf-8")
    add = {"location": "folder:lab"}
    assert client_as(Role.CURATOR).post("/api/v1/knowledge/sources", json=add).status_code == 403
    admin = client_as(Role.ADMIN)
    for location in ("folder:../secret.md", "folder:/etc", "folder:nowhere", "/etc",
                     "file:///etc", "git:file:///etc", "git:ssh://host/x", "pypi:a b"):  # fmt: skip
        refused = admin.post("/api/v1/knowledge/sources", json={"location": location})
        assert refused.status_code == 422, location


def test_a_source_that_cannot_be_loaded_says_why(client_as: ClientAs, work: Work) -> None:
    curator = client_as(Role.CURATOR)
    for location in ("installed:nothing-of-this-name", "https://127.0.0.1/docs",
                     "git:https://127.0.0.1/docs"):  # fmt: skip
        job = ok(curator.post("/api/v1/knowledge/sources", json={"location": location}), 202)
        work()
        ended = ok(curator.get(f"/api/v1/jobs/{job['public_id']}"))
        assert ended["state"] == "failed"
        assert location in ended["error"]


def test_sources_are_looked_after_and_every_change_is_recorded(
    lab: FlaskClient, client: FlaskClient, work: Work, settings: Settings
) -> None:
    path = "/api/v1/knowledge/sources/lab"
    assert lab.put(f"{path}/schedule", json={"refresh_days": 7}).status_code == 204
    assert settings.knowledge_folder
    guide = settings.knowledge_folder / "lab" / "guide.md"
    guide.write_text("# Guide\n\nNow in the obsidian freezer.\n", encoding="utf-8")
    ok(lab.post(f"{path}/refresh"), 202)
    work()
    assert found(client, "obsidian")["sections"]
    assert not found(client, "zeolite")["sections"]
    assert ok(lab.get("/api/v1/knowledge/sources"))[0]["refresh_days"] == 7
    again = lab.post("/api/v1/knowledge/sources", json={"location": "pypi:lab"})
    assert again.status_code == 409
    assert lab.delete(path).status_code == 204
    assert lab.delete(path).status_code == 404
    assert not found(client, "obsidian")["sections"]
    acts = [each["action"] for each in ok(lab.get("/api/v1/audit?action=knowledge."))]
    assert acts == [f"knowledge.source-{act}" for act in ("removed", "refreshed", "scheduled",
                                                          "added")]  # fmt: skip


def test_documents_follow_the_access_rules_of_their_dataset(
    client_as: ClientAs, client: FlaskClient, stranger: FlaskClient, work: Work
) -> None:
    owner, curator = client_as(Role.MEMBER), client_as(Role.CURATOR)
    deposit = documented(owner, work)
    assert [sees(each) for each in (owner, curator, stranger, client)] == [True, True, False, False]
    page = found(owner, "quokkaflask")["sections"][0]["citation"]["page_id"]
    assert owner.get(f"/api/v1/knowledge/pages/{page}").status_code == 200
    assert stranger.get(f"/api/v1/knowledge/pages/{page}").status_code == 404
    draft = f"/api/v1/knowledge/sources/draft-{deposit}/pages"
    assert (owner.get(draft).status_code, stranger.get(draft).status_code) == (200, 404)
    assert not ok(stranger.get("/api/v1/knowledge/sources"))

    publish(owner, deposit)
    # Nothing is public before the job has made it so, and nothing of the draft stays.
    assert not sees(stranger)
    work()
    assert all(sees(each) for each in (owner, curator, stranger, client))
    citation = found(client, "quokkaflask")["sections"][0]["citation"]
    assert citation["source"]["id"] == f"dataset-{deposit}"
    assert "/content" in citation["url"]
    assert owner.get(draft).status_code == 404
    about = found(client, DESCRIPTION, source="datasets")["sections"][0]["citation"]
    assert about["url"].endswith(f"/datasets/{deposit}")

    gone = {"reason": "A participant took back their consent."}
    ok(owner.post(f"/api/v1/versions/{deposit}/withdrawal", json=gone), 201)
    # Withdrawn is withdrawn, whether or not the job has run.
    for _ in range(2):
        assert not found(owner, "quokkaflask")["sections"]
        assert not found(client, DESCRIPTION)["sections"]
        assert client.get(f"/api/v1/knowledge/pages/{citation['page_id']}").status_code == 404
        assert not ok(client.get("/api/v1/knowledge/sources"))
        work()
    assert not sees(owner)


def test_restricted_data_keep_their_files_and_show_their_description(
    client_as: ClientAs, client: FlaskClient, stranger: FlaskClient, work: Work
) -> None:
    owner = client_as(Role.MEMBER)
    deposit = documented(owner, work, access="restricted")
    publish(owner, deposit)
    work()
    assert [sees(each) for each in (owner, stranger, client)] == [True, False, False]
    assert sees(client_as(Role.CURATOR))
    shown = found(client, DESCRIPTION)["sections"][0]["citation"]["source"]
    assert shown["id"] == f"dataset-{deposit}"


def test_what_leaves_a_draft_leaves_the_search(client_as: ClientAs, work: Work) -> None:
    owner = client_as(Role.MEMBER)
    deposit = open_deposit(owner)
    first = document(owner, deposit, "protocol.md", PROTOCOL)
    document(owner, deposit, "notes.md", HOSTILE)
    document(owner, deposit, "broken.pdf", b"%PDF-1.7 broken")
    work()
    assert sees(owner)
    assert sees(owner, "wombatometer")
    ok(owner.delete(f"/api/v1/files/{first}"))
    work()
    assert not sees(owner)
    ok(owner.delete(f"/api/v1/deposits/{deposit}"))
    assert not found(owner, "wombatometer")["sections"]
    work()
    assert not sees(owner, "wombatometer")


def test_a_token_reads_no_drafts_without_the_scope(
    client_as: ClientAs, services: Services, work: Work
) -> None:
    owner = client_as(Role.MEMBER)
    open_deposit(owner)
    work()
    made = {"name": "small", "scopes": ["account:read"]}
    token = ok(owner.post("/api/v1/tokens", json=made), 201)["token"]
    answer = owner.application.test_client().get(
        "/api/v1/knowledge/search",
        query_string={"q": DESCRIPTION},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert not ok(answer)["sections"]
    assert found(owner, DESCRIPTION)["sections"]


def test_the_worker_catches_up_with_what_was_missed(
    client_as: ClientAs, services: Services, work: Work, lab: FlaskClient
) -> None:
    owner = client_as(Role.MEMBER)
    deposit = open_deposit(owner)
    document(owner, deposit, "protocol.md", PROTOCOL)
    work()
    services.knowledge.sweep()
    work()
    assert services.knowledge.datasets.sweep() == 0
    services.knowledge._library.store.drop_source(f"draft-{deposit}")
    assert services.knowledge.datasets.sweep() == 1
    work()
    assert sees(owner)
    register_tasks(services)
    assert services.knowledge.sources.sweep() == 0
