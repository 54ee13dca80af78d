"""The server: every feature's tools, under the permissions of the one who asks.

A tool is a function of the services, the actor and one validated question; its docstring is what
agents read. It calls the use case that the other surfaces call, so that what an agent may see, what
is recorded and what it costs is decided in one place.
"""

import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from mcp.server import Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as ListedTool
from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError

from fairdatabase import __version__
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.rules import require_tool
from fairdatabase.authorization.rules.routes import TOOLS as RULES
from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import DatasetPath
from fairdatabase.catalog.tools import search_datasets
from fairdatabase.interop.tools import cite_dataset, dataset, read_dataset
from fairdatabase.kernel.errors import (
    FAIRDatabaseError,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)
from fairdatabase.kernel.records import invalid_input
from fairdatabase.knowledge.tools import (
    rag_get_available_sources,
    rag_list_pages_for_source,
    rag_read_full_page,
    rag_search_code_examples,
    rag_search_knowledge_base,
)
from fairdatabase.mcp.prompts import SUMMARISE, written
from fairdatabase.mcp.rules import NOTICE, quoted, refusal, shaped, visible
from fairdatabase.mcp.schemas import Caller
from fairdatabase.tables.tools import aggregate_rows, column_statistics, query_rows, read_schema

if TYPE_CHECKING:
    from fairdatabase.services import Services

