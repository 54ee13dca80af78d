"""Alembic's environment: the only reader of models outside their features."""

import importlib
import importlib.util
import pkgutil
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON

import fairdatabase
from fairdatabase.kernel.database import Base, Database, UtcDateTime


def _import_models() -> None:
    for module in pkgutil.iter_modules(fairdatabase.__path__, "fairdatabase."):
        if module.ispkg and importlib.util.find_spec(f"{module.name}.models"):
            importlib.import_module(f"{module.name}.models")


def _run() -> None:
    database = Database(context.config.attributes["database_url"])
    try:
        with database.engine.connect() as connection, connection.begin():
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_as_batch=database.is_sqlite,
                compare_type=True,
                include_name=_is_ours,
                render_item=_render_type,
            )
            context.run_migrations()
    finally:
        database.dispose()


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the search index out: it is made of database-specific SQL, not of models."""
    return not (kind == "table" and (name or "").startswith("search_"))


def _render_type(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our own column types by name in generated migrations."""
    names = {UtcDateTime: "UtcDateTime", JSON: "JsonDocument"}
    name = names.get(type(item)) if kind == "type" else None
    if name is None:
        return False
    autogenerate.imports.add(f"from fairdatabase.kernel.database import {name}")
    return f"{name}()" if name == "UtcDateTime" else name


_import_models()
_run()
