"""Networks from TFLite files: names, states and refusals by hand; every integer against the runtime's kernels."""

from __future__ import annotations

from functools import cache
from math import log2
from pathlib import Path

import numpy as np
import pytest

from femtodriver.arrays import AnyArray
from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.tflite import import_network as import_network_module
from femtodriver.tflite.import_network import import_network, load_tflite
from femtodriver.tflite.operator_imports import OPERATOR_IMPORTS
from femtodriver.tflite.operator_kinds import OPERATOR_KINDS
from femtodriver.tflite.read_model import read_model
from tests.tflite.climbed_steps import climbed_steps
from tests.tflite.judged_network import JudgedNetwork
from tests.tflite.litert_judge import Kernels, needs_judge
from tests.tflite.random_models import random_model
from tests.tflite.real_models import real_models
from tests.tflite.sample_models import samples
from tests.tflite.spoken_words import needs_frontend, needs_voice, spoken_steps
from tests.tflite.tflite_writer import Net, Table, write

REAL_MODELS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


def imported(model: Table, requantize: str = "tflite") -> Network:
    return import_network(write(model), "net", requantize)


# ---- by hand ---------------------------------------------------------------------------------------------------------


def test_state_starts_with_the_constants_and_moves_on() -> None:
    net = imported(samples()["streaming"])
    assert net.state_names == ("rows",)
    reference = Reference(net)
    rows = [np.array([[n, 10 * n, -n]]) for n in (1, 2, 3)]
    wholes = [reference.step({"t0": row})["t3"] for row in rows]
    assert wholes[0].tolist() == [[0, 0, 0], [0, 0, 0], [1, 10, -1]]
    assert wholes[2].tolist() == [[1, 10, -1], [2, 20, -2], [3, 30, -3]]
    reference.reset()
    assert reference.step({"t0": rows[2]})["t3"].tolist() == [[0, 0, 0], [0, 0, 0], [3, 30, -3]]


def two_reads(assign_first: bool) -> Table:
    """A variable that is read before and after it is assigned; or (``assign_first``) has no start."""
    net = Net()
    given, handle = net.tensor([1, 2]), net.tensor([], "RESOURCE", None)
    before, after, both = net.tensor([1, 2]), net.tensor([1, 2]), net.tensor([2, 2])
    start = net.beside()
    if not assign_first:
        net.operator("CALL_ONCE", [], [], init_subgraph_index=1)
    net.operator("VAR_HANDLE", [], [handle], container="box", shared_name="kept")
    if assign_first:
        net.operator("ASSIGN_VARIABLE", [handle, given], [])
    net.operator("READ_VARIABLE", [handle], [before])
    net.operator("ASSIGN_VARIABLE", [handle, given], [])
    net.operator("READ_VARIABLE", [handle], [after])
    net.operator("CONCATENATION", [before, after], [both], axis=0)
    inner = start.tensor([], "RESOURCE", None)
    rows = start.tensor([1, 2], data=np.array([[7, 8]], np.int8))
    start.operator("VAR_HANDLE", [], [inner], container="box", shared_name="kept")
    start.operator("ASSIGN_VARIABLE", [inner, rows], [])
    return net.model([given], [both], start.graph([], []))


@pytest.mark.parametrize(("assign_first", "first"), [(False, [7, 8]), (True, [1, 2])])
def test_a_value_that_was_read_stays(assign_first: bool, first: list[int]) -> None:
    reference = Reference(imported(two_reads(assign_first)))
    assert reference.step({"t0": [1, 2]})["t4"].tolist() == [first, [1, 2]]
    assert reference.step({"t0": [3, 4]})["t4"].tolist()[1] == [3, 4]
    if not assign_first:
        assert reference.step({"t0": [5, 6]})["t4"].tolist() == [[3, 4], [5, 6]]


def test_inputs_and_outputs_are_those_of_the_file() -> None:
    net = imported(samples()["FULLY_CONNECTED"])
    ((given,), (made,)) = net.inputs, net.outputs
    assert (given.name, given.shape, given.dtype, given.other_names) == ("t0", (4,), "int8", ("in0",))
    assert (given.quanta, given.zero_point) == (log2(0.5), 0)
    assert (made.name, made.shape, made.other_names) == ("t1", (3,), ("out0",))


def test_names_that_several_tensors_have_are_told_apart() -> None:
    model = samples()["RESHAPE"]
    for tensor in model[2][0][0]:
        tensor[3] = "same"
    net = imported(model)
    assert (net.inputs[0].name, net.outputs[0].name) == ("same tensor 0", "same tensor 1")
    assert Reference(net).step({"same tensor 0": [1, 2, 3, 4]})["same tensor 1"].reshape(-1).tolist() == [1, 2, 3, 4]