INSTRUCTIONS: Final = (
    "A repository of research tables about people. Search before you answer; read_dataset names the"
    " tables of a dataset, read_schema their columns; rag_search_knowledge_base searches protocols,"
    " codebooks and documentation. You see what the holder of your access token may see, and"
    " without one what is public. Cite the datasets that you use. " + NOTICE
)
SCHEME: Final = "dataset://"
_CALL = "tools/call"
_FAILED = "Something went wrong on our side. Please try again; if it stays, tell the admin."
_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_Context = ServerRequestContext[Any, Any]
_Page = PaginatedRequestParams | None
Answers = Callable[["Services", Actor, Any], object]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that agents call.

    Attributes:
        name: What they call it.
        description: What it is good for.
        question: What it takes.
        answer: Takes services, actor and question.
        write: Makes text of the answer.
    """

    name: str
    description: str
    question: type[BaseModel]
    answer: Answers
    write: Callable[[object], str]

    @classmethod
    def of(
        cls, function: Answers, *, name: str = "", write: Callable[[object], str] = quoted
    ) -> Self:
        """Return the tool that a function of services, actor and question is."""
        _services, _actor, asked = inspect.signature(function).parameters.values()
        return cls(
            name=name or function.__name__,
            description=f"The same as {function.__name__}."
            if name
            else inspect.getdoc(function) or "",
            question=asked.annotation,
            answer=function,
            write=write,
        )

    @property
    def listed(self) -> ListedTool:
        """How clients learn of it."""
        return ListedTool(
            name=self.name,
            title=self.name.replace("_", " ").capitalize(),
            description=self.description,
            input_schema=self.question.model_json_schema(),
            annotations=_READS,
        )


_OF_DATASETS: Final[tuple[Answers, ...]] = (
    search_datasets,
    read_dataset,
    read_schema,
    query_rows,
    aggregate_rows,
    column_statistics,
    cite_dataset,
)
_OF_DOCUMENTS: Final[tuple[Answers, ...]] = (
    rag_get_available_sources,
    rag_search_knowledge_base,
    rag_search_code_examples,
    rag_list_pages_for_source,
    rag_read_full_page,
)
_OLDER_NAMES: Final[dict[str, Answers]] = {
    "get_available_sources": rag_get_available_sources,
    "perform_rag_query": rag_search_knowledge_base,
    "search_code_examples": rag_search_code_examples,
}
"""That clients of Archon may still be configured for."""
TOOLS: Final = {
    tool.name: tool
    for tool in (
        *(Tool.of(each) for each in _OF_DATASETS),
        *(Tool.of(each, write=shaped) for each in _OF_DOCUMENTS),
        *(Tool.of(each, name=name, write=shaped) for name, each in _OLDER_NAMES.items()),
    )
}
_LISTED: Final = [tool.listed for tool in TOOLS.values()]
TEMPLATE: Final = ResourceTemplate(
    name="dataset",
    title="Dataset",
    uri_template=f"{SCHEME}{{dataset_id}}",
    description=f"{inspect.getdoc(dataset)} By the public id of a dataset or version. {NOTICE}",
    mime_type="application/ld+json",
)


def build_server(caller: Callable[[], Caller]) -> Server[Any]:
    """Return the server.

    Args:
        caller: Says who asks, each time; raises the platform's errors where they may not.

    Raises:
        RuntimeError: Nobody decided who may use a tool.
    """
    if TOOLS.keys() != RULES.keys():
        message = f"tools and rules differ: {sorted(TOOLS.keys() ^ RULES.keys())}"
        raise RuntimeError(message)
    handlers = _Handlers(caller)
    server: Server[Any] = Server(
        "fairdatabase",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )
    server.middleware.append(handlers.refuse)
    return server


class _Handlers:
    """Answers messages.

    Args:
        caller: Says who asks.
    """

    def __init__(self, caller: Callable[[], Caller]) -> None:
        self._caller = caller

    async def refuse(self, ctx: _Context, call_next: CallNext) -> HandlerResult:
        """Turn every error into one for the reader: of a tool for the model, else for the client.

        Raises:
            MCPError: As the protocol has it; never with what an unforeseen error says.
        """
        if ctx.request_id is None:
            return await call_next(ctx)
        try:
            self._caller()
            return await call_next(ctx)
        except FAIRDatabaseError as error:
            if ctx.method == _CALL:
                return _content(refusal(error), is_error=True)
            asked_wrongly = isinstance(error, NotFoundError | ValidationError)
            code = INVALID_PARAMS if asked_wrongly else INVALID_REQUEST
            raise MCPError(code, error.message, {"code": error.code}) from error
        except (MCPError, PydanticValidationError):
            raise
        except Exception:
            logger.exception("Unhandled error")
            raise MCPError(INTERNAL_ERROR, _FAILED) from None

    async def list_tools(self, _context: _Context, _page: _Page) -> ListToolsResult:
        """List the tools: the same ones for everybody."""
        return ListToolsResult(tools=_LISTED)

    async def call_tool(self, _context: _Context, called: CallToolRequestParams) -> CallToolResult:
        """Call a tool.

        Raises:
            MCPError: There is no such tool.
            FAIRDatabaseError: As the use case.
        """
        tool = TOOLS.get(called.name)
        if tool is None:
            known = ", ".join(TOOLS)
            raise MCPError(INVALID_PARAMS, f"There is no tool of this name. There are: {known}.")
        return _content(tool.write(self._answer(tool, called.arguments or {})))

    async def list_resources(self, _context: _Context, _page: _Page) -> ListResourcesResult:
        """List nothing: datasets are found by search, and read by the template."""
        return ListResourcesResult(resources=[])

    async def list_templates(self, _context: _Context, _page: _Page) -> ListResourceTemplatesResult:
        """List the one way to name a dataset."""
        return ListResourceTemplatesResult(resource_templates=[TEMPLATE])

    async def read_resource(
        self, _context: _Context, wanted: ReadResourceRequestParams
    ) -> ReadResourceResult:
        """Return a dataset's description.

        Raises:
            NotFoundError: The address leads nowhere.
        """
        scheme, separator, dataset_id = wanted.uri.partition("://")
        if f"{scheme}{separator}" != SCHEME:
            raise NotFoundError(f"Resources are named {TEMPLATE.uri_template}.")
        services, actor = self._caller()
        require_tool(actor, read_dataset.__name__)
        found = dataset(services, actor, _validated(DatasetPath, {"dataset_id": dataset_id}))
        contents = TextResourceContents(
            uri=wanted.uri,
            mime_type=found.media_type,
            text=visible(found.text),
            _meta={"notice": NOTICE},
        )
        return ReadResourceResult(contents=[contents])

    async def list_prompts(self, _context: _Context, _page: _Page) -> ListPromptsResult:
        """List the prompts."""
        return ListPromptsResult(prompts=[SUMMARISE])

    async def get_prompt(
        self, _context: _Context, wanted: GetPromptRequestParams
    ) -> GetPromptResult:
        """Return a prompt.

        Raises:
            NotFoundError: There is none of this name.
            ValidationError: The arguments do not fit.
        """
        return written(wanted.name, wanted.arguments or {})

    def _answer(self, tool: Tool, arguments: Mapping[str, Any]) -> object:
        services, actor = self._caller()
        try:
            require_tool(actor, tool.name)
            return tool.answer(services, actor, _validated(tool.question, arguments))
        except PermissionDeniedError as error:
            if not isinstance(error, ConfirmationRequiredError):
                services.audit.note_denial(actor, tool.name)
            raise


def _validated(question: type[BaseModel], arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401
    try:
        return question.model_validate(arguments)
    except PydanticValidationError as error:
        raise invalid_input(error) from None


def _content(text: str, *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)
