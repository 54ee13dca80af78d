"""Agents and programs get the same answers, in the shapes that Archon's clients read."""

import json
from typing import Any

import pytest
from mcp import Client
from starlette.testclient import TestClient

from knowledge_base.archon import NOTICE
from knowledge_base.documents import Format, Page, Source
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.server import asgi_app, mcp_server

TOOLS = {
    "rag_get_available_sources", "rag_search_knowledge_base", "rag_search_code_examples",
    "rag_list_pages_for_source", "rag_read_full_page",
    "get_available_sources", "perform_rag_query", "search_code_examples",
}  # fmt: skip
PAGE_FIELDS = {
    "page_id", "url", "section_title", "word_count", "chunk_matches", "aggregate_similarity",
    "average_similarity", "source_id",
}  # fmt: skip
LISTED_FIELDS = {
    "id",
    "url",
    "section_title",
    "section_order",
    "word_count",
    "char_count",
    "chunk_count",
}


@pytest.fixture
def http(knowledge: KnowledgeBase) -> TestClient:
    return TestClient(asgi_app(knowledge))


async def call(knowledge: KnowledgeBase, tool: str, **given: Any) -> tuple[bool, str]:  # noqa: ANN401 - JSON
    async with Client(mcp_server(knowledge)) as client:
        answer = await client.call_tool(tool, given)
    (content,) = answer.content
    assert content.type == "text"
    return bool(answer.is_error), content.text


async def answer(knowledge: KnowledgeBase, tool: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    failed, text = await call(knowledge, tool, **given)
    assert not failed, text
    found: dict[str, Any] = json.loads(text)
    assert found["success"] is True
    return found


async def test_every_tool_is_there_and_explained(knowledge: KnowledgeBase) -> None:
    async with Client(mcp_server(knowledge)) as client:
        listed = (await client.list_tools()).tools
    assert {tool.name for tool in listed} == TOOLS
    assert all(tool.description for tool in listed)
    parameters = {tool.name: set(tool.input_schema["properties"]) for tool in listed}
    assert parameters["rag_search_knowledge_base"] == {
        "query", "source_id", "match_count", "return_mode", "packages",
    }  # fmt: skip
    assert parameters["perform_rag_query"] == parameters["rag_search_knowledge_base"]


async def test_sources(knowledge: KnowledgeBase) -> None:
    found = await answer(knowledge, "rag_get_available_sources")
    (source,) = found["sources"]
    assert found["count"] == 1
    assert (source["source_id"], source["metadata"]["version"]) == ("flask", "3.1")
    assert source["updated_at"] == "2026-03-01T12:00:00+00:00"


async def test_pages_are_found(knowledge: KnowledgeBase) -> None:
    for tool in ("rag_search_knowledge_base", "perform_rag_query"):
        found = await answer(
            knowledge, tool, query="nest a blueprint", source_id="flask", match_count=1
        )
        (page,) = found["results"]
        assert set(page) >= PAGE_FIELDS
        assert page["url"] == "https://flask.example/blueprints#nesting"
        assert page["chunk_matches"] == 3
        assert (found["return_mode"], found["reranked"], found["error"]) == ("pages", False, None)
        assert (found["mode"], found["notice"]) == ("lexical", NOTICE)


async def test_sections_are_found(knowledge: KnowledgeBase) -> None:
    found = await answer(
        knowledge, "rag_search_knowledge_base", query="test client", return_mode="chunks"
    )
    first = found["results"][0]
    assert set(first) >= {"id", "content", "metadata", "similarity_score"}
    assert first["metadata"]["url"].startswith("https://flask.example/testing")
    assert first["similarity"] is None


async def test_what_the_project_uses_comes_first(knowledge: KnowledgeBase) -> None:
    page = Page("https://other.example/", "# Nesting blueprints\n\nNest.", Format.MARKDOWN)
    knowledge.refresh(Source("other", "installed:Other.Name", "Other"), [page])
    for packages, expected in (([], "other"), (["other_name"], "other"), (["Flask"], "flask")):
        found = await answer(
            knowledge, "rag_search_knowledge_base", query="nesting", packages=packages
        )
        assert found["results"][0]["source_id"] == expected


async def test_code_is_found(knowledge: KnowledgeBase) -> None:
    for tool in ("rag_search_code_examples", "search_code_examples"):
        found = await answer(knowledge, tool, query="register_blueprint")
        (example,) = found["results"]
        assert example["code"] == "parent.register_blueprint(child)"
        assert set(example) >= {"url", "code", "summary", "metadata", "source_id", "similarity"}
    assert (await answer(knowledge, "rag_search_code_examples", query="zebra"))["results"] == []


async def test_pages_are_listed_and_read(knowledge: KnowledgeBase, blueprints: Page) -> None:
    listed = await answer(knowledge, "rag_list_pages_for_source", source_id="flask")
    assert listed["total"] == 2
    assert set(listed["pages"][0]) == LISTED_FIELDS
    some = await answer(knowledge, "rag_list_pages_for_source", source_id="flask", section="test")
    assert [page["section_title"] for page in some["pages"]] == ["Testing"]
    by_id = await answer(knowledge, "rag_read_full_page", page_id=listed["pages"][0]["id"])
    by_url = await answer(knowledge, "rag_read_full_page", url=f"{blueprints.url}#nesting")
    assert by_id == by_url
    content = by_id["page"]["full_content"]
    assert content.startswith("# Blueprints\n\nGroup the views")
    assert "## Nesting" in content


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("rag_search_knowledge_base", {}, "query"),
        ("rag_search_knowledge_base", {"query": ""}, "at least 1"),
        ("rag_search_knowledge_base", {"query": "x", "match_count": 51}, "50"),
        ("rag_search_knowledge_base", {"query": "x", "return_mode": "all"}, "pages"),
        ("rag_search_knowledge_base", {"query": "x", "source_id": "django"}, "There are: flask"),
        ("rag_list_pages_for_source", {"source_id": "django"}, "no source"),
        ("rag_read_full_page", {}, "either"),
        ("rag_read_full_page", {"page_id": "x"}, "no id"),
        ("rag_read_full_page", {"page_id": "999"}, "no page"),
    ],
)
async def test_a_wrong_call_is_explained(
    knowledge: KnowledgeBase, tool: str, given: dict[str, Any], said: str
) -> None:
    failed, text = await call(knowledge, tool, **given)
    assert failed
    assert said in text


