"""The sources that Python back ends are written with."""

from typing import Final

STARTER: Final = (
    "pypi:flask",
    "pypi:sqlalchemy",
    "pypi:pytest",
    "tool:ruff",
    "tool:uv",
    "installed:pydantic",
    "https://docs.pydantic.dev/latest/llms.txt",
    "git:https://github.com/OWASP/CheatSheetSeries",
    "git:https://github.com/python/peps",
)
"""Flask, SQLAlchemy, pytest, Ruff and uv come whole from the package index. Of Pydantic only the
docstrings do, and its guide, the OWASP cheat sheets and the PEPs need the web."""
