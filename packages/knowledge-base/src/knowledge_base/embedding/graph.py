"""Writes what a BERT encoder computes as an ONNX graph, over weights that stay where they are.

An ONNX file is a protocol buffer of few kinds of messages. They are written here, because the
package for it is a thousand times the size of the graph. Fields have the numbers of onnx.proto3.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

TOKENS: Final = "tokens"
MASK: Final = "mask"
STATES: Final = "states"
_HEAD: Final = 32
"""Dimensions of one attention head of MiniLM."""
_EPSILON: Final = 1e-12
_IR_VERSION: Final = 9
_OPERATORS: Final = (("", 20), ("com.microsoft", 1))
_FLOAT, _INT32, _INT64 = 1, 6, 7
_VARINT, _BYTES, _FIXED32 = 0, 2, 5
_EXTERNAL: Final = 1
_SEVEN_BITS: Final = 7
_KIND_FLOAT, _KIND_INT = 1, 2


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where in a file the numbers of a tensor are."""

    shape: tuple[int, ...]
    offset: int
    length: int


def tensors_of(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a file of the format safetensors by their names."""
    with path.open("rb") as stream:
        (size,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(size))
    return {
        name: Tensor(tuple(said["shape"]), 8 + size + start, end - start)
        for name, said in header.items()
        if name != "__metadata__"
        for start, end in [said["data_offsets"]]
    }


def graph_of(path: Path) -> bytes:
    """Return an ONNX model of the encoder whose weights are in a file.

    It takes ``tokens`` and ``mask``, one row for each text, and returns the last ``states``, a
    vector for each token. Weights are not copied: the graph names their places in the file.
    """
    network = _Network(tensors_of(path), path.name)
    states = network.embeddings()
    layer = 0
    while network.has_layer(layer):
        states = network.layer(states, f"encoder.layer.{layer}.")
        layer += 1
    return network.written(states)


class _Network:
    """The nodes of a graph in the order in which they run."""

    def __init__(self, tensors: dict[str, Tensor], file_name: str) -> None:
        self._tensors = tensors
        self._file_name = file_name
        self._nodes: list[bytes] = []
        self._kept: dict[str, bytes] = {}
        self._width = tensors["embeddings.word_embeddings.weight"].shape[1]
        self._attended = self._apply("Cast", MASK, to=_INT32)

    def has_layer(self, number: int) -> bool:
        """Tell whether there are weights of a layer."""
        return f"encoder.layer.{number}.output.dense.weight" in self._tensors

    def embeddings(self) -> str:
        """Add words, places and the kind of text; return the name of the result."""
        words = self._apply("Gather", self._weight("embeddings.word_embeddings.weight"), TOKENS)
        first = self._constant("first", np.array([0], np.int64))
        length = self._apply("Shape", TOKENS, start=1, end=2)
        places = self._apply(
            "Slice", self._weight("embeddings.position_embeddings.weight"), first, length
        )
        kind = self._apply("Gather", self._weight("embeddings.token_type_embeddings.weight"), first)
        both = self._apply("Add", self._apply("Add", words, places), kind)
        return self._normal(both, "embeddings.")

    def layer(self, states: str, prefix: str) -> str:
        """Add a layer of the encoder; return the name of its result."""
        asked, keys, values = (
            self._dense(states, f"{prefix}attention.self.{part}.")
            for part in ("query", "key", "value")
        )
        heads = self._apply(
            "MultiHeadAttention", asked, keys, values, "", self._attended,
            domain="com.microsoft", num_heads=self._width // _HEAD,
        )  # fmt: skip
        mixed = self._dense(heads, f"{prefix}attention.output.dense.")
        seen = self._normal(self._apply("Add", mixed, states), f"{prefix}attention.output.")
        wide = self._apply("Gelu", self._dense(seen, f"{prefix}intermediate.dense."))
        narrow = self._dense(wide, f"{prefix}output.dense.")
        return self._normal(self._apply("Add", narrow, seen), f"{prefix}output.")

    def written(self, states: str) -> bytes:
        """Return the model, with ``states`` as its result."""
        self._nodes.append(_node("Identity", (states,), STATES, "", {}))
        graph = b"".join(_field(1, node) for node in self._nodes) + _field(2, "encoder")
        graph += b"".join(_field(5, tensor) for tensor in self._kept.values())
        graph += _field(11, _value(TOKENS, _INT64, ("texts", "length")))
        graph += _field(11, _value(MASK, _INT64, ("texts", "length")))
        graph += _field(12, _value(STATES, _FLOAT, ("texts", "length", self._width)))
        sets = b"".join(_field(8, _field(1, name) + _field(2, v)) for name, v in _OPERATORS)
        return _field(1, _IR_VERSION) + _field(7, graph) + sets

    def _dense(self, states: str, prefix: str) -> str:
        turned = self._apply("Transpose", self._weight(f"{prefix}weight"))
        product = self._apply("MatMul", states, turned)
        return self._apply("Add", product, self._weight(f"{prefix}bias"))

    def _normal(self, states: str, prefix: str) -> str:
        weight, bias = (self._weight(f"{prefix}LayerNorm.{part}") for part in ("weight", "bias"))
        return self._apply("LayerNormalization", states, weight, bias, epsilon=_EPSILON)

    def _apply(self, operator: str, *inputs: str, domain: str = "", **attributes: float) -> str:
        result = f"{operator}_{len(self._nodes)}"
        self._nodes.append(_node(operator, inputs, result, domain, attributes))
        return result

    def _constant(self, name: str, values: NDArray[np.int64]) -> str:
        shape = b"".join(_field(1, each) for each in values.shape)
        self._kept[name] = (
            shape + _field(2, _INT64) + _field(8, name) + _field(9, values.astype("<i8").tobytes())
        )
        return name

    def _weight(self, name: str) -> str:
        tensor = self._tensors[name]
        place = {
            "location": self._file_name,
            "offset": str(tensor.offset),
            "length": str(tensor.length),
        }
        self._kept[name] = (
            b"".join(_field(1, each) for each in tensor.shape)
            + _field(2, _FLOAT)
            + _field(8, name)
            + b"".join(_field(13, _field(1, k) + _field(2, v)) for k, v in place.items())
            + _field(14, _EXTERNAL)
        )
        return name


def _node(
    operator: str, inputs: tuple[str, ...], output: str, domain: str, attributes: dict[str, float]
) -> bytes:
    written = b"".join(_field(1, each) for each in inputs) + _field(2, output)
    written += _field(4, operator)
    written += b"".join(_field(5, _attribute(name, v)) for name, v in attributes.items())
    return written + _field(7, domain)


def _attribute(name: str, value: float) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, _KIND_INT)
    return _field(1, name) + _field(2, value) + _field(20, _KIND_FLOAT)


def _value(name: str, kind: int, shape: tuple[str | int, ...]) -> bytes:
    sides = (_field(1, _field(2 if isinstance(each, str) else 1, each)) for each in shape)
    tensor = _field(1, kind) + _field(2, b"".join(sides))
    return _field(1, name) + _field(2, _field(1, tensor))


def _field(number: int, value: int | float | str | bytes) -> bytes:
    if isinstance(value, float):
        return _varint(number << 3 | _FIXED32) + struct.pack("<f", value)
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    written = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(written)) + written


def _varint(number: int) -> bytes:
    written = bytearray()
    while number >> _SEVEN_BITS:
        written.append(number & 0x7F | 0x80)
        number >>= _SEVEN_BITS
    return bytes([*written, number])
