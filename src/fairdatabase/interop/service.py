"""Use cases of interoperability: what is told about a dataset, to people and machines."""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.rules import looks_after, may_read_data
from fairdatabase.catalog.schemas import (
    FileRecord,
    VersionPublished,
    VersionRecord,
    VersionWithdrawn,
)
from fairdatabase.catalog.service import Catalog
from fairdatabase.interop.formats import citation, schemaorg
from fairdatabase.interop.formats.licences import licence_of
from fairdatabase.interop.formats.registry import FORMATS, Source
from fairdatabase.interop.schemas import Citable, Export, Landing, LandingFile, Site
from fairdatabase.kernel.cache import Cache
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.privacy.service import Privacy
from fairdatabase.tables.rules import outgoing
from fairdatabase.tables.schemas import TableRecord
from fairdatabase.tables.service import Tables

_CACHED_PAGES = 500
# Bounds how long other processes show a page that this one has changed.
_CACHE_SECONDS = 10.0


class Interop:
    """Describes datasets in the formats of others."""

    def __init__(
        self,
        database: Database,
        *,
        catalog: Catalog,
        tables: Tables,
        privacy: Privacy,
        settings: Settings,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._tables = tables
        self._privacy = privacy
        self._site = Site(
            name=settings.site_name, url=settings.public_url, publisher=settings.publisher
        )
        self._public: Cache[Landing] = Cache(seconds=_CACHE_SECONDS, capacity=_CACHED_PAGES)

    def landing(self, actor: Actor, public_id: str) -> Landing:
        """Return what the page of a dataset or version shows to the actor.

        What visitors see who did not sign in comes from a cache; other processes than the one
        that publishes or withdraws show the change after ten seconds at the latest.

        Args:
            actor: Who looks.
            public_id: Of a dataset, for its leading version, or of a version.

        Raises:
            NotFoundError: It leads nowhere, or to something the actor may not know of.
        """
        if actor.is_authenticated:
            return self._landing(actor, public_id)
        return self._public.get_or_make(public_id, partial(self._landing, actor, public_id))

    def forget_pages(self, _event: VersionPublished | VersionWithdrawn) -> None:
        """Make all cached pages anew: those of older versions name the newest one."""
        self._public.forget_all()

    def export(self, actor: Actor, public_id: str, name: str) -> Export:
        """Return the description of a dataset or version in another format.

        Args:
            actor: Who asks.
            public_id: Of a dataset, for its leading version, or of a version.
            name: Of the format.

        Raises:
            NotFoundError: It leads nowhere, or there is no such format.
        """
        wanted = FORMATS.get(name)
        if wanted is None:
            raise NotFoundError(f"There is no format {name}. There are: {', '.join(FORMATS)}.")
        with self._database.reading():
            version = self._catalog.resolve(actor, public_id)
            files = self._files(version, with_verdicts=False)
        source = Source(version, files, self._site, self._citable(version))
        return Export(
            name=f"{version.public_id}.{wanted.suffix}",
            media_type=wanted.media_type,
            text=wanted.write(source),
            etag=f"{version.etag}-{name}",
        )

    def _landing(self, actor: Actor, public_id: str) -> Landing:
        with self._database.reading():
            version = self._catalog.resolve(actor, public_id)
            may_read = may_read_data(actor, version)
            files = self._files(version, with_verdicts=may_read)
            versions = self._catalog.list_versions(actor, version.dataset_public_id)
        licence = licence_of(version.metadata.licence) if version.metadata.licence else None
        work = self._citable(version)
        return Landing(
            version=version,
            versions=versions,
            files=files,
            may_read=may_read,
            may_edit=looks_after(actor, version),
            url=self._site.url_of(version.identifier),
            licence_name=licence.name if licence else "None given",
            licence_url=licence.url if licence else None,
            publisher=self._site.publisher,
            citation=citation.apa(work),
            bibtex=citation.bibtex(work),
            document=schemaorg.dataset(version, files, self._site),
        )

    def _files(self, version: VersionRecord, *, with_verdicts: bool) -> tuple[LandingFile, ...]:
        tables = self._tables.of_files([file.id for file in version.files])
        leaving = {file.id: outgoing(tables.get(file.id, {})) for file in version.files}
        present = [table for table in leaving.values() if table]
        verdicts = self._privacy.of_tables(present) if with_verdicts else {}
        return tuple(self._landing_file(file, leaving[file.id], verdicts) for file in version.files)

    def _landing_file(
        self,
        file: FileRecord,
        table: TableRecord | None,
        verdicts: Mapping[UUID, ScreeningRecord],
    ) -> LandingFile:
        what = "export?format=csv" if file.withheld else "content"
        return LandingFile(
            file=file,
            table=table,
            screening=verdicts.get(table.id) if table else None,
            url=f"{self._site.url}/api/v1/files/{file.public_id}/{what}",
        )

    def _citable(self, version: VersionRecord) -> Citable:
        metadata = version.metadata
        moment = version.published_at or version.updated_at
        return Citable(
            key=f"fairdatabase:{version.public_id}",
            creators=tuple(metadata.creators),
            year=metadata.publication_year or moment.year,
            title=metadata.title,
            version=version.number,
            publisher=self._site.publisher,
            url=self._site.url_of(version.identifier),
        )
