"""Which instructions operations become."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.build_threads import build_threads
from femtodriver.compiler.backend.symbolic_program import CodeLine
from femtodriver.compiler.fmir.ir import Fmir, Mac, Matrix, Post, View
from femtodriver.part import load_part
from tests.compiler.fmir_samples import SIZE, buffer, machine_outputs, network, outputs

POST = Post(-3, True, "saturate", 16)
WEIGHTS = Matrix("m0", np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 15 - 7, 4)


def product(bias: View | int, bias_shift: int = 2) -> Fmir:
    """A product with a bias, of two parts."""
    x = View("in0", 0, SIZE)
    mac = Mac(View("out0", 0, SIZE), (("m0", x), ("m0", x)), bias, bias_shift, POST)
    bias_values = buffer("const0", init=np.arange(SIZE) * 100 - 800)
    return network([buffer("in0"), buffer("out0"), bias_values], [mac], [WEIGHTS])


def names(fmir: Fmir, *, late_bias: bool) -> list[str]:
    """The instructions of the main thread, without its end."""
    maps = allocate(fmir, load_part())
    thread = build_threads(fmir, maps, late_bias=late_bias).cores[0].threads[-1]
    return [line.instruction.spec.name for line in thread.lines if isinstance(line, CodeLine)][:-2]


@pytest.mark.parametrize("bias", [View("const0", 0, SIZE), View("const0", 3, SIZE, 0), 7])
def test_a_bias_is_added_with_the_result_or_moved_first(bias: View | int) -> None:
    fmir = product(bias)
    assert names(fmir, late_bias=True) == ["mac", "mac", "vadd"]
    assert names(fmir, late_bias=False) == ["vpass", "mac", "mac", "vpass"]


@pytest.mark.parametrize("late_bias", [True, False])
def test_without_a_bias_the_first_product_begins_afresh(late_bias: bool) -> None:
    assert names(product(0), late_bias=late_bias) == ["mac", "mac", "vpass"]


@pytest.mark.parametrize("late_bias", [True, False])
@pytest.mark.parametrize("bias", [View("const0", 0, SIZE), View("const0", 3, SIZE, 0), -7, 0])
@pytest.mark.parametrize("shift", [-2, 0, 5])
def test_both_ways_give_the_same(bias: View | int, shift: int, late_bias: bool) -> None:
    fmir = product(bias, shift)
    assert machine_outputs(fmir, late_bias=late_bias) == outputs(fmir)
