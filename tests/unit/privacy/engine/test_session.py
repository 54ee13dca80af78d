"""Sessions of the engine: names and paths that are not taken for SQL, and types of columns."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from fairdatabase.privacy.engine.session import (
    as_texts,
    described,
    open_session,
    quote,
    relation,
    row_count,
)
from fairdatabase.tables.schemas import ColumnType
from tests.factories.privacy import write_parquet


def test_names_and_paths_are_never_sql(tmp_path: Path) -> None:
    name = 'a"; DROP TABLE "x'
    path = write_parquet(tmp_path / "it's [1] *.parquet", {name: [1, 2]})
    write_parquet(tmp_path / "it's 1 2.parquet", {name: [3]})
    assert quote(name) == '"a""; DROP TABLE ""x"'
    for source in (path, pa.table({name: [1, 2]})):
        assert row_count(source) == 2
        with open_session() as connection:
            rows = relation(connection, source)
            found = connection.sql(f"FROM {rows}").project(quote(name)).fetchall()
            assert sorted(found) == [(1,), (2,)]


def test_columns_have_the_types_of_their_values() -> None:
    moment = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
    table = pa.table(
        {
            "integer": pa.array([1, 2]).dictionary_encode(),
            "number": [Decimal("1.5"), None],
            "boolean": [True, False],
            "date": [moment.date(), None],
            "time": [moment.time(), None],
            "datetime": [moment, None],
            "text": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    types = {name: column.type for name, column in described(table, None).items()}
    assert types == {name: ColumnType(name) for name in table.column_names}


def test_values_are_the_texts_that_sql_makes_of_them() -> None:
    assert as_texts(pa.array(["a", None])) == ["a", None]
    assert as_texts(pa.array([7, None])) == ["7", None]
    assert as_texts(pa.array([1.0, None, 0.25])) == ["1.0", None, "0.25"]
    assert as_texts(pa.array([dt.date(2024, 2, 29)])) == ["2024-02-29"]
