"""Search over what is published, and keeping its index up to date."""

import logging
from collections import defaultdict
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from fairdatabase.catalog.models import Version
from fairdatabase.catalog.repository.search import (
    Document,
    PostgresqlSearch,
    SearchIndex,
    SqliteSearch,
)
from fairdatabase.catalog.repository.versions import VersionRepository
from fairdatabase.catalog.rules import MAX_INDEX_BYTES, SearchTerms, search_terms, search_words
from fairdatabase.catalog.schemas import FacetValue, Metadata, SearchQuery, SearchResult
from fairdatabase.catalog.service.records import version_summary
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database

logger = logging.getLogger(__name__)


class Search:
    """Finds datasets by words; a part of :class:`fairdatabase.catalog.service.Catalog`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._versions = VersionRepository(database)
        self._index: SearchIndex = (
            SqliteSearch(database) if database.is_sqlite else PostgresqlSearch(database)
        )

    def find(self, query: SearchQuery) -> SearchResult:
        """Return a page of the datasets that match, with facets over all that do."""
        terms = search_terms(query.q)
        if query.q and not terms:
            return SearchResult(items=(), total=0, facets={})
        with self._database.reading():
            rows = self._index.page(terms, query)
            counts = self._index.facets(terms, query)
            items = tuple(version_summary(row) for row in rows)
        facets: dict[str, list[FacetValue]] = defaultdict(list)
        for name, value, count in counts:
            facets[name].append(FacetValue(value=value, count=count))
        total = sum(value.count for value in facets["access"])
        if terms and not total and (query.access, query.subject, query.year) == (None, None, None):
            self._remember_miss(terms)
        return SearchResult(
            items=items,
            total=total,
            facets={name: tuple(values) for name, values in facets.items()},
        )

    def refresh(self, dataset_id: UUID) -> None:
        """Index the newest published version of a dataset, or nothing where there is none."""
        with self._database.transaction():
            newest = self._versions.newest_published(dataset_id)
            self._index.replace(dataset_id, self._document(newest) if newest else None)

    def _document(self, version: Version) -> Document:
        metadata = Metadata.model_validate(version.record)
        published_at = version.published_at or self._clock()
        words = (
            *(creator.name for creator in (*metadata.creators, *metadata.contributors)),
            *(subject.term for subject in metadata.subjects),
            *(funding.funder for funding in metadata.fundings),
            metadata.methods,
            self._versions.index_text(version.id),
        )
        return Document(
            dataset_id=version.dataset_id,
            version_id=version.id,
            title=search_words(metadata.title),
            description=search_words(metadata.description),
            words=search_words("\n".join(words))[:MAX_INDEX_BYTES],
            subjects=frozenset(subject.term for subject in metadata.subjects),
            access=version.access.value,
            year=metadata.publication_year or published_at.year,
            published_at=published_at,
        )

    def _remember_miss(self, terms: SearchTerms) -> None:
        """Count what nobody could find; a busy database is no reason to fail the search."""
        asked = " ".join((*terms.words, *terms.phrases, terms.beginning or "")).strip()
        try:
            with self._database.transaction():
                self._index.record_miss(asked, self._clock())
        except DBAPIError:
            logger.warning("A search without results could not be recorded", exc_info=True)
