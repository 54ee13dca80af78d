"""Embeddings from a server, the choice of the embedder, and what is done when there is none."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from knowledge_base.background import embedding_behind
from knowledge_base.commands import main
from knowledge_base.documents import Format, Page, Source
from knowledge_base.embedding import Matrix, unit
from knowledge_base.embedding.bundled import BundledEmbedder
from knowledge_base.embedding.choice import embedder_of
from knowledge_base.embedding.served import ServedEmbedder
from knowledge_base.errors import KnowledgeBaseError, UnavailableError, UnreachableError
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.settings import Settings, read_settings
from knowledge_base.store import Store

KEY = "right"
SOURCE = Source("guide", "guide", "Guide")
PAGE = Page("https://x.example/", "# Plants\n\nWater.\n\n## Soil\n\nEarth.\n", Format.MARKDOWN)


class Embeddings(BaseHTTPRequestHandler):
    """Answers as OpenAI does, the last text first; the model says what is wrong with it."""

    def do_POST(self) -> None:
        """Count the letters of each text."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model, texts = asked["model"], asked["input"]
        rows = [[text.count("a"), text.count("e"), 1.0] for text in texts]
        if model == "ragged":
            rows[0].pop()
        if model == "infinite":
            rows[0][0] = float("inf")
        data = [{"index": place, "embedding": row} for place, row in enumerate(rows)]
        if model == "short" or (model == "few" and len(texts) > 32):
            data.pop()
        body = b"no json" if model == "broken" else json.dumps({"data": data[::-1]}).encode()
        known = self.headers["Authorization"] == f"Bearer {KEY}"
        self.send_response(200 if known and self.path == "/v1/embeddings" else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a server that makes embeddings."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Embeddings) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_server_embeds_each_text_in_its_place(url: str) -> None:
    rows = ServedEmbedder(f"{url}/", "good", api_key=KEY).embed(["aa", "eee", ""])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[0], np.array([2, 0, 1]) / 5**0.5, rtol=1e-6)
    np.testing.assert_allclose(rows[1], np.array([0, 3, 1]) / 10**0.5, rtol=1e-6)
    np.testing.assert_allclose(rows[2], [0, 0, 1])


def test_many_texts_are_asked_for_in_parts(url: str) -> None:
    rows = ServedEmbedder(url, "few", api_key=KEY).embed(["a"] * 32 + ["e"])
    np.testing.assert_allclose(rows[31:] * 2**0.5, [[1, 0, 1], [0, 1, 1]], rtol=1e-6)


@pytest.mark.parametrize("model", ["short", "ragged", "infinite", "broken"])
def test_what_a_server_answers_is_checked(url: str, model: str) -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1.*/v1/embeddings"):
        ServedEmbedder(url, model, api_key=KEY).embed(["aa", "ee"])


def test_a_refusal_says_which_server_it_came_from(url: str) -> None:
    with pytest.raises(UnreachableError, match="401"):
        ServedEmbedder(url, "good", api_key="wrong").embed(["a"])
    with pytest.raises(UnreachableError, match="made no embeddings"):
        ServedEmbedder("http://127.0.0.1:1/v1", "good").embed(["a"])


def test_rows_have_length_one_and_nothing_stays_nothing() -> None:
    rows = unit(np.array([[3, 4], [0, 0]], dtype=np.float32))
    np.testing.assert_allclose(rows, np.array([[0.6, 0.8], [0, 0]]), rtol=1e-6)


