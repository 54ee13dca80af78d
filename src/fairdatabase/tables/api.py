"""Tables over REST: schema, rows, aggregates, statistics, export."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from fairdatabase.catalog.schemas import FilePath
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, attachment, problems, success
from fairdatabase.kernel.records import Closed
from fairdatabase.tables.schemas import (
    AggregateSpec,
    ColumnStatistics,
    ExportQuery,
    Page,
    QuerySpec,
    RowsQuery,
    TableKind,
    TableRecord,
)

api = APIBlueprint(
    "tables_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="tables", description="Rows and columns of data files")],
    abp_security=[{"bearer": []}, {"cookie": []}, {}],
    abp_responses=problems(401, 403, 404, 410, 422),
)
_FILE = {
    "description": "The rows as a file.",
    "content": {
        "text/csv": {},
        "text/tab-separated-values": {},
        "application/json": {},
        "application/jsonl": {},
        "application/vnd.apache.parquet": {},
    },
}


class KindQuery(Closed):
    """Which table of the file."""

    kind: TableKind | None = Field(
        default=None,
        description="Source or release. When absent: of a draft the source; of a published version "
        "the release, or the source where no release was made.",
    )


class StatisticsQuery(KindQuery):
    """Which columns of which table."""

    columns: list[str] = Field(default_factory=list, description="Names; all when absent.")


@api.get("/files/<file_id>/table", responses={200: Success[TableRecord]})
def describe(path: FilePath, query: KindQuery) -> Response:
    """Column schema of a file's table, and how the file was read."""
    return success(services().tables.describe(actor(), path.file_id, query.kind))


@api.get("/files/<file_id>/rows", responses={200: Success[Page]})
def rows(path: FilePath, query: RowsQuery) -> Response:
    """A page of rows: filtered, searched, sorted, with the columns of your choice."""
    return success(services().tables.rows(actor(), path.file_id, query))


@api.post("/files/<file_id>/rows", responses={200: Success[Page]})
def query_rows(path: FilePath, query: KindQuery, body: QuerySpec) -> Response:
    """The same with a typed query in the body, for column names of any kind."""
    return success(services().tables.query(actor(), path.file_id, body, query.kind))


@api.post("/files/<file_id>/aggregate", responses={200: Success[Page]})
def aggregate(path: FilePath, query: KindQuery, body: AggregateSpec) -> Response:
    """Counts, sums, means and other measures per group."""
    return success(services().tables.aggregate(actor(), path.file_id, body, query.kind))


@api.get("/files/<file_id>/statistics", responses={200: Success[list[ColumnStatistics]]})
def statistics(path: FilePath, query: StatisticsQuery) -> Response:
    """Missing share, range, quantiles and most frequent values of columns."""
    names = tuple(query.columns) or None
    return success(services().tables.statistics(actor(), path.file_id, names, query.kind))


@api.get(
    "/files/<file_id>/export",
    responses={200: _FILE},
)
def export(path: FilePath, query: ExportQuery) -> Response:
    """All rows that match, streamed as CSV, TSV, JSON, JSON Lines or Parquet."""
    made = services().tables.export(actor(), path.file_id, query)
    return attachment(made.chunks, made.name, made.media_type)
