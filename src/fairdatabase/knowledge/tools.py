"""The knowledge base for agents, by the names and in the shapes that Archon's clients know."""

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.records import Closed
from knowledge_base.archon import MOST, Query

if TYPE_CHECKING:
    from fairdatabase.services import Services

_SOURCE = "Id of one source, as rag_get_available_sources gives it; all by default."


class NoQuestion(Closed):
    """Nothing has to be said."""


class ExamplesQuestion(Closed):
    """Which code is sought, and where."""

    query: str = Field(
        min_length=1, max_length=2000, description="A question, or names in the code."
    )
    source_id: str | None = Field(default=None, max_length=100, description=_SOURCE)
    match_count: int = Field(default=5, ge=1, le=MOST, description="How many results.")

    def to_query(self) -> Query:
        """Return it as the library takes it."""
        asked = self.model_dump(exclude={"source_id"})
        return Query(source=self.source_id, **asked)


class PagesQuestion(ExamplesQuestion):
    """What is sought, and where."""

    return_mode: Literal["pages", "chunks"] = Field(
        default="pages", description="Whole pages by their best section, or the sections."
    )


class SourceQuestion(Closed):
    """Which source."""

    source_id: str = Field(
        min_length=1, max_length=100, description="Id of a source, of rag_get_available_sources."
    )
    section: str | None = Field(
        default=None, max_length=500, description="Words in the titles of the pages wanted."
    )


class PageQuestion(Closed):
    """Which page; give one of the two."""

    page_id: str | None = Field(default=None, max_length=20, description="Its id in a result.")
    url: str | None = Field(default=None, max_length=2000, description="Its address.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.page_id is None) == (self.url is None):
            raise ValueError("give either page_id or url")
        return self


def rag_get_available_sources(
    services: "Services", actor: Actor, _asked: NoQuestion
) -> dict[str, Any]:
    """List the sources of documentation that can be searched, with their versions and sizes."""
    return services.knowledge.agents.sources(actor)


def rag_search_knowledge_base(
    services: "Services", actor: Actor, asked: PagesQuestion
) -> dict[str, Any]:
    """Find the pages or sections of documentation that answer a question.

    It covers the documents of datasets, such as protocols and codebooks, and the documentation of
    software. An answer with is_gap true cannot be trusted: say so.
    """
    return services.knowledge.agents.search(actor, asked.to_query())


def rag_search_code_examples(
    services: "Services", actor: Actor, asked: ExamplesQuestion
) -> dict[str, Any]:
    """Find code in the documentation by what it does, or by the names in it."""
    return services.knowledge.agents.code_examples(actor, asked.to_query())


def rag_list_pages_for_source(
    services: "Services", actor: Actor, asked: SourceQuestion
) -> dict[str, Any]:
    """List the pages of a source of documentation."""
    return services.knowledge.agents.pages(actor, asked.source_id, asked.section)


def rag_read_full_page(services: "Services", actor: Actor, asked: PageQuestion) -> dict[str, Any]:
    """Read a whole page of documentation, by its id or its address."""
    return services.knowledge.agents.page(actor, page_id=asked.page_id, url=asked.url)