def test_the_environment_chooses_the_embedder(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert embedder_of(Settings(embedder="none")) is None
    assert isinstance(embedder_of(Settings()), BundledEmbedder)
    own = embedder_of(Settings(embedder="ollama:nomic-embed-text:v1.5"))
    assert isinstance(own, ServedEmbedder)
    assert own.model == "nomic-embed-text:v1.5"
    monkeypatch.setenv("KB_EMBEDDER", f"openai:{url}#good")
    monkeypatch.setenv("KB_EMBEDDER_KEY", KEY)
    served = embedder_of(read_settings())
    assert served
    assert served.model == "good"
    assert served.embed(["a"]).shape == (1, 3)


@pytest.mark.parametrize("mistaken", ["openai", "openai:x#y", "openai:https://x", "ollama:", "gpt"])
def test_an_embedder_that_is_none_is_refused(mistaken: str) -> None:
    with pytest.raises(UnavailableError, match=r"openai:URL#MODEL"):
        embedder_of(Settings(embedder=mistaken))


def test_a_variable_with_a_mistake_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_EMBEDDER_THREADS", "many")
    with pytest.raises(KnowledgeBaseError, match="KB_EMBEDDER_THREADS: Input should be"):
        read_settings()


def test_without_the_extra_there_is_no_bundled_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge_base.embedding.choice._EXTRA", ("no_such_module",))
    assert embedder_of(Settings()) is None


def test_the_command_embeds_all_and_then_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    (tmp_path / "guide.md").write_text(PAGE.text)
    monkeypatch.setenv("KB_DATABASE", f"sqlite:///{tmp_path / 'kb.db'}")
    monkeypatch.setenv("KB_EMBEDDER", "none")
    run = CliRunner().invoke
    assert run(main, ["add", str(tmp_path / "guide.md")]).exit_code == 0
    refused = run(main, ["embed"])
    assert (refused.exit_code, "knowledge-base[vectors]" in refused.output) == (1, True)
    assert "words alone" in run(main, ["search", "water"]).output
    monkeypatch.setenv("KB_EMBEDDER", f"openai:{url}#good")
    assert "no embeddings" in run(main, ["embed"]).output
    monkeypatch.setenv("KB_EMBEDDER_KEY", KEY)
    assert run(main, ["embed"]).output == "Embedding\nAll sections are embedded.\n"
    assert run(main, ["embed"]).exit_code == 0
    found = run(main, ["search", "water", "--json"]).output
    assert json.loads(found)["mode"] == "hybrid"


class Failing:
    """An embedder that works the first time, as a server that goes away."""

    model = "failing"

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.worked = False

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return a row for each text, once."""
        if self.worked:
            self.asked.set()
            raise UnreachableError("gone")
        self.worked = True
        return unit(np.ones((len(texts), 2), dtype=np.float32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """With one page in two sections."""
    made = Store(f"sqlite:///{tmp_path / 'kb.db'}")
    KnowledgeBase(made).refresh(SOURCE, [PAGE])
    yield made
    made.close()


def test_an_embedder_that_is_gone_leaves_the_words(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    knowledge = KnowledgeBase(store, Failing())
    assert knowledge.embed_next(1) == 1
    assert knowledge.waiting() == 1
    answer = knowledge.search("water")
    assert answer.mode == "lexical"
    assert answer.hits[0].stored.section.title == "Plants"
    assert "words alone: gone" in caplog.text


def test_vectors_made_twice_are_kept_once(store: Store) -> None:
    ((key, _),) = store.without_vectors("m", 1).items()
    store.put_vectors("m", {key: np.array([1, 0], dtype=np.float32)})
    store.put_vectors("m", {key: np.array([0, 1], dtype=np.float32), 999: np.ones(2, np.float32)})
    _, ids, rows = store.vectors("m")
    assert (ids.tolist(), rows.tolist()) == ([key], [[1, 0]])


def test_two_processes_embed_one_knowledge_base(knowledge: KnowledgeBase) -> None:
    store, vector = knowledge.store, np.ones(2, np.float32)
    waiting = store.without_vectors("m", 10)
    with ThreadPoolExecutor(4) as several:
        for _ in range(5):
            made = [several.submit(store.put_vectors, "m", dict.fromkeys(waiting, vector))
                    for _ in range(4)]  # fmt: skip
            for each in made:
                each.result()
    assert sorted(store.vectors("m")[1]) == sorted(waiting)


def test_sections_are_embedded_behind_and_failures_do_not_end_it(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = Failing()
    knowledge = KnowledgeBase(store, embedder)
    with embedding_behind(knowledge, pause=0.01, pause_after_error=0.01):
        while knowledge.waiting():
            threading.Event().wait(0.005)
        more = Page("https://x.example/more", "# More\n\nWords.\n", Format.MARKDOWN)
        knowledge.refresh(SOURCE, [PAGE, more])
        assert embedder.asked.wait(20)
        embedder.worked = False
        while knowledge.waiting():
            threading.Event().wait(0.005)
    assert "Nothing is embedded for now: gone" in caplog.text
    assert not any(thread.name == "embedding" for thread in threading.enumerate())
    with embedding_behind(KnowledgeBase(store)):
        assert not any(thread.name == "embedding" for thread in threading.enumerate())
