"""The reference of the command line names every command and option, and none besides."""

import re
from collections.abc import Iterator

import click
import pytest

from fairdatabase.cli import main
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## `(?P<command>fairdatabase[a-z -]*)`$", re.MULTILINE)
ROW = re.compile(r"^\| (?P<options>`-[^|]+) \| [^|]{5,} \|$", re.MULTILINE)


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name; a group only where it has options of its own."""
    if not isinstance(command, click.Group) or command.params:
        yield name, command
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            yield from commands(below, f"{name} {word}")


COMMANDS = dict(commands(main, "fairdatabase"))
PARTS = HEADING.split(TEXT)[1:]
SECTIONS = dict(zip(PARTS[::2], PARTS[1::2], strict=True))


def test_every_command_has_its_section() -> None:
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_row(name: str) -> None:
    command = COMMANDS[name]
    context = click.Context(command, help_option_names=["-h", "--help"])
    known = {
        word
        for each in command.get_params(context)
        if isinstance(each, click.Option)
        for word in each.opts
    }
    rows = " ".join(ROW.findall(SECTIONS[name]))
    shared = set() if command is main else {"-h", "--help"}
    assert set(re.findall(r"`(-[\w-]+)`", rows)) == known - shared


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_is_named(name: str) -> None:
    arguments = (each for each in COMMANDS[name].params if isinstance(each, click.Argument))
    for argument in arguments:
        assert re.search(rf"\b{argument.name.rstrip('s')}", SECTIONS[name], re.IGNORECASE)
