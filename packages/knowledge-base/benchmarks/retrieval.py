"""How well questions are answered: by words, by meaning, and by both.

The questions are in questions.toml, half for development and half for the test. The corpus is taken
from the package index and from the tools of this environment once, and kept in a folder.

    python packages/knowledge-base/benchmarks/retrieval.py --folder ~/.cache/knowledge-base
    python packages/knowledge-base/benchmarks/retrieval.py --vectors --misses
"""

import argparse
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge_base import ranking
from knowledge_base.documents import Answer
from knowledge_base.embedding import Embedder
from knowledge_base.embedding.bundled import BundledEmbedder
from knowledge_base.embedding.weights import weights_in
from knowledge_base.evaluation import (
    Expected,
    area_under_curve,
    mean_reciprocal_rank,
    rank_of,
    recall,
)
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.loading import load
from knowledge_base.store import Store

QUESTIONS = Path(__file__).with_name("questions.toml")
DEPTH = 10
PROJECTS = (
    frozenset({"flask", "werkzeug", "jinja2", "click", "sqlalchemy", "alembic"}),
    frozenset({"celery", "click", "pytest"}),
    frozenset({"ruff", "uv", "pytest"}),
    frozenset({"pydantic", "sqlalchemy", "uv", "celery"}),
)
"""What projects use that may ask; a question is asked by the first that uses its source."""


@dataclass(frozen=True)
class Question:
    """A question with the sections that answer it; none for one that has no answer here."""

    id: str
    kind: str
    split: str
    question: str
    source: str = ""
    expected: tuple[Expected, ...] = ()


@dataclass(frozen=True)
class Result:
    """What was found for a question."""

    question: Question
    rank: int | None
    answer: Answer


def read_questions() -> tuple[list[dict[str, str]], list[Question]]:
    """Return the corpus and the questions about it."""
    read = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    answerable = [
        Question(
            **{name: value for name, value in each.items() if name != "answers"},
            expected=tuple(Expected(**one) for one in each["answers"]),
        )
        for each in read["questions"]
    ]
    return read["corpus"], answerable + [Question(**each) for each in read["outside"]]


def fill(knowledge: KnowledgeBase, corpus: Iterable[Mapping[str, str]]) -> None:
    """Load what is not there yet; refuse another version than the questions were written for."""
    for each in corpus:
        if known := knowledge.store.source(each["source"]):
            version = known.version
        else:
            loaded = load(each["location"])
            version = loaded.source.version
            knowledge.refresh(loaded.source, loaded.pages)
        if version != each["version"]:
            print(f"{each['source']}: {version}, but the questions are about {each['version']}")


def project_of(question: Question) -> frozenset[str]:
    """Return the packages of the project that asks."""
    package = question.source.removesuffix("-api")
    return next((each for each in PROJECTS if package in each), frozenset())


def ask(
    knowledge: KnowledgeBase, questions: Iterable[Question], *, routed: bool = False
) -> list[Result]:
    """Search for each question in everything, what its project uses first if told so."""
    results = []
    for each in questions:
        packages = project_of(each) if routed else ()
        answer = knowledge.search(each.question, count=DEPTH, packages=packages)
        found = [hit.stored for hit in answer.hits]
        results.append(Result(each, rank_of(found, each.expected), answer))
    return results


def show(name: str, results: Sequence[Result]) -> None:
    """Print recall@5, MRR@10 and the area, in all and by source and kind."""
    inside = [each for each in results if each.question.expected]
    outside = [each for each in results if not each.question.expected]
    area = area_under_curve(
        (each.answer.confidence for each in inside), (each.answer.confidence for each in outside)
    )
    print(f"{name:24} {_figures(inside)}  AUC {area:.3f}  (n = {len(inside)} + {len(outside)})")
    for aspect in ("source", "kind"):
        groups: dict[str, list[Result]] = defaultdict(list)
        for each in inside:
            groups[getattr(each.question, aspect)].append(each)
        for group, some in groups.items():
            print(f"    {aspect} {group:14} {_figures(some)}  (n = {len(some)})")


def _figures(results: Sequence[Result]) -> str:
    ranks = [each.rank for each in results]
    return f"recall@5 {recall(ranks):.3f}  MRR@10 {mean_reciprocal_rank(ranks, at=DEPTH):.3f}"


def show_misses(results: Iterable[Result]) -> None:
    """Print the questions without an answer among the first five, and what was found instead."""
    for each in results:
        if each.question.expected and (each.rank is None or each.rank > 5):
            print(f"  {each.question.id}: {each.question.question}  (rank {each.rank})")
            for hit in each.answer.hits[:3]:
                print(f"      {hit.score:.2f} {hit.stored.url}")


def measure(
    knowledge: KnowledgeBase,
    name: str,
    questions: list[Question],
    *,
    misses: bool = False,
    routed: bool = False,
) -> None:
    """Print the figures of a way to search for development and test."""
    for split in ("development", "test"):
        asked = (each for each in questions if each.split == split)
        results = ask(knowledge, asked, routed=routed)
        show(f"{name}, {split}", results)
        if misses and split == "development":
            show_misses(results)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("~/.cache/knowledge-base"))
    parser.add_argument("--vectors", action="store_true", help="embed the corpus: half an hour")
    parser.add_argument("--misses", action="store_true", help="show what development missed")
    arguments = parser.parse_args()
    folder = arguments.folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    corpus, questions = read_questions()
    store = Store(f"sqlite:///{folder / 'evaluation.db'}")
    words = KnowledgeBase(store)
    fill(words, corpus)
    measure(words, "BM25", questions, misses=arguments.misses)
    if arguments.vectors:
        embedder: Embedder = BundledEmbedder(lambda: weights_in(folder))
        both = KnowledgeBase(store, embedder)
        while both.embed_next():
            pass
        measure(both, "hybrid", questions, misses=arguments.misses)
        measure(both, "hybrid, routed", questions, routed=True)
        ranking.LEXICAL_SHARE = 0.0  # type: ignore[misc]  # the same search without the words
        measure(both, "vectors", questions)


if __name__ == "__main__":
    main()