def activated(fused: int, scale: float, zero: int) -> list[int]:
    """The outputs of a layer with weights -1 and 1 for an input of 100."""
    net = Net()
    given, result = net.tensor([1, 1], scale=1.0), net.tensor([1, 2], scale=scale, zero=zero)
    matrix = net.tensor([2, 1], scale=1.0, data=np.array([[-1], [1]], np.int8))
    net.operator("FULLY_CONNECTED", [given, matrix], [result], fused_activation=fused)
    return list(Reference(imported(net.model([given], [result]))).step({"t0": [100]})["t1"])


def test_activations_narrow_the_limits() -> None:
    assert activated(0, 1.0, 3) == [-97, 103]
    assert activated(1, 1.0, 3) == [3, 103]
    assert activated(3, 0.5, 3) == [3, 15]
    assert activated(3, 0.08, -100) == [-100, -25]  # 6 / 0.08 in float32
    assert activated(2, 0.25, 3) == [-1, 7]
    assert activated(1, 1.0, -128) == [-128, -28]


def test_real_inputs_and_outputs_are_handed_over_as_integers() -> None:
    net = Net()
    given, quantized = net.tensor([1, 2], "FLOAT32", None), net.tensor([1, 2], zero=3)
    made = net.tensor([1, 2], "FLOAT32", None)
    net.operator("QUANTIZE", [given], [quantized])
    net.operator("DEQUANTIZE", [quantized], [made])
    network = imported(net.model([given], [made]))
    assert [(one.name, one.zero_point) for one in (*network.inputs, *network.outputs)] == [("t0", 3), ("t2", 3)]
    assert Reference(network).step({"t0": [-128, 127]})["t2"].tolist() == [-128, 127]


def test_slices_and_parts_are_numpys() -> None:
    net = Net()
    given, cut = net.tensor([2, 4, 3]), net.tensor([2, 2, 3])
    lists = [net.constant(values) for values in ([0, 3, 2], [0, -5, 0], [1, -2, -1])]
    net.operator("STRIDED_SLICE", [given, *lists], [cut], begin_mask=0, end_mask=7)
    values = np.arange(24).reshape(2, 4, 3)
    found = Reference(imported(net.model([given], [cut]))).step({"t0": values})["t1"]
    assert found.tolist() == values[:, 3::-2, ::-1].tolist()


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_every_operator_that_is_understood_can_be_compiled() -> None:
    assert set(OPERATOR_IMPORTS) == set(OPERATOR_KINDS)


def test_an_operator_without_a_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: function for name, function in OPERATOR_IMPORTS.items() if name != "ADD"}
    monkeypatch.setattr(import_network_module, "OPERATOR_IMPORTS", known)
    with pytest.raises(UnsupportedError, match=r"operator 0 \(ADD version 1\), tensor 2 \(.t2.\): .*compiled yet"):
        imported(samples()["ADD"])
    assert imported(samples()["SUB"]).outputs


def test_a_real_tensor_inside_is_refused() -> None:
    net = Net()
    given, real = net.tensor([1, 2]), net.tensor([1, 2], "FLOAT32", None)
    again, made = net.tensor([1, 2]), net.tensor([1, 2])
    net.operator("DEQUANTIZE", [given], [real])
    net.operator("QUANTIZE", [real], [again])
    net.operator("RESHAPE", [again], [made], new_shape=[1, 2])
    with pytest.raises(UnsupportedError, match="must be an input or an output of the network"):
        imported(net.model([given], [made]))


def test_a_file_that_is_refused_is_named(tmp_path: Path) -> None:
    place = tmp_path / "model.tflite"
    place.write_bytes(b"TFL3TFL3 and nothing else")
    with pytest.raises(ModelError, match=r"model\.tflite"):
        load_tflite(place)


def test_activations_of_millions_of_elements_are_refused_at_once() -> None:
    net = Net()
    last = given = net.tensor([1, 1 << 18])
    for _ in range(6):
        following = net.tensor([1, 1 << 18])
        net.operator("RESHAPE", [last], [following], new_shape=[1, 1 << 18])
        last = following
    with pytest.raises(ModelError, match=r"operator 4 \(RESHAPE version 1\): all activations together must have at"):
        imported(net.model([given], [last]))


# ---- the judge -------------------------------------------------------------------------------------------------------


