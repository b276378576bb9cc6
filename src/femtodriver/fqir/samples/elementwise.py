"""Samplers of elementwise operators: arithmetic, comparisons, logic, tables."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.fqir.graph import Table
from femtodriver.fqir.samples.draw import Draw, Sampler

ORDINARY, RARE = 1.0, 0.4
_PAIR_TESTS = ("vvgt", "vvge", "vvlt", "vvle", "vveq", "vvand", "vvor", "vvxor")
_IMMEDIATE_TESTS = ("vigt", "vige", "vilt", "vile", "vieq", "viand", "vior", "vixor")


def aligned(draw: Draw, op: str) -> None:
    """vvadd, vvsub, viadd: two alignments, one shift of the result."""
    inputs = {"x": draw.value()} if op == "viadd" else dict(zip(("x", "y"), draw.pair(), strict=True))
    constants: dict[str, Any] = {"shamt_x": draw.shift(), "shamt_y": draw.shift(), "shamt_bwred": draw.shift()}
    if op == "viadd":
        constants["y"] = draw.immediate()
    _finish(draw, op, inputs, constants)


def product(draw: Draw, op: str) -> None:
    """vvmul, vimul."""
    constants: dict[str, Any] = {"shamt_bwred": draw.shift(-16, 2)}
    if op == "vimul":
        _finish(draw, op, {"x": draw.value()}, constants | {"y": draw.immediate()})
    else:
        _finish(draw, op, dict(zip(("x", "y"), draw.pair(), strict=True)), constants)


def shift(draw: Draw) -> None:
    """A change of scale or width."""
    _finish(draw, "shift", {"x": draw.value()}, {"shamt": draw.shift()})


def _finish(draw: Draw, op: str, inputs: dict[str, Any], constants: dict[str, Any]) -> None:
    bw = draw.width()
    draw.node(op, inputs, [bw], {**constants, "bw": bw, **draw.rounded()})


def vneg(draw: Draw) -> None:
    """Negation."""
    bw = draw.width()
    draw.node("vneg", {"x": draw.value()}, [bw], {"bw": bw})


def relu(draw: Draw) -> None:
    """The positive part."""
    x = draw.value()
    draw.node("relu", {"x": x}, [x.bits or 32])


def extreme(draw: Draw, op: str) -> None:
    """vvmax, vvmin."""
    x, y = draw.pair()
    draw.node(op, {"x": x, "y": y}, [max(x.bits or 32, y.bits or 32)])


def gt0(draw: Draw) -> None:
    """Positive or not."""
    draw.node("gt0", {"x": draw.value()}, [8], {"bw": draw.width()})


def pair_test(draw: Draw, op: str) -> None:
    """Comparisons and logic of two operands."""
    x, y = draw.pair()
    draw.node(op, {"x": x, "y": y}, [8])


def immediate_test(draw: Draw, op: str) -> None:
    """Comparisons and logic with an immediate."""
    draw.node(op, {"x": draw.value()}, [8], {"imm": draw.immediate()})


def i24_bool_mul(draw: Draw) -> None:
    """A value times a boolean: the result must fit 32 bits, since nothing saturates it."""
    x = draw.value(lambda tensor: (tensor.bits or 32) <= 24)
    (flags,) = draw.node("gt0", {"x": draw.like(x.shape)}, [8], {"bw": 8})
    bits = x.bits or 32
    amount = min(draw.shift(), 32 - bits)
    constants = {"shamt": amount, "rounded": draw.chance(0.5)}
    draw.node("temp_i24_bool_mul", {"x": x, "y_bool": flags}, [min(32, max(bits + amount, 1) + 1)], constants)


def lut(draw: Draw) -> None:
    """A table of 8- or 16-bit values, nearly always for 8-bit addresses."""
    address_bits = 8 if draw.chance(0.9) else draw.integer(1, 10)
    low, high = fixed.limits(address_bits)
    bits = draw.pick([8, 16])
    table = Table("f", np.arange(low, high + 1), draw.array((high - low + 1,), bits))
    shamt = 0 if draw.chance(0.8) else draw.shift()
    constants = {"shamt_address": shamt, "bw_address": address_bits, "table": table, "function": "f"}
    draw.node("lut", {"x": draw.value()}, [bits], constants)


SAMPLERS: dict[str, tuple[Sampler, float]] = {
    "vvadd": (partial(aligned, op="vvadd"), 2.0),
    "vvsub": (partial(aligned, op="vvsub"), ORDINARY),
    "viadd": (partial(aligned, op="viadd"), ORDINARY),
    "vvmul": (partial(product, op="vvmul"), 2.0),
    "vimul": (partial(product, op="vimul"), ORDINARY),
    "shift": (shift, ORDINARY),
    "vneg": (vneg, RARE),
    "relu": (relu, RARE),
    "vvmax": (partial(extreme, op="vvmax"), RARE),
    "vvmin": (partial(extreme, op="vvmin"), RARE),
    "gt0": (gt0, RARE),
    **{op: (partial(pair_test, op=op), RARE / 2) for op in _PAIR_TESTS},
    **{op: (partial(immediate_test, op=op), RARE / 2) for op in _IMMEDIATE_TESTS},
    "temp_i24_bool_mul": (i24_bool_mul, RARE / 4),
    "lut": (lut, ORDINARY),
}
