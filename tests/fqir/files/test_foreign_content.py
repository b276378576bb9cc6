"""Files that users give by mistake: the refusal says what the file is, and nothing in it is executed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import ModelError
from femtodriver.fqir.exchange import fqir_bytes
from femtodriver.fqir.files.foreign_content import END_BYTES, OTHER_TOOL, TRACE, TRACE_IT, foreign_content
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES
from femtodriver.fqir.files.load_network import load_network
from femtodriver.model.loopback import loopback
from tests.fqir.files.work import Work
from tests.fqir.graph_wire import Archive, Member, Raw, archive, bare, enc, graph, legacy, members, name

ORDERED = ("collections", "OrderedDict")
PERSISTENT = Raw(enc(("storage", "0", "cpu")) + b"Q")
TENSOR = Raw(name("torch._utils", "_rebuild_tensor_v2") + enc((PERSISTENT, 0, (3,))) + b"R")
STATE_DICT = Raw(name(*ORDERED) + b")R(" + enc("w") + TENSOR + b"u")
CHECKPOINT = enc({"epoch": 3, "model": STATE_DICT})
MODEL = Raw(name("shop.nets", "KeywordSpotter") + b")\x81" + enc({"weight": TENSOR}) + b"b")
NO_WEIGHTS = Raw(name("torch.nn.modules.activation", "ReLU") + b")\x81}b")


def stored(pickle: bytes) -> bytes:
    """An archive with tensors."""
    return Archive((*members(pickle), Member(b"a/data/0", bytes(64)))).write()


def in_every_form(value: Raw) -> list[bytes]:
    framed = b"\x80\x04\x95" + bytes(8) + value + b"."
    return [stored(bare(value)), legacy(value), bare(value), stored(framed)]


def refusal(source: Any) -> str:
    with pytest.raises(ModelError) as caught:
        load_network(source)
    found = re.fullmatch(r".*: the file must be a graph saved by torch\.save, not (.*)", str(caught.value))
    assert found is not None, str(caught.value)
    return found.group(1)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (STATE_DICT, f"the weights of a model (a state_dict). {TRACE}"),
        (
            enc({"epoch": 3, "model": STATE_DICT}),
            f"the weights of a model or a checkpoint (a dict with tensors). {TRACE}",
        ),
        (MODEL, f'a whole model (an object of class "shop.nets.KeywordSpotter"). {TRACE_IT}'),
        (TENSOR, f"tensors of torch, such as the weights of a model. {TRACE}"),
        (enc([TENSOR, TENSOR]), f"tensors of torch, such as the weights of a model. {TRACE}"),
        (NO_WEIGHTS, f'a whole model (an object of class "torch.nn.modules.activation.ReLU"). {TRACE_IT}'),
    ],
)
def test_weights_and_models_are_told(value: Raw, says: str) -> None:
    for data in in_every_form(value):
        assert refusal(data) == says


def test_torchscript_and_exported_programs_are_told() -> None:
    script = Archive(
        (Member(b"net/data.pkl", bare(5)), Member(b"net/code/__torch__/net.py", b"def forward(self): ..."))
    )
    assert refusal(script.write()) == f"a TorchScript module (torch.jit.save). {TRACE}"
    exported = Archive((Member(b"net/data/weights/weight_0", bytes(9)), Member(b"net/models/model.json", b"{}")))
    assert refusal(exported.write()) == f"a program of torch.export. {TRACE}"


def numpy_file(save: Callable[..., None], **arrays: Any) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (numpy_file(np.save, arr=np.zeros(3)), "an array of NumPy (.npy)"),
        (numpy_file(np.savez, a=np.zeros(3), b=np.ones(2)), "arrays of NumPy (.npz)"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "an HDF5 file, as Keras writes them"),
        (b"\x1c\0\0\0TFL3" + bytes(90), "a TFLite model"),
        (b"\x08\x09\x12\x07pytorch\x1a\x052.4.0", "an ONNX model"),
        ((60).to_bytes(8, "little") + b'{"w":{"dtype":"F32","shape":[1]}}', "the weights of a model (safetensors)"),
        (b"f3mt0" + bytes(90), "a compiled program (.femto)"),
        (b"\x1f\x8b\x08" + bytes(90), "a file that gzip has compressed"),
    ],
)
def test_files_of_other_tools_are_told(data: bytes, says: str) -> None:
    assert refusal(data) == f"{says}. {OTHER_TOOL}"


def test_a_file_of_the_exchange_format_is_told_to_have_its_ending() -> None:
    assert refusal(fqir_bytes(loopback())) == "a network in the exchange format. Give it the ending .fqir."


def test_weights_that_are_too_large_to_be_read_are_told_from_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "large.pt"
    data = Archive((*members(bare(STATE_DICT)), Member(b"a/data/0", bytes(MAX_FILE_BYTES)))).write()
    path.write_bytes(data)
    for source in (path, str(path), data):
        assert refusal(source) == f"the weights of a model (a state_dict). {TRACE}"


def test_a_graph_that_is_refused_is_still_a_graph() -> None:
    damaged = archive(graph(reshaper=MODEL))
    with pytest.raises(ModelError, match="must only name classes of graph files"):
        load_network(damaged)


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"import os\n", bare({"a": 1}), bytes(5000), archive(5)])
def test_what_nobody_knows_keeps_its_first_refusal(data: bytes) -> None:
    assert foreign_content(data, data) is None
    with pytest.raises(ModelError):
        load_network(data)


def test_names_in_a_file_cannot_speak() -> None:
    endless = Raw(name("torch.nn." + "a" * 90, "B" * 90) + b")\x81}b")
    message = refusal(bare(endless))
    assert len(message) < 400
    assert foreign_content(*[b"\x80\x02c\x1b[31m\nNet\n)\x81}b."] * 2) is None


@pytest.mark.parametrize(
    "piece", [b"c", b"ca\n", b"\x8c\x01a", b"PK\1\2", b"\x80\x02", b"/data.pkl", b"ca\nB\n", b"\0"]
)
def test_looking_takes_little_work_whatever_the_bytes_are(piece: bytes) -> None:
    data = (piece * END_BYTES)[:END_BYTES]
    with Work() as work:
        foreign_content(data, data)
    assert work.calls < 10_000


@pytest.mark.slow
@pytest.mark.fmot
def test_what_torch_really_writes_is_told(fmot: ModuleType) -> None:
    import torch

    layer = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    weights = {"epoch": 1, "model": layer.state_dict(), "optimizer": torch.optim.Adam(layer.parameters()).state_dict()}
    cases = [
        (layer.state_dict(), "state_dict"),
        (layer, "containe"),
        (weights, "checkpoint"),
        (torch.zeros(3), "tensors"),
    ]
    for value, says in cases:
        for options in ({}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}):
            buffer = io.BytesIO()
            torch.save(value, buffer, **options)
            assert says in refusal(buffer.getvalue())
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(layer, torch.zeros(1, 4)), buffer)
    assert "TorchScript" in refusal(buffer.getvalue())
