"""Loads the documentation that programs print about themselves."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from knowledge_base.documents import Format, Page
from knowledge_base.errors import UnavailableError

_SECONDS: Final = 60
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_EVERYWHERE = re.compile(
    r"^(?:Cache|Global) options:$.*?(?=^\w[\w ]*:$|\Z)", re.MULTILINE | re.DOTALL
)
"""What ``uv help`` repeats for each command; it stands on the page of uv itself."""
_COMMAND = re.compile(r"^  (?!help\b)([a-z][\w-]*)")


def _run(program: str, *arguments: str) -> str:
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        raise UnavailableError(f"{program} is not installed: pip install {program}.")
    done = subprocess.run(  # noqa: S603 - one of the programs below
        [found, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    return done.stdout


def _ruff() -> tuple[str, list[Page]]:
    version = _run("ruff", "--version").split()[1]
    rules: list[dict[str, Any]] = json.loads(
        _run("ruff", "rule", "--all", "--output-format", "json")
    )
    settings: dict[str, dict[str, Any]] = json.loads(
        _run("ruff", "config", "--output-format", "json")
    )
    pages = [_ruff_rule(rule) for rule in rules]
    pages += [_ruff_setting(name, said) for name, said in settings.items() if "doc" in said]
    return version, pages


def _ruff_rule(rule: dict[str, Any]) -> Page:
    title = f"{rule['name']} ({rule['code']})" if rule.get("code") else str(rule["name"])
    fix = f"\n\n{rule['fix']}" if rule.get("fix") else ""
    said = f"{rule['summary']} Rule {rule['code']} of {rule['linter']}.{fix}"
    explained = _HEADING.sub(r"**\1**", rule.get("explanation") or "")  # one rule, one section
    text = f"# {title}\n\n{said}\n\n{explained}"
    return Page(
        f"https://docs.astral.sh/ruff/rules/{rule['name']}/", text, Format.MARKDOWN, title=title
    )


def _ruff_setting(name: str, said: dict[str, Any]) -> Page:
    facts = f"Default: `{said.get('default')}`. Type: `{said.get('value_type')}`."
    example = f"\n\n```toml\n{said['example']}\n```" if said.get("example") else ""
    text = f"# {name}\n\n{said['doc']}\n\n{facts}{example}"
    address = f"https://docs.astral.sh/ruff/settings/#{name.replace('.', '_')}"
    return Page(address, text, Format.MARKDOWN, title=f"Setting {name}")


def _uv() -> tuple[str, list[Page]]:
    version = _run("uv", "--version").split()[1]
    return version, list(_uv_commands((), _run("uv", "help")))


def _uv_commands(command: tuple[str, ...], said: str) -> Iterator[Page]:
    title = " ".join(("uv", *command))
    anchor = "-".join(("uv", *command))
    address = f"https://docs.astral.sh/uv/reference/cli/#{anchor}"
    own = _EVERYWHERE.sub("", said) if command else said
    yield Page(address, f"# {title}\n\n{_indented_as_list(own)}", Format.MARKDOWN, title=title)
    if len(command) > 1:
        return
    for name in _subcommands(said):
        deeper = (*command, name)
        yield from _uv_commands(deeper, _run("uv", "help", "--no-pager", *deeper))


def _subcommands(said: str) -> Iterator[str]:
    inside = False
    for line in said.splitlines():
        if line.startswith("Commands:"):
            inside = True
        elif inside and not line.strip():
            return
        elif inside and (found := _COMMAND.match(line)):
            yield found[1]


def _indented_as_list(said: str) -> str:
    """Keep each option with its explanation: indentation would be read as code."""
    lines = []
    for line in said.splitlines():
        text = line.strip()
        is_option = text.startswith("-")
        lines.append(f"\n**{text}**\n" if is_option else text)
    return "\n".join(lines)


TOOLS: Final[dict[str, Callable[[], tuple[str, list[Page]]]]] = {"ruff": _ruff, "uv": _uv}
