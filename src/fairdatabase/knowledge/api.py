"""The knowledge base over REST."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success
from fairdatabase.knowledge.schemas import (
    Answer,
    AnswerQuery,
    DismissalIn,
    Document,
    Examples,
    GapRecord,
    PageEntry,
    PagePath,
    ScheduleIn,
    Scoped,
    SourceIn,
    SourcePath,
    SourceRecord,
)

api = APIBlueprint(
    "knowledge_api",
    __name__,
    url_prefix="/api/v1/knowledge",
    abp_tags=[Tag(name="knowledge", description="Documents and code examples, to search and cite")],
    abp_responses=problems(422),
)
_CURATORS: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]


@api.get("/search", responses={200: Success[Answer]})
def search(query: AnswerQuery) -> Response:
    """Sections that answer a question, each with its source, and how far to trust the answer."""
    return success(services().knowledge.search(actor(), query, demanded=query.demand))


@api.get("/code", responses={200: Success[Examples]})
def code(query: Scoped) -> Response:
    """Pieces of code that do what is asked, or use the names in the question."""
    return success(services().knowledge.examples(actor(), query))


@api.get("/sources", responses={200: Success[list[SourceRecord]]})
def list_sources() -> Response:
    """The sources that you may read, with the documents of datasets among them."""
    return success(services().knowledge.list_sources(actor()))


@api.post(
    "/sources",
    responses={202: Success[JobRecord], **problems(401, 403, 409)},
    security=_CURATORS,
)
def add_source(body: SourceIn) -> Response:
    """Add a source; a job loads it (curators)."""
    return success(services().knowledge.sources.add(actor(), body), status=202)


@api.post(
    "/starter",
    responses={202: Success[list[JobRecord]], **problems(401, 403, 409)},
    security=_CURATORS,
)
def add_starter() -> Response:
    """Add the documentation that most begin with; each source is a job that says how it went."""
    return success(services().knowledge.sources.add_starter(actor()), status=202)


@api.post(
    "/sources/<source_id>/refresh",
    responses={202: Success[JobRecord], **problems(401, 403, 404)},
    security=_CURATORS,
)
def refresh_source(path: SourcePath) -> Response:
    """Load a source anew; only what has changed is read again (curators)."""
    return success(services().knowledge.sources.refresh(actor(), path.source_id), status=202)


@api.put(
    "/sources/<source_id>/schedule",
    responses={204: None, **problems(401, 403, 404)},
    security=_CURATORS,
)
def schedule_source(path: SourcePath, body: ScheduleIn) -> Response:
    """Say after how many days a source is loaded anew (curators)."""
    services().knowledge.sources.schedule(actor(), path.source_id, body)
    return Response(status=204)


@api.delete(
    "/sources/<source_id>",
    responses={204: None, **problems(401, 403, 404)},
    security=_CURATORS,
)
def remove_source(path: SourcePath) -> Response:
    """Remove a source with everything in it (curators)."""
    services().knowledge.sources.remove(actor(), path.source_id)
    return Response(status=204)


@api.get("/sources/<source_id>/pages", responses={200: Success[list[PageEntry]], **problems(404)})
def list_pages(path: SourcePath) -> Response:
    """The documents of a source, in their order."""
    return success(services().knowledge.contents(actor(), path.source_id)[1])


@api.get("/pages/<int:page_id>", responses={200: Success[Document], **problems(404)})
def read_page(path: PagePath) -> Response:
    """A whole document, section by section, and its neighbours."""
    return success(services().knowledge.document(actor(), path.page_id))


@api.get(
    "/gaps", responses={200: Success[list[GapRecord]], **problems(401, 403)}, security=_CURATORS
)
def list_gaps() -> Response:
    """What was asked and not found, the most often asked first (curators)."""
    return success(services().knowledge.gaps(actor()))


@api.post("/gaps/dismissal", responses={204: None, **problems(401, 403)}, security=_CURATORS)
def dismiss_gap(body: DismissalIn) -> Response:
    """Forget a question and those that mean about the same (curators)."""
    services().knowledge.dismiss(actor(), body.question)
    return Response(status=204)