def one_layer(seed: int) -> tuple[bytes, AnyArray]:
    """A layer of each kind of rounding, and frames; scales as training gives them, and "nice" ones."""
    draw, net = np.random.default_rng(seed), Net()
    nice = seed % 2 == 0
    scales = [float(draw.choice([0.05, 0.011, 0.23])) if nice else float(draw.uniform(0.01, 0.3)) for _ in range(3)]
    per_channel = 6 if draw.random() < 0.5 else 1
    given = net.tensor([1, 3, 1, 5], scale=scales[0], zero=int(draw.integers(-128, 128)))
    made = net.tensor([1, 1, 1, 6], scale=scales[2], zero=int(draw.integers(-128, 128)))
    values = draw.integers(-127, 128, (6, 3, 1, 5)).astype(np.int8)
    factors = [scales[1] * (1 + place % 4) * float(draw.choice([0.1, 1, 9])) for place in range(per_channel)]
    matrix = net.tensor([6, 3, 1, 5], scale=factors, data=values)
    sums = [scales[0] * factor for factor in factors]
    start = net.tensor([6], "INT32", sums, data=draw.integers(-3000, 3000, 6).astype(np.int32))
    fused = int(draw.integers(0, 4))
    net.operator("CONV_2D", [given, matrix, start], [made], padding=1, stride_w=1, stride_h=1, fused_activation=fused)
    full = net.tensor([1, 4], scale=scales[1], zero=int(draw.integers(-128, 128)))
    rows = draw.integers(-127, 128, (4, 6)).astype(np.int8)
    net.operator("FULLY_CONNECTED", [made, net.tensor([4, 6], scale=scales[0] / 8, data=rows)], [full])
    frames = draw.integers(-128, 128, (300, 15)).astype(np.int8)
    return write(net.model([given], [full])), frames


@needs_judge
@pytest.mark.parametrize("seed", range(16))
def test_one_layer_is_that_of_the_kernels(seed: int) -> None:
    judged = JudgedNetwork(*one_layer(seed)[:1])
    assert judged.compare_all(one_layer(seed)[1]) == []
    assert judged.compared == 300 * 10


@needs_judge
def test_exact_is_the_product_in_float64() -> None:
    """1/6 in float64 is a little less than a sixth; three times that is a half only because the product is rounded."""
    net = Net()
    given, made = net.tensor([1, 1], scale=1.0), net.tensor([1, 1], scale=6.0)
    net.operator("FULLY_CONNECTED", [given, net.tensor([1, 1], scale=1.0, data=np.ones((1, 1), np.int8))], [made])
    judged = JudgedNetwork(write(net.model([given], [made])))
    assert judged.compare_all(np.arange(-128, 128).astype(np.int8).reshape(-1, 1)) == []
    assert [int(judged.outputs[value + 128][0]) for value in (-9, -3, 3, 9)] == [-2, -1, 1, 2]


@needs_judge
@pytest.mark.parametrize("seed", range(40))
def test_random_models_are_those_of_the_kernels(seed: int) -> None:
    model = random_model(seed)
    try:
        judged = JudgedNetwork(model.data)
    except UnsupportedError as error:
        pytest.skip(f"not compiled yet: {error}")
    assert judged.compare_all(model.frames) == []


@cache
def wakening(name: str, kernels: Kernels) -> tuple[JudgedNetwork, list[str]]:
    """A real model after speech of its own word."""
    data = real_models()[name]
    (given,) = read_model(data).graphs[0].inputs
    found = read_model(data).graphs[0].tensors[given].quantization
    assert found is not None
    voices = ["en-us", "en-gb", "en-us+f3"]
    words = [name.replace("_", " "), "and now something else"]
    frames = spoken_steps(words, voices, 120, float(found.scale[0]), int(found.zero_point[0]))
    judged = JudgedNetwork(data, kernels)
    return judged, judged.compare_all(frames)


@needs_judge
@needs_voice
@needs_frontend
@pytest.mark.slow
@pytest.mark.parametrize("name", REAL_MODELS)
@pytest.mark.parametrize("kernels", ["tflite", "xnnpack"])
def test_real_models_hear_the_same_speech(name: str, kernels: Kernels) -> None:
    judged, unequal = wakening(name, kernels)
    assert unequal == []
    assert judged.compared > (1_000_000 if kernels == "tflite" else 100)
    heard = np.concatenate(judged.outputs)
    assert heard.min() < 10
    assert heard.max() > (20 if name == "hey_jarvis" else 128)


@needs_judge
@pytest.mark.slow
@pytest.mark.parametrize("name", ["hey_jarvis", "okay_nabu"])
def test_real_models_are_the_same_on_climbed_frames(name: str) -> None:
    data = real_models()[name]
    judged = JudgedNetwork(data)
    assert judged.compare_all(climbed_steps(data, 400)) == []
    assert judged.compared > 300_000
