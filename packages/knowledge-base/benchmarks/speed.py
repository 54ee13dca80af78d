"""How fast a large knowledge base answers, fills, and how much memory it takes.

Its sections are real ones with their sentences in another order, made of the docstrings that are
installed here, so nothing is fetched. Vectors are random: only how many there are makes a search
slow. What is measured is set against a scan with LIKE and a full-text search for all words, both of
the same database in the same run.

    python packages/knowledge-base/benchmarks/speed.py --sections 50000
    python packages/knowledge-base/benchmarks/speed.py --weights ~/.cache/knowledge-base
"""

import argparse
import random
import re
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from knowledge_base.documents import Format, Page, Source
from knowledge_base.embedding import Matrix, unit
from knowledge_base.embedding.bundled import BundledEmbedder
from knowledge_base.embedding.weights import weights_in
from knowledge_base.errors import LocationError
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.loading.folder import pages_of_folder
from knowledge_base.loading.installed import docstrings_of
from knowledge_base.sections import sections_of
from knowledge_base.store import Store
from knowledge_base.terms import terms_of

PACKAGES: Final = ("sqlalchemy", "flask", "click", "pydantic", "pytest", "numpy", "werkzeug")
DIMENSIONS: Final = 384
QUESTIONS: Final = 200
PER_PAGE: Final = 10
RAW: Final = 10_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_random = random.Random(11)


class RandomEmbedder:
    """Makes a random vector of each text."""

    model = "random"

    def __init__(self) -> None:
        """Begin the same row of numbers in every run."""
        self._random = np.random.default_rng(11)

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return a row for each text."""
        return unit(self._random.standard_normal((len(texts), DIMENSIONS), dtype=np.float32))


@dataclass(frozen=True)
class Times:
    """How long something took, again and again, in milliseconds.

    Attributes:
        milliseconds: By the clock; on a busy machine much of it is waiting for others.
        processor: Of this process, on average.
    """

    name: str
    milliseconds: list[float]
    processor: float

    def at(self, percent: float) -> float:
        """Return a percentile."""
        return float(np.percentile(self.milliseconds, percent))

    def show(self, against: "Times | None" = None) -> None:
        """Print the median and the 95th percentile, and how they compare."""
        ratio = f"  {self.at(50) / against.at(50):.2f} x {against.name}" if against else ""
        print(
            f"{self.name:26} p50 {self.at(50):6.1f} ms  p95 {self.at(95):6.1f} ms"
            f"  processor {self.processor:6.1f} ms{ratio}",
            flush=True,
        )


def real_sections() -> list[tuple[str, str]]:
    """Return headings and texts of what is documented in this environment."""
    found = []
    for package in PACKAGES:
        try:
            pages = docstrings_of(package).pages
        except LocationError:
            continue
        found += [(each.title, each.text) for page in pages for each in sections_of(page)]
    return found


def pages_like(real: Sequence[tuple[str, str]], count: int) -> Iterator[Page]:
    """Yield Markdown pages with as many sections: sentences of real ones, dealt anew."""
    sentences = [each for _, text in real for each in _SENTENCE.split(text.replace("```", ""))]
    for number in range(count // PER_PAGE):
        lines = [f"# Page {number}"]
        for place in range(PER_PAGE):
            title, text = _random.choice(real)
            chosen = _random.sample(sentences, min(len(_SENTENCE.split(text)), 12))
            lines += [f"## {title} {number}.{place}", " ".join(chosen).replace("\n#", "\n")]
        text = "\n\n".join(lines)
        yield Page(f"https://docs.example/{number}", text, Format.MARKDOWN)


def questions_like(real: Sequence[tuple[str, str]]) -> list[str]:
    """Return questions of three to nine words that stand side by side in real sections."""
    asked: list[str] = []
    while len(asked) < QUESTIONS:
        words = _random.choice(real)[1].split()
        length = _random.randint(3, 9)
        if len(words) > length:
            start = _random.randrange(len(words) - length)
            asked.append(" ".join(words[start : start + length]))
    return asked


def timed(name: str, questions: Sequence[str], ask: Callable[[str], object]) -> Times:
    """Ask each question once, after a tenth of them to warm up."""
    for question in questions[: len(questions) // 10]:
        ask(question)
    taken, begun_with = [], time.process_time()
    for question in questions:
        begun = time.perf_counter()
        ask(question)
        taken.append(1000 * (time.perf_counter() - begun))
    return Times(name, taken, 1000 * (time.process_time() - begun_with) / len(questions))


def scan(connection: sqlite3.Connection, question: str) -> list[tuple[int]]:
    """Search as one would without an index: sections that hold the first word."""
    return connection.execute(
        "SELECT id FROM sections WHERE text LIKE ? LIMIT 5000", (f"%{terms_of(question)[0]}%",)
    ).fetchall()


def every_word(connection: sqlite3.Connection, question: str) -> list[tuple[int]]:
    """Search for sections with all words, as FTS5 does by default."""
    words = " ".join('"{}"'.format(term.replace('"', '""')) for term in terms_of(question))
    return connection.execute(
        "SELECT rowid FROM sections_index WHERE sections_index MATCH ? ORDER BY rank LIMIT 5",
        (words,),
    ).fetchall()


def measure_filling(real: Sequence[tuple[str, str]], folder: Path) -> None:
    """Print how fast raw files become sections that words find."""
    raw = folder / "raw"
    raw.mkdir()
    for number, page in enumerate(pages_like(real, RAW)):
        (raw / f"{number}.md").write_text(page.text)
    knowledge = KnowledgeBase(Store(f"sqlite:///{folder / 'filled.db'}"))
    begun, begun_with = time.perf_counter(), time.process_time()
    knowledge.refresh(Source("raw", "raw", "Raw"), pages_of_folder(raw))
    seconds, processor = time.perf_counter() - begun, time.process_time() - begun_with
    _, sections = knowledge.store.frequencies(["page"])
    print(f"{sections} sections from files in {seconds:.1f} s, processor {processor:.1f} s")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sections", type=int, default=50_000)
    parser.add_argument("--weights", type=Path, help="time the bundled model with this cache")
    arguments = parser.parse_args()
    real = real_sections()
    with tempfile.TemporaryDirectory() as folder:
        measure_filling(real, Path(folder))
        file = Path(folder) / "large.db"
        knowledge = KnowledgeBase(Store(f"sqlite:///{file}"), RandomEmbedder())
        knowledge.refresh(Source("large", "large", "Large"), pages_like(real, arguments.sections))
        while knowledge.embed_next(2000):
            pass
        words = KnowledgeBase(knowledge.store)
        questions = questions_like(real)
        connection = sqlite3.connect(file)
        baseline = timed("LIKE scan", questions, lambda each: scan(connection, each))
        baseline.show()
        timed("all words (FTS5)", questions, lambda each: every_word(connection, each)).show()
        timed("BM25", questions, words.search).show(baseline)
        timed("hybrid, without the model", questions, knowledge.search).show(baseline)
    if arguments.weights:
        embedder = BundledEmbedder(lambda: weights_in(arguments.weights.expanduser()))
        timed("the model", questions, lambda each: embedder.embed([each])).show()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at most {peak:.0f} MB")


if __name__ == "__main__":
    main()
