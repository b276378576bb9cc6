"""Pictures row by row: the same numbers as without a loop, and programs that do not grow with the picture."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.compiler.pipeline import compile_network
from femtodriver.tflite.import_network import import_network
from femtodriver.tflite.picture_strip import Strip
from tests.agree.agreement import EXACT, SHARED
from tests.tflite.compared_runs import PART, agreed, compared
from tests.tflite.growing_net import RELU, SAME, VALID, GrowingNet
from tests.tflite.litert_judge import needs_judge
from tests.tflite.tflite_writer import write
from tests.tflite.tiny_shapes import TINY_SHAPES, tiny_model


def test_rows_inside_need_no_padding_and_whole_steps() -> None:
    whole = Strip(first=0, rows=9, results=9, above=1, below=1, stride=1, reach=3)
    assert whole.inside == (1, 8)
    assert whole.part(0, 1) == Strip(0, 2, 1, 1, 0, 1, 3)
    assert whole.part(8, 9) == Strip(7, 2, 1, 0, 1, 1, 3)
    assert whole.part(1, 8) == Strip(0, 9, 7, 0, 0, 1, 3)
    # two rows at a time, three of which a window reaches: the last step would reach row 9
    assert Strip(first=0, rows=9, results=4, above=0, below=0, stride=2, reach=3).inside == (0, 3)


def model(side: int, stride: int, padding: int, kind: str) -> bytes:
    """One convolution or pool of a picture."""
    net = GrowingNet(np.random.default_rng(side))
    given = net.input([1, side, side, 8])
    strides = (stride, stride)
    if kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return write(net.model([given], [net.pool(kind, given, (2, 3), stride=stride, padding=padding)]))
    if kind == "depthwise":
        made = net.depthwise(given, (3, 3), strides=strides, padding=padding, activation=RELU)
    else:
        size = (3, 2) if kind == "full" else (1, 1)
        made = net.convolution(given, size, 8, strides=strides, padding=padding, activation=RELU)
    return write(net.model([given], [made]))


@needs_judge
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["full", "pointwise", "depthwise", "MAX_POOL_2D", "AVERAGE_POOL_2D"])
@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_pictures_in_loops_are_the_judges(kind: str, padding: int, stride: int) -> None:
    for side in (13, 16):
        data = model(side, stride, padding, kind)
        frames = list(np.random.default_rng(3).integers(-128, 128, (2, side * side * 8)).astype(np.int8))
        assert compared(data, frames).wrong == ()
        assert agreed(data, frames).kind in (EXACT, SHARED)


def test_a_program_does_not_grow_with_the_rows_of_the_picture() -> None:
    words = [
        sum(
            compile_network(import_network(model(side, 1, SAME, "depthwise"), "m"), PART)
            .data.info()
            .inst_counts.values()
        )
        for side in (12, 24)
    ]
    assert words[1] < 1.2 * words[0]


@needs_judge
@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoencoder", "keyword_spotter", "person_detector"])
def test_networks_of_known_shapes_are_the_judges_on_every_tensor(name: str) -> None:
    data = tiny_model(TINY_SHAPES[name])
    network = import_network(data, name)
    frames = list(np.random.default_rng(1).integers(-128, 128, (1, network.inputs[0].size)).astype(np.int8))
    found = compared(data, frames)
    assert found.wrong == ()
    assert found.tensors > 8
    assert compile_network(network, PART).data.info().inst_counts