def test_the_same_by_rest(http: TestClient, blueprints: Page) -> None:
    asked = {"query": "nest a blueprint", "source": "flask", "match_count": 1}
    found = http.post("/api/rag/query", json=asked).json()
    assert found["results"][0]["url"] == "https://flask.example/blueprints#nesting"
    code = http.post("/api/rag/code-examples", json={"query": "register_blueprint"}).json()
    assert code["results"][0]["source_id"] == "flask"
    assert http.get("/api/rag/sources").json()["count"] == 1
    pages = http.get("/api/pages", params={"source_id": "flask"}).json()["pages"]
    by_id = http.get(f"/api/pages/{pages[0]['id']}").json()
    assert by_id == http.get("/api/pages/by-url", params={"url": blueprints.url}).json()
    assert http.get("/health").json() == {"status": "ok"}


def test_errors_by_rest(http: TestClient) -> None:
    wrong = http.post("/api/rag/query", json={"query": "", "other": 1})
    assert wrong.status_code == 422
    assert "query" in wrong.json()["error"]
    assert "other" in wrong.json()["error"]
    assert http.post("/api/rag/query", content=b"{").status_code == 422
    assert http.get("/api/pages/999").status_code == 404
    assert "source_id" in http.get("/api/pages").json()["error"]
    assert http.get("/nowhere").status_code == 404


def test_a_token_is_asked(knowledge: KnowledgeBase) -> None:
    http = TestClient(asgi_app(knowledge, token="a secret"))
    assert http.get("/health").status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "a secret"}):
        refused = http.get("/api/rag/sources", headers=headers)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert http.post("/mcp", headers=headers).status_code == 401
    allowed = http.get("/api/rag/sources", headers={"Authorization": "Bearer a secret"})
    assert allowed.status_code == 200


def test_mcp_over_http(knowledge: KnowledgeBase) -> None:
    headers = {"Accept": "application/json, text/event-stream", "Host": "127.0.0.1:8051"}
    asked = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                   "clientInfo": {"name": "test", "version": "1"}},
    }  # fmt: skip
    with TestClient(asgi_app(knowledge), base_url="http://127.0.0.1:8051") as http:
        answer = http.post("/mcp", json=asked, headers=headers)
        assert answer.status_code == 200
        assert "knowledge-base" in answer.text
        foreign = http.post("/mcp", json=asked, headers=headers | {"Host": "evil.example"})
        assert foreign.status_code in {403, 421}
