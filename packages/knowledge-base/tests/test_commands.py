"""The command, called as the shell calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from knowledge_base.commands import main
from knowledge_base.errors import LocationError
from knowledge_base.project import names_used_by, packages_of, sources_of

Run = Callable[..., Result]


@pytest.fixture
def kb(tmp_path: Path) -> Run:
    """``kb("search", "x")`` on a database of its own, with a folder of documents beside it."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "guide.md").write_text(
        "# Guide\n\nWater the plants.\n\nLike so:\n\n```python\npour(water)\n```\n"
    )
    url = f"sqlite:///{tmp_path / 'kb.db'}"

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--database", url, *arguments])

    made = run("add", str(docs), "--licence", "CC-BY-4.0", "--refresh-days", "7")
    assert made.exit_code == 0, made.output
    assert made.output == "docs: 1 pages written, 0 unchanged, 0 removed\n"
    return run


def test_search(kb: Run) -> None:
    found = kb("search", "water", "the", "plants").output
    assert "Guide" in found
    assert "guide.md#guide" in found
    assert json.loads(kb("search", "water", "--json").output)["hits"][0]["score"] <= 1
    assert "Guide" in kb("search", "water", "--project", str(Path(__file__).parent)).output
    assert "pour(water)" in kb("search", "--code", "pour").output
    assert json.loads(kb("search", "--code", "pour", "--json").output)[0]["example"]["code"]
    assert kb("search", "water", "--source", "other").output.startswith("Not to be trusted")


def test_what_is_not_there(kb: Run) -> None:
    assert "Noted as a gap" in kb("search", "pydantic", "validators").output
    demanded = kb("search", "pydantic", "validators", "--demand")
    assert (demanded.exit_code, "no trustworthy answer" in demanded.output) == (1, True)
    listed = kb("gaps").output
    assert "2 x  pydantic validators" in listed
    assert "try: kb add pypi:pydantic installed:pydantic" in listed
    assert json.loads(kb("gaps", "--json").output)[0]["times"] == 2


def test_sources(kb: Run) -> None:
    assert "CC-BY-4.0" in kb("sources").output
    assert kb("remove", "docs").output == "docs: removed\n"
    assert kb("remove", "docs").exit_code == 1
    assert kb("sources").output == ""


def test_what_cannot_be_added_does_not_keep_the_rest_out(kb: Run, tmp_path: Path) -> None:
    done = kb("add", "nowhere", str(tmp_path / "docs"))
    assert done.exit_code == 1
    assert "nowhere: There is no file" in done.output
    assert "1 unchanged" in done.output


def test_mistakes(kb: Run) -> None:
    assert "Name a source" in kb("add").output
    assert "one source" in kb("add", "a", "b", "--id", "x").output
    assert "KB_TOKEN" in kb("serve", "--host", "0.0.0.0").output  # noqa: S104 - it is refused
    assert kb("search").exit_code == 2


def test_a_project_says_what_it_is_built_with(tmp_path: Path) -> None:
    with pytest.raises(LocationError, match="no pyproject"):
        packages_of(tmp_path)
    (tmp_path / "requirements.txt").write_text("flask==3.1.3 \\\n  --hash=x\nclick==8.2\n")
    assert packages_of(tmp_path) == ["click==8.2", "flask==3.1.3"]
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["Flask[async]>=3", "PyYAML", "not a name!"]\n'
    )
    assert packages_of(tmp_path) == ["flask==3.1.3", "pyyaml"]
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "pyyaml"\nversion = "6.0"\n')
    assert packages_of(tmp_path) == ["flask==3.1.3", "pyyaml==6.0"]


def test_what_a_project_is_made_with(tmp_path: Path) -> None:
    assert names_used_by(tmp_path) == frozenset()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["Flask>=3"]\noptional-dependencies = {x = ["celery"]}\n'
        '[dependency-groups]\ntest = ["pytest>=9", {include-group = "x"}]\n[tool.ruff]\n'
    )
    (tmp_path / "requirements.txt").write_text("werkzeug==3.1\n")
    (tmp_path / "app.py").write_text("import os.path, sql_alchemy.orm\nfrom . import models\n")
    (tmp_path / "broken.py").write_text("import (")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "foreign.py").write_text("import foreign")
    assert names_used_by(tmp_path) == {
        "flask", "celery", "pytest", "ruff", "werkzeug", "os", "sql-alchemy",
    }  # fmt: skip


def test_what_documents_a_package() -> None:
    locations = {
        "flask": "pypi:flask==3.1.3", "flask-api": "installed:Flask", "ruff": "tool:ruff",
        "docs": "https://docs.example/", "pydantic": "/srv/docs",
    }  # fmt: skip
    assert sources_of(["flask", "Pydantic"], locations) == {"flask", "flask-api", "pydantic"}
    assert sources_of([], locations) == frozenset()
