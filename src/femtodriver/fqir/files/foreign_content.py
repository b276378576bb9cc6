"""What a refused file holds instead of a graph, if its bytes show it: weights, a whole model, another tool's format.

Nothing is unpickled. Only the first and last bytes of a file are looked at, and only for names and fixed marks, by
regular expressions that take time in proportion to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from femtodriver.safe_text import quote

# How much of either end of a file is looked at: the directory of an archive is at its end, its pickle near its start.
END_BYTES = 1 << 20
_NAME_BYTES = 1 << 17
_MOST_NAMES = 400
_NAME_CHARACTERS = 60

# GLOBAL has two lines; STACK_GLOBAL has two texts before it, each perhaps stored in the memo.
_GLOBAL = rb"c([A-Za-z_][\w.]{0,99})\n([A-Za-z_][\w.]{0,99})\n"
_STACK_GLOBAL = rb"\x8c.([A-Za-z_][\w.]{0,99})\x94?\x8c.([A-Za-z_][\w.]{0,99})\x94?\x93"
_NAMES = re.compile(_GLOBAL + b"|" + _STACK_GLOBAL, re.DOTALL)
_MEMBERS = re.compile(rb"PK\x01\x02.{24}(.)(.).{16}(?=([^\x00-\x1f]{1,200}))", re.DOTALL)

_GRAPH = "fmot.fqir."
# Modules whose names are in every pickle of tensors, and say nothing about what it is a pickle of.
_PLUMBING = ("collections", "torch", "numpy", "builtins", "__builtin__", "_codecs", "copyreg", "copy_reg")
_MODULES = ("torch.nn.", "torch.ao.", "fmot.")
_TENSORS = ("torch._utils", "torch.storage")

_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_LEGACY_ROOT = 3

_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x93NUMPY", "an array of NumPy (.npy)"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them"),
    (4, b"TFL3", "a TFLite model"),
    (0, b"GGUF", "a GGUF file"),
    (0, b"\x1f\x8b", "a file that gzip has compressed"),
    (0, b"femtosense_model", "a compiled program (.femto)"),
    (0, b"f3mt0", "a compiled program (.femto)"),
)

EXCHANGE_START = b"fqir "
EXCHANGE = "a network in the exchange format. Give it the ending .fqir."
WEIGHTS = "the weights of a model"
_SAVE = 'save what trace() gives: torch.save(converted.trace(), "model.pt")'
_DOOR = "femtodrive my_model.py:build --calibrate clips.npz (docs/pytorch.md)"
TRACE = f"Give the code that builds the model and loads its weights: {_DOOR}."
TRACE_IT = f"Give the code that builds it: {_DOOR}; of a model that fmot has quantized already, {_SAVE}."
OTHER_TOOL = "Give the graph that fmot has traced and torch.save has written."


@dataclass(frozen=True)
class _Content:
    """The marks in a file: names of classes and functions in its pickles, members of its archive, its first bytes."""

    names: tuple[tuple[str, str], ...]
    members: tuple[str, ...]
    head: bytes

    @property
    def tensors(self) -> bool:
        """Whether it holds tensors of torch."""
        stored = any(re.search(r"/data/\d+\Z", member) for member in self.members)
        return stored or any(module in _TENSORS or name.endswith("Storage") for module, name in self.names)

    @property
    def root(self) -> bytes:
        """The opcodes of the pickle after its protocol and frame; of a legacy stream, those of its third pickle."""
        head = self.head
        if head.startswith(_LEGACY_START):
            return (head.split(b".\x80\x02", _LEGACY_ROOT)[_LEGACY_ROOT:] or [b""])[0]
        at = max(0, head.find(b"/data.pkl"))
        found = re.compile(rb"\x80[\x02-\x05](?:\x95.{8})?(?=[c}\x8c\](])", re.DOTALL).search(head, at, at + 400)
        return head[found.end() :] if found else b""

    def model_class(self) -> tuple[str, str] | None:
        """The class of a whole model: the root is an object of a class that is no plumbing."""
        if not self.names or self.root[:1] not in (b"c", b"\x8c", b"("):
            return None
        module, name = self.names[0]
        ordinary = module.split(".")[0] in _PLUMBING and not module.startswith(_MODULES)
        return None if ordinary else (module, name)


def foreign_content(head: bytes, tail: bytes) -> str | None:
    """What the file holds instead of a graph, and what to do: "WHAT. ADVICE". None if nothing is known.

    ``head`` and ``tail`` are the first and last ``END_BYTES`` of the file, or all of it twice.
    """
    content = _Content(tuple(_names(head)), tuple(_members(tail)), head)
    if any(module.startswith(_GRAPH) for module, _ in content.names):
        return None  # a graph that was refused for another reason
    if head.startswith(EXCHANGE_START):
        return EXCHANGE
    found = _torch_content(content)
    if found is not None:
        return found
    what = _other_format(content)
    return None if what is None else f"{what}. {OTHER_TOOL}"


def _torch_content(content: _Content) -> str | None:
    if any("/code/" in member or member.endswith("/constants.pkl") for member in content.members):
        return f"a TorchScript module (torch.jit.save). {TRACE}"
    if any("/data/weights/" in member or member.endswith("/models/model.json") for member in content.members):
        return f"a program of torch.export. {TRACE}"
    model = content.model_class()
    if model is not None and (content.tensors or model[0].startswith(_MODULES)):
        return f"a whole model (an object of class {quote('.'.join(model), _NAME_CHARACTERS)}). {TRACE_IT}"
    return f"{_weights(content)}. {TRACE}" if content.tensors else None


def _weights(content: _Content) -> str:
    if content.root.startswith(b"}"):
        return f"{WEIGHTS} or a checkpoint (a dict with tensors)"
    if content.names[:1] == (("collections", "OrderedDict"),):
        return f"{WEIGHTS} (a state_dict)"
    return f"tensors of torch, such as {WEIGHTS}"


def _other_format(content: _Content) -> str | None:
    head = content.head
    for at, mark, what in _MARKS:
        if head[at : at + len(mark)] == mark:
            return what
    if any(member == "metadata.yaml" for member in content.members):
        return "a compiled program (.zip)"
    if content.members and all(member.endswith(".npy") for member in content.members):
        return "arrays of NumPy (.npz)"
    if re.match(rb"[\x00-\xff]{8}\{\s*\"", head) and int.from_bytes(head[:8], "little") < 100 << 20:
        return f"{WEIGHTS} (safetensors)"
    if re.match(rb"\x08[\x01-\x7f]\x12[\x01-\x7f][ -~]", head):
        return "an ONNX model"
    return None


def _names(data: bytes) -> Iterator[tuple[str, str]]:
    for index, found in enumerate(_NAMES.finditer(data[:_NAME_BYTES])):
        if index == _MOST_NAMES:
            return
        module, name = (part for part in found.groups() if part is not None)
        yield module.decode("ascii", "replace"), name.decode("ascii", "replace")


def _members(data: bytes) -> Iterator[str]:
    """Names of the members of a zip archive, from its directory."""
    for index, found in enumerate(_MEMBERS.finditer(data)):
        if index == _MOST_NAMES:
            return
        low, high, name = found.groups()
        yield name[: low[0] + 256 * high[0]].decode("utf-8", "replace")
