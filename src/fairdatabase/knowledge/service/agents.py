"""Use cases of agents' programs that were set up for Archon's knowledge base."""

from collections.abc import Callable
from typing import Any

from fairdatabase.authorization.rules import may, require
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.knowledge.backends.library import Library
from fairdatabase.knowledge.rules import FOLDER, shown_url
from fairdatabase.knowledge.service.reach import Reach
from knowledge_base.archon import Archon, Query
from knowledge_base.errors import LocationError

Shape = dict[str, Any]


class Agents:
    """Asks the library in its own shapes, and leaves out what this actor may not know.

    Args:
        library: Has the knowledge base.
        reach: Knows whose documents may be read.
    """

    def __init__(self, library: Library, reach: Reach) -> None:
        self._library = library
        self._reach = reach

    def sources(self, actor: Actor) -> Shape:
        """Return the sources; where a folder lies on the server is for curators alone."""
        answer = self._asked(actor, Archon.sources)
        listed = self._open(answer["sources"])
        if not may(actor, Resource.KNOWLEDGE, Action.INSPECT):
            for source in listed:
                if source["metadata"]["location"].startswith(FOLDER):
                    source["metadata"]["location"] = FOLDER
        return answer | {"sources": listed, "count": len(listed)}

    def search(self, actor: Actor, query: Query) -> Shape:
        """Return the pages or sections that answer a question.

        Raises:
            NotFoundError: There is no such source, or the actor may not know of it.
        """
        answer = self._asked(actor, lambda archon: archon.search(query))
        return answer | {"results": self._open(answer["results"])}

    def code_examples(self, actor: Actor, query: Query) -> Shape:
        """Return pieces of code; raises as :meth:`search` does."""
        answer = self._asked(actor, lambda archon: archon.code_examples(query))
        return answer | {"results": self._open(answer["results"])}

    def pages(self, actor: Actor, source_id: str, section: str | None) -> Shape:
        """Return the pages of a source; raises as :meth:`search` does."""
        answer = self._asked(actor, lambda archon: archon.pages(source_id, section))
        self._require_open(source_id)
        for page in answer["pages"]:
            page["url"] = shown_url(page["url"])
        return answer

    def page(self, actor: Actor, *, page_id: str | None, url: str | None) -> Shape:
        """Return a whole page.

        Raises:
            NotFoundError: There is none, or the actor may not know of it.
        """
        answer = self._asked(actor, lambda archon: archon.page(page_id=page_id, url=url))
        self._require_open(answer["page"]["source_id"])
        answer["page"]["url"] = shown_url(answer["page"]["url"])
        return answer

    def _asked(self, actor: Actor, question: Callable[[Archon], Shape]) -> Shape:
        require(actor, Resource.KNOWLEDGE, Action.READ)
        try:
            return question(Archon(self._library.knowledge, self._reach.readers(actor)))
        except LocationError as error:
            raise NotFoundError(str(error)) from None

    def _open(self, results: list[Shape]) -> list[Shape]:
        """Return those of the sources that may still be shown, with addresses to be followed."""
        named = [(each.get("source_id") or each["metadata"]["source_id"], each) for each in results]
        is_open = self._reach.still_open(source_id for source_id, _ in named)
        shown = [each for source_id, each in named if is_open[source_id]]
        for each in shown:
            for holder in (each, each.get("metadata", {})):
                if "url" in holder:
                    holder["url"] = shown_url(holder["url"])
        return shown

    def _require_open(self, source_id: str) -> None:
        if not self._reach.still_open([source_id])[source_id]:
            raise NotFoundError(f"There is no source {source_id!r}.")
