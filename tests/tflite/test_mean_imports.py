"""MEAN, in the arithmetic of both sets of kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.agree.agreement import EXACT, SHARED
from tests.tflite.compared_runs import agreed, compared
from tests.tflite.litert_judge import Kernels, needs_judge
from tests.tflite.tflite_writer import Net, write


def model(shape: Sequence[int], axes: Sequence[int], scales: tuple[float, float], zeros: tuple[int, int]) -> bytes:
    net = Net()
    given = net.tensor(shape, scale=scales[0], zero=zeros[0])
    kept = [size for axis, size in enumerate(shape) if axis not in axes]
    result = net.tensor(kept, scale=scales[1], zero=zeros[1])
    net.operator("MEAN", [given, net.constant(list(axes))], [result], keep_dims=False)
    return write(net.model([given], [result]))


@needs_judge
@pytest.mark.parametrize("kernels", ["tflite", "xnnpack"])
@pytest.mark.parametrize("axes", [[1, 2], [1], [2]])
@pytest.mark.parametrize(
    ("scales", "zeros"), [((0.1, 0.1), (17, 17)), ((0.1, 0.1), (-128, -128)), ((0.0731, 0.0431), (3, -9))]
)
def test_means_round_as_the_judges_do(
    kernels: Kernels, axes: list[int], scales: tuple[float, float], zeros: tuple[int, int]
) -> None:
    """With equal scales, two and four elements have many halves, which the kernels round in different ways."""
    shape = [1, 4, 2, 16]
    frames = np.random.default_rng(len(axes)).integers(-128, 128, (40, 4 * 2 * 16)).astype(np.int8)
    data = model(shape, axes, scales, zeros)
    assert compared(data, list(frames), kernels).wrong == ()
    assert agreed(data, list(frames[:2]), kernels).kind in (EXACT, SHARED)
