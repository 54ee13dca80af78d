"""Loads the docstrings of an installed package, by reading its files; none of its code is run."""

import importlib.metadata
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import griffe

from knowledge_base.documents import Format, Page
from knowledge_base.errors import LocationError


@dataclass(frozen=True, slots=True)
class Docstrings:
    """What an installed package says about itself."""

    name: str
    version: str
    licence: str
    pages: tuple[Page, ...]


def docstrings_of(package: str) -> Docstrings:
    """Return a page for every public module of an installed distribution.

    Raises:
        LocationError: It is not installed, or has no docstrings.
    """
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise LocationError(f"{package} is not installed in this environment.") from error
    pages = tuple(
        page for module in _modules_of(distribution) for page in _pages(module, distribution.name)
    )
    if not pages:
        raise LocationError(f"{package} has no docstrings. Its documents may be in pypi:{package}.")
    said = distribution.metadata.json
    licence = str(said.get("license_expression") or said.get("license") or "")
    return Docstrings(distribution.name, distribution.version, licence, pages)


def _modules_of(distribution: importlib.metadata.Distribution) -> Iterator[griffe.Module]:
    logging.getLogger("griffe").setLevel(logging.CRITICAL)  # it warns of other people's docstrings
    names = {
        name
        for name, owners in importlib.metadata.packages_distributions().items()
        if distribution.name in owners and not name.startswith("_")
    }
    for name in sorted(names):
        try:
            loaded = griffe.load(name, allow_inspection=False, resolve_aliases=False)
        except (ImportError, griffe.GriffeError):
            continue
        if isinstance(loaded, griffe.Module):
            yield loaded


def _pages(module: griffe.Module, package: str) -> Iterator[Page]:
    text = "\n".join(_written(module, depth=0))
    if text.strip():
        yield Page(
            f"installed:{package}/{module.path}",
            text,
            Format.REST,
            title=module.path,
            module=module.path,
        )
    for member in module.members.values():
        if isinstance(member, griffe.Module) and _is_public(member) and member.name != "tests":
            yield from _pages(member, package)


def _is_public(member: griffe.Object) -> bool:
    return not member.name.startswith("_")


def _written(owner: griffe.Module | griffe.Class, depth: int) -> Iterator[str]:
    """Yield the lines of a module or class as Sphinx would be given them."""
    if depth == 0 and owner.docstring:
        yield from (owner.docstring.value, "")
    for member in owner.members.values():
        if isinstance(member, griffe.Alias | griffe.Module) or not _is_public(member):
            continue
        if not member.docstring:
            continue
        indent = "    " * depth
        kind = "class" if isinstance(member, griffe.Class) else "function"
        yield f"{indent}.. py:{kind}:: {_signature(member)}"
        yield ""
        yield from (f"{indent}    {line}".rstrip() for line in member.docstring.value.splitlines())
        yield ""
        if isinstance(member, griffe.Class):
            yield from _written(member, depth + 1)


def _signature(member: griffe.Object) -> str:
    if isinstance(member, griffe.Function):
        listed = ", ".join(_parameter(each) for each in member.parameters)
        returns = f" -> {member.returns}" if member.returns else ""
        return f"{member.path}({listed}){returns}"
    annotation = getattr(member, "annotation", None)
    return f"{member.path}: {annotation}" if annotation else member.path


def _parameter(parameter: griffe.Parameter) -> str:
    stars = {
        griffe.ParameterKind.var_positional: "*",
        griffe.ParameterKind.var_keyword: "**",
    }.get(parameter.kind or griffe.ParameterKind.positional_or_keyword, "")
    annotation = f": {parameter.annotation}" if parameter.annotation else ""
    default = f" = {parameter.default}" if parameter.default and not stars else ""
    return f"{stars}{parameter.name}{annotation}{default}"
