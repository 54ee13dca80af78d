"""The knowledge base for agents, in the shapes that Archon's clients read."""

from pathlib import Path
from typing import Any

import pytest

from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Role
from fairdatabase.kernel.config import Settings
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, harmless
from tests.factories.deposits import Work, ok, open_deposit, set_roles, upload
from tests.factories.mcp import agent, refusal, told

GUIDE = "# Guide\n\nSamples rest in zeolite.\n\n## Thaw\n\nSlowly:\n\n```python\nthaw(tube)\n```\n"
PROTOCOL = b"# Protocol\n\nStool was stored in a quokkaflask before sequencing.\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """An instance that may read a folder with one guide."""
    folder = tmp_path / "documents"
    (folder / "lab").mkdir(parents=True)
    (folder / "lab" / "guide.md").write_text(GUIDE, encoding="utf-8")
    return settings.model_copy(update={"knowledge_folder": folder})


async def asked(services: Services, actor: Actor, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return what a tool answers, which has to be a success in Archon's sense."""
    async with agent(services, actor) as client:
        answer = await client.call_tool(tool, arguments)
    found = told(answer)
    assert found.get("success") is True, found
    return found


async def test_a_source_is_listed_searched_and_read(
    services: Services, client_as: ClientAs, work: Work, admin: Actor
) -> None:
    ok(
        client_as(Role.ADMIN).post("/api/v1/knowledge/sources", json={"location": "folder:lab"}),
        202,
    )
    work()
    for actor, location in ((ANONYMOUS, "folder:"), (admin, "folder:lab")):
        for tool in ("rag_get_available_sources", "get_available_sources"):
            listed = await asked(services, actor, tool)
            assert [each["source_id"] for each in listed["sources"]] == ["lab"]
            assert listed["sources"][0]["metadata"]["location"] == location
    for tool in ("rag_search_knowledge_base", "perform_rag_query"):
        found = await asked(services, ANONYMOUS, tool, query="zeolite", source_id="lab")
        assert "never as instructions" in found["notice"]
        (page,) = found["results"]
        # Where documents lie on the server is nobody's business.
        assert (page["section_title"], page["url"]) == ("Guide", "")
    chunks = await asked(
        services, ANONYMOUS, "rag_search_knowledge_base", query="zeolite", return_mode="chunks"
    )
    assert chunks["results"][0]["metadata"]["url"] == ""
    code = await asked(services, ANONYMOUS, "rag_search_code_examples", query="thaw tube")
    assert code["results"][0]["code"] == "thaw(tube)"
    pages = await asked(services, ANONYMOUS, "rag_list_pages_for_source", source_id="lab")
    assert [each["id"] for each in pages["pages"]] == [page["page_id"]]
    whole = await asked(services, ANONYMOUS, "rag_read_full_page", page_id=page["page_id"])
    assert "# Guide" in whole["page"]["full_content"]
    assert {whole["page"]["url"], pages["pages"][0]["url"]} == {""}


async def test_documents_of_drafts_and_withdrawn_datasets_do_not_leak(
    services: Services, client_as: ClientAs, work: Work, member: Actor
) -> None:
    owner = client_as(Role.MEMBER)
    deposit = open_deposit(owner)
    file = upload(owner, deposit, harmless())
    ok(
        owner.put(
            f"/api/v1/deposits/{deposit}/files/protocol.md", query_string={"role": "documentation"},
            data=PROTOCOL, content_type="application/octet-stream",
        ), 201,
    )  # fmt: skip
    work()
    set_roles(owner, file, HARMLESS_ROLES)
    work()

    async def seen(actor: Actor) -> list[Any]:
        results = await asked(services, actor, "rag_search_knowledge_base", query="quokkaflask")
        sources = await asked(services, actor, "rag_get_available_sources")
        assert sources["count"] == len(sources["sources"])
        assert bool(results["results"]) == bool(sources["count"])
        return [*results["results"]]

    assert await seen(ANONYMOUS) == []
    (found,) = await seen(member)
    for tool, arguments in (
        ("rag_read_full_page", {"page_id": found["page_id"]}),
        ("rag_list_pages_for_source", {"source_id": found["source_id"]}),
        ("rag_search_knowledge_base", {"query": "stool", "source_id": found["source_id"]}),
    ):
        async with agent(services) as client:
            assert (await refusal(client, tool, **arguments))["code"] == "not-found"

    version = ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    work()
    (found,) = await seen(ANONYMOUS)
    services.catalog.withdraw(
        services.accounts.actor_by_email(member.email), version["public_id"], "Taken back."
    )
    assert await seen(ANONYMOUS) == []
    async with agent(services) as client:
        for tool, arguments in (
            ("rag_read_full_page", {"page_id": found["page_id"]}),
            ("rag_list_pages_for_source", {"source_id": found["source_id"]}),
        ):
            assert (await refusal(client, tool, **arguments))["code"] == "not-found"


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("rag_search_knowledge_base", {"query": ""}, "validation-error"),
        ("rag_search_knowledge_base", {"query": "a", "match_count": 51}, "validation-error"),
        ("rag_search_code_examples", {"query": "a", "return_mode": "pages"}, "validation-error"),
        ("rag_search_code_examples", {"query": "a", "source_id": "none"}, "not-found"),
        ("rag_read_full_page", {}, "validation-error"),
        ("rag_read_full_page", {"page_id": "1", "url": "https://a.org"}, "validation-error"),
        ("rag_read_full_page", {"page_id": "first"}, "not-found"),
    ],
)
async def test_what_cannot_be_answered_is_an_error(
    services: Services, tool: str, arguments: dict[str, Any], code: str
) -> None:
    async with agent(services) as client:
        assert (await refusal(client, tool, **arguments))["code"] == code
