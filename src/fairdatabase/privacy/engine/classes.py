"""Equivalence classes of a table, as tables of a DuckDB session.

A class table has the columns ``id`` (0 to n-1, in the order of the values), ``q0``, ``q1`` ...
(the quasi-identifiers), ``n`` (rows with exactly these values) and ``size`` (rows that cannot be
told apart from them).

With ``category`` a missing value equals another missing one only, and ``size`` is ``n``. With
``wildcard`` two rows are alike where every quasi-identifier is equal or missing in at least one of
them; ``size`` counts all rows alike, and the class's sensitive values are those of all these rows.
That relation is not transitive, so the classes overlap; it is nevertheless computed exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import duckdb
import numpy as np

from fairdatabase.privacy.engine.measures import Floats, GroupedCounts, Integers
from fairdatabase.privacy.engine.session import Source, quote, relation
from fairdatabase.privacy.schemas import MissingChoice


@dataclass(frozen=True)
class ClassSummary:
    """Totals over a class table; see ``RiskReport`` for their meaning."""

    rows: int
    classes: int
    k: int
    classes_at_risk: int
    rows_at_risk: int
    unique_rows: int
    average_risk: float


@dataclass(frozen=True)
class ClassTables:
    """Builds and reads the class tables of one table, of any size.

    Attributes:
        connection: Session that holds the tables.
        source: Parquet file or Arrow table.
        quasi_identifiers: Names of its columns.
        missing: How missing values are compared.
    """

    connection: duckdb.DuckDBPyConnection
    source: Source
    quasi_identifiers: Sequence[str]
    missing: MissingChoice

    @property
    def _places(self) -> list[str]:
        return [f"q{index}" for index in range(len(self.quasi_identifiers))]

    @property
    def _keys(self) -> str:
        return "".join(
            f"{quote(name)} AS {place}, "
            for name, place in zip(self.quasi_identifiers, self._places, strict=True)
        )

    @property
    def _rows(self) -> str:
        return relation(self.connection, self.source)

    def build(self) -> None:
        """Create the class table of all quasi-identifiers, ``classes``."""
        self._create(
            "classes",
            f"SELECT {self._keys} count(*) AS n FROM {self._rows} GROUP BY ALL",
            self._places,
        )

    def summary(self, k: int) -> ClassSummary:
        """Summarise the class table; classes smaller than ``k`` are at risk."""
        return self._summary("classes", k)

    def summary_without(self, index: int, k: int) -> ClassSummary:
        """Summarise the classes that the other quasi-identifiers alone would form."""
        places = [place for place in self._places if place != f"q{index}"]
        columns = "".join(f"{place}, " for place in places)
        grouped = f"SELECT {columns} sum(n)::BIGINT AS n FROM classes GROUP BY ALL"
        if self.missing == "category":
            return self._summary(f"(SELECT *, n AS size FROM ({grouped}) WHERE n > 0)", k)
        self._create("reduced", grouped, places)
        return self._summary("reduced", k)

    def distinct_and_missing(self) -> list[tuple[int, int]]:
        """Return the distinct values of every quasi-identifier and its rows without one."""
        pairs = [
            f"count(DISTINCT {place}), coalesce(sum(n) FILTER ({place} IS NULL), 0)"
            for place in self._places
        ]
        found = [int(value) for value in self._row(f"SELECT 0, {', '.join(pairs)} FROM classes")]
        return list(zip(found[1::2], found[2::2], strict=True))

    def counts(self, sensitive: str) -> tuple[GroupedCounts, int]:
        """Count the rows of every class and value of a sensitive attribute.

        Args:
            sensitive: Name of the file's column.

        Returns:
            The counts, and the rows without a value.
        """
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE counts AS SELECT {self._keys}"
            f" {quote(sensitive)} AS s, count(*) AS n FROM {self._rows} GROUP BY ALL"
        )
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE sensitive_values AS SELECT s, sum(n)::BIGINT AS total,"
            " row_number() OVER (ORDER BY s NULLS LAST) - 1 AS code FROM counts GROUP BY s"
        )
        totals = self._arrays("SELECT total, s IS NULL AS gap FROM sensitive_values ORDER BY code")
        m = totals["total"].size
        found = self._arrays(self._grouped_sql(m))
        order = np.argsort(found["key"])
        classes, values = np.divmod(found["key"][order], m)
        grouped = GroupedCounts(classes, values, found["n"][order], totals["total"])
        return grouped, int(totals["total"][totals["gap"]].sum())

    def codes(self) -> list[Integers]:
        """Return a whole number for every class and quasi-identifier, equal where values are."""
        ranks = [f"dense_rank() OVER (ORDER BY {place}) - 1 AS {place}" for place in self._places]
        found = self._arrays(f"SELECT id, {', '.join(ranks)} FROM classes ORDER BY id")
        return [found[place] for place in self._places]

    def population(self, people: Source, columns: Sequence[str]) -> Integers:
        """Count the people of a population table who are alike to each class, in its order.

        Args:
            people: Table of the population.
            columns: Names of its columns, in the order of the quasi-identifiers.
        """
        keys = "".join(
            f"{quote(name)} AS {place}, " for name, place in zip(columns, self._places, strict=True)
        )
        rows = relation(self.connection, people, name="people")
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE population AS SELECT row_number() OVER () - 1 AS id, *"
            f" FROM (SELECT {keys} count(*) AS n FROM {rows} GROUP BY ALL)"
        )
        joined = f"LEFT JOIN population p ON {self._same('p')}"
        if self.missing == "wildcard":
            self.connection.execute("CREATE OR REPLACE TEMP VIEW sample AS FROM classes")
            self._create_neighbours("sample", "population", self._places)
            joined = (
                "LEFT JOIN sample_neighbours s ON s.id = c.id"
                " LEFT JOIN population p ON p.id = s.other"
            )
        found = self._arrays(
            f"SELECT coalesce(sum(p.n), 0)::BIGINT AS n FROM classes c {joined}"
            " GROUP BY c.id ORDER BY c.id"
        )
        return found["n"]

    def weights(self, column: str) -> Floats | None:
        """Return the sum of a column of sampling weights over each class.

        Args:
            column: Name of the table's column.

        Returns:
            The sums; None where a weight is missing or less than 1.
        """
        places = "".join(f"{place}, " for place in self._places)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE weights AS SELECT {places} sum(w) AS w,"
            " count(*) FILTER (w IS NULL OR NOT isfinite(w) OR w < 1) AS wrong FROM"
            f" (SELECT {self._keys} {quote(column)}::DOUBLE AS w FROM {self._rows}) GROUP BY ALL"
        )
        if any(self._row("SELECT coalesce(sum(wrong), 0) > 0 FROM weights")):
            return None
        weighted = f"FROM classes c JOIN weights t ON {self._same('t')}"
        if self.missing == "wildcard":
            weighted = (
                "FROM classes_neighbours p JOIN classes o ON o.id = p.other"
                f" JOIN weights t ON {self._same('t', 'o')} JOIN classes c ON c.id = p.id"
            )
        return self._arrays(f"SELECT sum(t.w) AS w {weighted} GROUP BY c.id ORDER BY c.id")["w"]

    def sizes(self) -> dict[str, np.ndarray]:
        """Return ``n`` and ``size`` of every class, in the order of ``id``."""
        return self._arrays("SELECT n, size FROM classes ORDER BY id")

    def smallest(self, k: int, limit: int) -> list[int]:
        """Return the ids of classes smaller than ``k``, smallest first."""
        rows = self.connection.execute(
            "SELECT id FROM classes WHERE size < $k ORDER BY size, id LIMIT $limit",
            {"k": k, "limit": limit},
        ).fetchall()
        return [identifier for (identifier,) in rows]

    def values(self, ids: Sequence[int]) -> dict[int, tuple[str | None, ...]]:
        """Return the quasi-identifiers of classes as text, by id."""
        texts = "".join(f", CAST({place} AS VARCHAR)" for place in self._places)
        rows = self.connection.execute(
            f"SELECT id{texts} FROM classes WHERE id IN (SELECT unnest($ids::BIGINT[]))",
            {"ids": list(ids)},
        ).fetchall()
        return {identifier: tuple(cells) for identifier, *cells in rows}

    def page(
        self, where: Mapping[int, str | None], smaller_than: int | None, offset: int, limit: int
    ) -> tuple[int, int, list[tuple[Any, ...]]]:
        """Return how many classes fulfil a filter, how many rows they have, and some of them.

        Args:
            where: Values as text, None for missing ones, by the place of the quasi-identifier.
            smaller_than: Only classes with a smaller size.
            offset: Classes to leave out before the first; smallest come first.
            limit: Most classes to return.

        Returns:
            Of every class its rows, its size, and its values as text.
        """
        conditions = [
            f"CAST(q{place} AS VARCHAR) IS NOT DISTINCT FROM $v{place}" for place in where
        ]
        parameters: dict[str, Any] = {f"v{place}": value for place, value in where.items()}
        if smaller_than is not None:
            conditions.append("size < $k")
            parameters["k"] = smaller_than
        chosen = f"FROM classes WHERE {' AND '.join(conditions) or 'true'}"
        total, rows = self.connection.execute(
            f"SELECT count(*), coalesce(sum(n), 0)::BIGINT {chosen}", parameters
        ).fetchall()[0]
        texts = "".join(f", CAST({place} AS VARCHAR)" for place in self._places)
        found = self.connection.execute(
            f"SELECT n, size{texts} {chosen} ORDER BY size, id LIMIT $limit OFFSET $offset",
            parameters | {"limit": limit, "offset": offset},
        ).fetchall()
        return total, rows, found

    def _same(self, other: str, classes: str = "c") -> str:
        equal = (
            f"{classes}.{place} IS NOT DISTINCT FROM {other}.{place}" for place in self._places
        )
        return " AND ".join(equal) or "true"

    def _create(self, table: str, grouped: str, places: Sequence[str]) -> None:
        order = f"ORDER BY {', '.join(places)}" if places else ""
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS"
            f" SELECT row_number() OVER ({order}) - 1 AS id, *, n AS size FROM ({grouped})"
            " WHERE n > 0"
        )
        if self.missing == "wildcard":
            self._create_neighbours(table, table, places)
            self.connection.execute(
                f"UPDATE {table} SET size = alike.size FROM (SELECT p.id,"
                f" sum(o.n)::BIGINT AS size FROM {table}_neighbours p JOIN {table} o"
                f" ON o.id = p.other GROUP BY p.id) alike WHERE {table}.id = alike.id"
            )

    def _create_neighbours(self, table: str, others: str, places: Sequence[str]) -> None:
        """Pair each class with the other classes it is alike to, one join per two missing patterns.

        Classes with the same columns missing share a pattern. Between two patterns, classes are
        alike where the columns that both have are equal: an ordinary hash join.
        """
        bits = [f"(({place} IS NULL)::BIGINT << {bit})" for bit, place in enumerate(places)]
        pattern = " + ".join(bits) or "0"
        found = []
        for side, name in (("left", table), ("right", others)):
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {side}_patterns AS"
                f" SELECT *, {pattern} AS p FROM {name}"
            )
            found.append(
                self.connection.execute(f"SELECT DISTINCT p FROM {side}_patterns").fetchall()
            )
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table}_neighbours (id BIGINT, other BIGINT)"
        )
        for (left,), (right,) in product(*found):
            shared = [place for bit, place in enumerate(places) if not (left | right) & (1 << bit)]
            condition = " AND ".join(f"a.{place} = b.{place}" for place in shared) or "true"
            self.connection.execute(
                f"INSERT INTO {table}_neighbours SELECT a.id, b.id"
                " FROM (FROM left_patterns WHERE p = $left) a"
                f" JOIN (FROM right_patterns WHERE p = $right) b ON {condition}",
                {"left": left, "right": right},
            )

    def _grouped_sql(self, m: int) -> str:
        """Return SQL for ``key`` (class times m plus value) and ``n``."""
        joined = (
            f"FROM counts t JOIN classes c ON {self._same('t')}"
            " JOIN sensitive_values v ON v.s IS NOT DISTINCT FROM t.s"
        )
        if self.missing == "category":
            return f"SELECT c.id * {m} + v.code AS key, t.n AS n {joined}"
        return (
            f"SELECT p.id * {m} + v.code AS key, sum(t.n)::BIGINT AS n {joined}"
            " JOIN classes_neighbours p ON p.other = c.id GROUP BY key"
        )

    def _summary(self, relation: str, k: int) -> ClassSummary:
        # The order keeps the sum of fractions the same from run to run.
        risks = "count(*)" if self.missing == "category" else "sum(n / size ORDER BY id)"
        row = self._row(
            "SELECT sum(n), count(*), min(size), count(*) FILTER (size < $k),"
            f" sum(n) FILTER (size < $k), sum(n) FILTER (size = 1), {risks} FROM {relation}",
            {"k": k},
        )
        rows, classes, k, classes_at_risk, rows_at_risk, unique, risk = (v or 0 for v in row)
        return ClassSummary(
            rows=int(rows),
            classes=classes,
            k=k,
            classes_at_risk=classes_at_risk,
            rows_at_risk=int(rows_at_risk),
            unique_rows=int(unique),
            average_risk=risk / rows if rows else 1.0,
        )

    def _row(self, statement: str, parameters: dict[str, int] | None = None) -> tuple[int, ...]:
        row: tuple[int, ...] = self.connection.execute(statement, parameters).fetchall()[0]
        return row

    def _arrays(self, statement: str) -> dict[str, np.ndarray]:
        return self.connection.execute(statement).fetchnumpy()
