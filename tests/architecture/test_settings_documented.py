"""The reference of settings names every one of them, with its default."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import HttpUrl, SecretStr
from pydantic_core import PydanticUndefined

from fairdatabase.kernel.config import Settings
from tests.architecture.tree import ROOT

DOCUMENT = ROOT / "docs" / "reference" / "settings.md"
ROW = re.compile(
    r"^\| `(?P<name>\w+)` \| [^|]+ \| (?P<default>[^|]+) \| [^|]{10,} \|$", re.MULTILINE
)


def as_toml(default: Any) -> str:  # noqa: ANN401 - of any setting
    """Return a default as the reference writes it."""
    if default is PydanticUndefined:
        return "none"
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, Path | HttpUrl):
        default = str(default)
    return f"`{json.dumps(default)}`"


def test_every_setting_is_documented_once_with_its_default() -> None:
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(rows) == len(Settings.model_fields)
    assert dict(rows) == {
        name: as_toml(field.default) for name, field in Settings.model_fields.items()
    }
