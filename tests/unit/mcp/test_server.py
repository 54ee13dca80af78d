"""Every tool, asked by a client in the same process, in both generations of the protocol."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import TextContent, TextResourceContents
from sqlalchemy.exc import OperationalError

from fairdatabase.authorization.rules.routes import TOOLS as RULES
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, State
from fairdatabase.kernel.errors import RateLimitError
from fairdatabase.mcp.rules import NOTICE
from fairdatabase.mcp.schemas import Caller
from fairdatabase.mcp.server import build_server
from tests.factories.mcp import agent, ask, refusal, refused_agent, told
from tests.factories.world import World, inhabited

MODES = ("legacy", "auto")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with inhabited(tmp_path_factory.mktemp("mcp"), sqlite_template) as made:
        yield made


@pytest.fixture(scope="module")
def owner(world: World) -> Actor:
    return world.services.accounts.actor_by_email(owner_email(world))


def owner_email(world: World) -> str:
    me = world.visitors["owner"].client.get("/api/v1/auth/me").get_json()["data"]
    return str(me["email"])


@pytest.mark.parametrize("mode", MODES)
async def test_every_tool_and_parameter_is_explained(world: World, mode: str) -> None:
    async with agent(world.services, mode=mode) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == RULES.keys()
    for tool in tools:
        assert tool.description
        assert tool.input_schema["additionalProperties"] is False
        unexplained = [
            name
            for name, schema in tool.input_schema["properties"].items()
            if len(schema.get("description", "")) < 10
        ]
        assert not unexplained, tool.name
        assert tool.annotations
        assert tool.annotations.read_only_hint


@pytest.mark.parametrize("mode", MODES)
async def test_from_a_question_to_figures_and_a_citation(world: World, mode: str) -> None:
    async with agent(world.services, mode=mode) as client:
        found = await ask(client, "search_datasets", q="", access="open")
        assert found["total"] == 1
        dataset = found["items"][0]["dataset_public_id"]
        read = await ask(client, "read_dataset", dataset_id=dataset)
        assert (read["may_read_data"], read["dataset_id"]) == (True, dataset)
        (file,) = read["files"]
        schema = await ask(client, "read_schema", file_id=file["file_id"])
        assert schema["matching"] == schema["column_count"] == file["columns"]
        assert {"name", "type"} <= schema["columns"][0].keys()
        (figures,) = await ask(
            client, "column_statistics", file_id=file["file_id"], columns=["score"]
        )
        assert figures["rows"] == file["rows"]
        cited = await ask(client, "cite_dataset", dataset_id=dataset)
        assert cited["text"].startswith("Curie, M. (2026). Gut health of nobody")
        bibtex = await ask(client, "cite_dataset", dataset_id=dataset, style="bibtex")
        assert bibtex["text"].startswith("@")


async def test_rows_are_filtered_sorted_and_paged(world: World) -> None:
    question: dict[str, Any] = {
        "file_id": world.files[State.OPEN], "columns": ["sex", "score"], "limit": 2,
        "filters": [{"column": "sex", "op": "eq", "value": "female"}],
        "sort": [{"column": "score", "descending": True}], "with_total": True,
    }  # fmt: skip
    async with agent(world.services) as client:
        first = await ask(client, "query_rows", **question)
        second = await ask(client, "query_rows", **question, cursor=first["next_cursor"])
        measures = [{"function": "count"}, {"function": "max", "column": "score"}]
        groups = await ask(
            client, "aggregate_rows", file_id=question["file_id"], group_by=["sex"],
            measures=measures,
        )  # fmt: skip
    scores = [row[1] for page in (first, second) for row in page["rows"]]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    women = next(row for row in groups["rows"] if row[0] == "female")
    assert women[1:] == [first["total"], scores[0]]


async def test_columns_are_found_by_their_name(world: World) -> None:
    async with agent(world.services) as client:
        found = await ask(
            client, "read_schema", file_id=world.files[State.OPEN], containing="SCO", per_page=1
        )
    assert [column["name"] for column in found["columns"]] == ["score"]
    assert found["matching"] == 1 < found["column_count"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("search_datasets", {"question": "gut"}, "question: Extra inputs are not permitted"),
        ("search_datasets", {"per_page": 1000}, "per_page: "),
        ("read_dataset", {}, "dataset_id: Field required"),
        ("read_dataset", {"dataset_id": "x" * 65}, "dataset_id: "),
        ("read_dataset", {"dataset_id": "a\0b"}, "NUL"),
        ("query_rows", {"file_id": "a", "limit": 501}, "limit: "),
        (
            "query_rows",
            {"file_id": "a", "filters": [{"column": "b", "op": "like"}]},
            "filters.0.op",
        ),
        ("column_statistics", {"file_id": "a", "columns": []}, "columns: "),
        ("cite_dataset", {"dataset_id": "a", "style": "apa"}, "style: "),
    ],
)
async def test_what_does_not_fit_is_named(
    world: World, tool: str, arguments: dict[str, Any], words: str
) -> None:
    async with agent(world.services) as client:
        told = await refusal(client, tool, **arguments)
    assert told["code"] == "validation-error"
    assert words in told["error"]


async def test_an_unknown_column_is_named(world: World) -> None:
    async with agent(world.services) as client:
        told = await refusal(
            client, "query_rows", file_id=world.files[State.OPEN], columns=["weight"]
        )
    assert "weight" in told["error"]


@pytest.mark.parametrize("mode", MODES)
async def test_an_unknown_tool_is_told_the_known_ones(world: World, mode: str) -> None:
    async with agent(world.services, mode=mode) as client:
        with pytest.raises(MCPError, match="There are: search_datasets"):
            await client.session.call_tool("drop_tables", {})


@pytest.mark.parametrize("tool", ["query_rows", "aggregate_rows"])
async def test_restricted_data_are_for_who_may_read_them(
    world: World, owner: Actor, tool: str
) -> None:
    file = world.files[State.RESTRICTED]
    async with agent(world.services) as client:
        assert (await refusal(client, tool, file_id=file))["code"] == "authentication-required"
        assert (await ask(client, "read_schema", file_id=file))["columns"]
        dataset = await ask(client, "read_dataset", dataset_id=world.datasets[State.RESTRICTED])
        assert dataset["may_read_data"] is False
    async with agent(world.services, owner) as client:
        assert (await ask(client, tool, file_id=file))["rows"]


async def test_drafts_and_withdrawn_data_do_not_leak(world: World) -> None:
    async with agent(world.services) as client:
        for tool in ("read_schema", "query_rows"):
            hidden = await refusal(client, tool, file_id=world.files[State.DRAFT])
            assert hidden["code"] == "not-found"
        draft = world.versions[State.DRAFT]
        for tool in ("read_dataset", "cite_dataset"):
            assert (await refusal(client, tool, dataset_id=draft))["code"] == "not-found"
        with pytest.raises(MCPError, match="There is no dataset"):
            await client.read_resource(f"dataset://{draft}")
        gone = await refusal(client, "query_rows", file_id=world.files[State.WITHDRAWN])
        assert gone["code"] == "withdrawn"


@pytest.mark.parametrize("mode", MODES)
async def test_a_dataset_is_a_resource(world: World, mode: str) -> None:
    dataset = world.datasets[State.OPEN]
    async with agent(world.services, mode=mode) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        assert (await client.list_resources()).resources == []
        (contents,) = (await client.read_resource(f"dataset://{dataset}")).contents
        for address in ("file:///etc/passwd", f"dataset://{'x' * 65}"):
            with pytest.raises(MCPError):
                await client.read_resource(address)
    assert template.uri_template == "dataset://{dataset_id}"
    assert isinstance(contents, TextResourceContents)
    assert json.loads(contents.text)["@type"] == "Dataset"
    assert contents.meta == {"notice": NOTICE}


@pytest.mark.parametrize("mode", MODES)
async def test_the_prompt_says_what_to_do_about_a_subject(world: World, mode: str) -> None:
    async with agent(world.services, mode=mode) as client:
        (prompt,) = (await client.list_prompts()).prompts
        filled = await client.get_prompt(prompt.name, {"topic": "sleep {and} diet"})
        (message,) = filled.messages
        assert isinstance(message.content, TextContent)
        assert "sleep {and} diet" in message.content.text
        assert all(tool in message.content.text for tool in ("search_datasets", "cite_dataset"))
        for name, arguments in (("other", {}), (prompt.name, {"topic": ""}), (prompt.name, {})):
            with pytest.raises(MCPError):
                await client.get_prompt(name, arguments)


@pytest.mark.parametrize("mode", MODES)
async def test_who_asks_too_often_is_told_so(world: World, mode: str) -> None:
    answers = [Caller(world.services, ANONYMOUS)] * 2

    def limited() -> Caller:
        if answers:
            return answers.pop()
        raise RateLimitError("Too many requests.", retry_after=3)

    async with refused_agent(limited, mode=mode) as client:
        answers.clear()
        told_so = told(await client.session.call_tool("search_datasets", {}))
        assert (told_so["code"], told_so["details"]) == ("rate-limited", {"retry_after": 3})
        with pytest.raises(MCPError, match="Too many requests"):
            await client.list_resources()


@pytest.mark.parametrize("mode", MODES)
async def test_an_unforeseen_error_says_nothing_of_itself(
    world: World, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [Caller(world.services, ANONYMOUS)] * 2

    def broken() -> Caller:
        if answers:
            return answers.pop()
        raise OperationalError("SELECT secret", {}, Exception("disk"))

    async with refused_agent(broken, mode=mode) as client:
        answers.clear()
        with pytest.raises(MCPError, match="went wrong on our side") as caught:
            await client.session.call_tool("search_datasets", {})
    assert "secret" not in str(caught.value)
    assert "SELECT secret" in caplog.text


def test_a_tool_without_a_rule_is_not_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RULES, "query_rows")
    with pytest.raises(RuntimeError, match="query_rows"):
        build_server(lambda: Caller(world.services, ANONYMOUS))
