"""A report as headings, sentences and tables, which every way of writing it shows alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.privacy.schemas.reports import MeasuredTable, Measures, PrivacyReport

_DASH = "\u2013"


@dataclass(frozen=True)
class Heading:
    """A heading of the second level."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Verdict:
    """The answer of the gate."""

    passed: bool
    text: str


@dataclass(frozen=True)
class Grid:
    """A table; columns named in ``numbers`` are set flush right, those in ``codes`` as code."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    codes: frozenset[int] = frozenset()


Block = Heading | Text | Verdict | Grid


def blocks(report: PrivacyReport) -> Iterator[Block]:
    """Yield what a report says, from the answer to the details."""
    yield _verdict(report)
    for reason in report.reasons:
        yield Text(f"{_plain(reason.message)} {_plain(reason.advice)}")
    for warning in report.warnings:
        yield Text(f"To look at: {_plain(warning.message)} {_plain(warning.advice)}")
    if report.override_reason:
        yield Text(f"A curator published it all the same: {report.override_reason}")
    yield Grid("What this is about", ("", ""), tuple(_about(report)), codes=frozenset())
    yield Heading("What was measured")
    yield Text(
        "Measured on the stored files that the checksums below name. A group is all rows that agree"
        " on everything that others may know about a person"
        f" ({', '.join(report.outgoing.measures.quasi_identifiers) or 'nothing'})."
        if report.outgoing.measures
        else "The table was not measured as it is now."
    )
    yield _comparison(report)
    yield from _sensitive(report)
    yield from _versions(report)
    yield Heading("What was done")
    yield from _recipe(report)
    yield Heading("The columns that leave the house")
    yield Grid(
        "Columns",
        ("Column", "Type", "Role"),
        tuple((each.name, each.type, each.role.replace("_", " ")) for each in report.columns),
    )
    yield Heading("How to check this report")
    yield Grid("Checksums (SHA-256)", ("File", "Checksum"), tuple(_checksums(report)),
               codes=frozenset({1}))  # fmt: skip
    yield Text(
        "The report is signed. `fairdatabase privacy verify-report FILE --table TABLE` tells"
        " whether it is as it was signed and whether a table is one of those above. The public key"
        f" of the instance is at {report.instance['key_url']}."
    )


def _verdict(report: PrivacyReport) -> Verdict:
    if report.passed:
        return Verdict(passed=True, text="The table holds the policy for open publication.")
    return Verdict(passed=False, text="The table does not hold the policy for open publication.")


def _about(report: PrivacyReport) -> Iterator[tuple[str, str]]:
    dataset, instance = report.dataset, report.instance
    yield "Dataset", f"{dataset['title'] or 'Untitled'}, version {dataset['version']}"
    yield "Identifier", dataset["identifier"]
    yield "Access", dataset["access"]
    yield "File", report.file["name"]
    yield "Instance", f"{instance['name']}, {instance['url']}, {instance['software']}"
    yield "Report made", f"{report.issued_at:%Y-%m-%d %H:%M} UTC"
    yield "Policy", "; ".join(_policy(report.policy))


def _policy(policy: Policy) -> Iterator[str]:
    yield f"every group has at least {policy.k} rows"
    if policy.l is not None:
        yield f"at least {policy.l} values of each sensitive column in each group"
    if policy.t is not None:
        yield f"no group further than {policy.t:g} from the whole table"
    for name, words in _LIMITS.items():
        if (limit := getattr(policy, name)) is not None:
            yield f"{words} at most {limit:g} ({name})"
    if policy.max_missing is not None:
        yield f"at most {policy.max_missing:.0%} missing values in a column that counts"
    if policy.min_p29 is not None:
        yield f"a P29 score of at least {policy.min_p29:g}"
    if policy.version_differences == "stop":
        yield f"no group differs from an earlier open version by fewer than {policy.k} people"


_LIMITS = {
    "alpha": "the share of one value in a group",
    "beta": "the relative gain of a value in a group",
    "delta": "the logarithm by which a group changes a value's likelihood",
}


def _comparison(report: PrivacyReport) -> Grid:
    tables = [report.source, *([report.release] if report.release else [])]
    head = ("Measure", "As deposited", *(["Release"] if report.release else []), "In words")
    rows = [
        (name, *(_shown(table, reader) for table in tables), words)
        for name, reader, words in _LINES
    ]
    return Grid("Risk before and after", head, tuple(rows), frozenset(range(1, len(tables) + 1)))


def _shown(table: MeasuredTable, reader: Any) -> str:  # noqa: ANN401 - a function of measures
    return str(reader(table.measures)) if table.measures else _DASH


def _share(value: float) -> str:
    return f"{value:.1%}".replace("%", " %")


def _score(measures: Measures) -> str:
    return _DASH if measures.p29.value is None else f"{measures.p29.value:.3f}"


_LINES: tuple[tuple[str, Any, str], ...] = (
    ("Rows", lambda m: f"{m.rows:,}", "People or samples in the table."),
    ("Smallest group (k)", lambda m: f"{m.k:,}", "Everybody is like k - 1 others."),
    ("Groups", lambda m: f"{m.classes:,}", "Different combinations of traits."),
    ("Rows in too small groups", lambda m: f"{m.rows_at_risk:,}", "Below the policy's k."),
    ("Unique rows", lambda m: f"{m.unique_rows:,}", "Nobody else has these traits."),
    ("Highest risk", lambda m: _share(m.prosecutor_max),
     "Chance to pick the right row of the most exposed person."),
    ("Average risk", lambda m: _share(m.prosecutor_average),
     "The same for a person taken at random."),
    ("P29 score", _score, "Groups, variety and distance in one number, higher is safer."),
)  # fmt: skip


def _sensitive(report: PrivacyReport) -> Iterator[Block]:
    measures = report.outgoing.measures
    if measures and measures.sensitive:
        yield Grid(
            "What a group tells about sensitive columns of the table that leaves the house",
            ("Column", "Fewest values (l)", "Entropy l", "Distance (t)", "Rows without variety"),
            tuple(
                (each.name, f"{each.distinct_l:,}", f"{each.entropy_l:.2f}", f"{each.t:.2f}",
                 f"{each.homogeneous_rows:,}")
                for each in measures.sensitive
            ),
            frozenset({1, 2, 3, 4}),
        )  # fmt: skip


def _versions(report: PrivacyReport) -> Iterator[Block]:
    measures = report.outgoing.measures
    if measures and measures.versions:
        yield Grid(
            "Together with versions that were published before: groups that gained or lost only a"
            " few rows tell what these few people have",
            ("Compared with", "Groups", "Changed by few people", "Rows that came or went in them"),
            tuple(
                (f"version {each.version}, {each.file}", f"{each.groups:,}",
                 f"{each.telling_groups:,}", f"{each.telling_rows:,}")
                for each in measures.versions
            ),
            frozenset({1, 2, 3}),
        )  # fmt: skip


def _recipe(report: PrivacyReport) -> Iterator[Block]:
    if report.recipe is None or report.effect is None:
        yield Text("Nothing: the table leaves the house as it was deposited.")
        return
    kept, all_rows = report.effect.rows_out, report.effect.rows_in
    yield Text(f"A recipe made the release: {kept:,} of {all_rows:,} rows are in it.")
    rows = tuple(
        (str(number), step["op"], _where(step), _options(step),
         f"{done.rows_changed:,}")
        for number, (step, done) in enumerate(
            zip(report.recipe["steps"], report.effect.effects, strict=True), 1
        )
    )  # fmt: skip
    yield Grid("The recipe", ("", "Step", "Column", "How", "Rows changed"), rows, frozenset({0, 4}))
    if report.effect.pseudonymised:
        yield Text(
            f"{', '.join(report.effect.pseudonymised)}: keyed pseudonyms (key version"
            f" {report.key_version}). Who holds the key can link them back: they remain personal"
            " data."
        )


def _where(step: dict[str, Any]) -> str:
    return step.get("column") or ", ".join(step.get("columns", ())) or "rows"


def _options(step: dict[str, Any]) -> str:
    told = []
    for name, value in step.items():
        if name in {"op", "column", "columns"} or value is None or value == []:
            continue
        shown = f"{value['entries']} values" if isinstance(value, dict) else _listed(value)
        told.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join(told)


def _listed(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _checksums(report: PrivacyReport) -> Iterator[tuple[str, str]]:
    names = {
        "file": "The file as it was deposited",
        "source": "The table read from it, as Parquet",
        "source_csv": "The same as CSV",
        "release": "The release, as Parquet",
        "release_csv": "The same as CSV",
    }
    for key, value in report.hashes.items():
        yield names[key], value


def _plain(text: str) -> str:
    return text.replace("`", "")
