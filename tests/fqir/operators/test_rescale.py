"""rescale: figures by hand, the definition in fractions, and programs that give the same."""

from __future__ import annotations

import random
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest

from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import Vec
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.operators.rounding_modes import ROUNDING_BITS
from femtodriver.fqir.operators.rounding_steps import linear_rounding
from femtodriver.fqir.reference import Reference
from femtodriver.part import load_part
from tests.fqir.operators.rescale_oracle import BITS, rescaled
from tests.fqir.small_networks import applied, graph, network, node, tensor

HALF = {mode: 1 << (bits - 1) for mode, bits in BITS.items()}
LIMITS = [(-128, 127), (0, 255), (-121, 134), (-255, 0), (0, 100), (-50, 3), (5, 9), (-9, -2), (0, 0), (-300, 900)]


def one(mode: str, x: list[int], multiplier: int, exponent: int, low: int = -128, high: int = 127) -> Any:
    constants: dict[str, Any] = {
        "mode": mode,
        "multipliers": (multiplier,),
        "exponents": (exponent,),
        "low": low,
        "high": high,
    }
    return applied("rescale", {"x": x}, **constants)[0]


@pytest.mark.parametrize(
    ("mode", "halves"), [("double", [-2, -1, 1, 2]), ("exact", [-2, -1, 1, 2]), ("single", [-1, 0, 1, 2])]
)
def test_halves_are_rounded_as_the_mode_says(mode: str, halves: list[int]) -> None:
    """The multiplier is 1/8."""
    assert one(mode, [-12, -4, 4, 12], HALF[mode], -2) == halves


def test_two_roundings_are_not_one() -> None:
    """5 * 0.6 = 3 and 3 / 2 = 1.5; 3 * 0.3 = 0.9; 1 * 0.6 = 0.6 becomes 1, whose half is 1 again."""
    multiplier = round(0.6 * (1 << 31))
    assert one("double", [5, 3, 1, -1], multiplier, -1) == [2, 1, 1, -1]
    assert one("single", [5, 3, 1, -1], multiplier, -1) == [2, 1, 0, 0]


def test_exact_multiplies_in_float64() -> None:
    """3 * (1/6 in float64) is below a half, but the product in float64 is one."""
    mantissa = round(Fraction(1, 6) * (1 << 55))
    assert Fraction(3 * mantissa, 1 << 55) < Fraction(1, 2)
    assert one("exact", [3, -3, 2], mantissa, -2) == [1, -1, 0]


def test_multipliers_from_one_shift_the_accumulator_first() -> None:
    constants: dict[str, Any] = {
        "mode": "double",
        "multipliers": (3 << 29,),
        "exponents": (2,),
        "low": -128,
        "high": 127,
    }
    reference = Reference(rescaling([3], 30, constants))
    assert reference.step({"x": [3, -3, 100]})["y"].tolist() == [9, -9, 127]
    assert one("exact", [3, -3, 100], HALF["exact"] + (HALF["exact"] >> 1), 2) == [9, -9, 127]


def test_channels_are_the_last_axis() -> None:
    constants: dict[str, Any] = {
        "mode": "single",
        "multipliers": (1 << 30, 3 << 29),
        "exponents": (0, -1),
        "low": -128,
        "high": 127,
    }
    assert applied("rescale", {"x": [[8, 8], [-8, -8]]}, **constants) == [[[4, 3], [-4, -3]]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"multipliers": (1, 2)}, "one entry, or one for each index of the last axis of x, not 2 for x of .3."),
        ({"multipliers": (1 << 31,)}, "at most as many bits as those of their mode, not 32 for 31"),
        ({"low": 3, "high": 2}, "low must be at most high, not 3 and 2"),
        ({"exponents": (1,)}, "x must fit 32 bits, in the mode double also after the shift"),
        ({"mode": "loud"}, "constant mode must be one of double, exact, single, not"),
    ],
)
def test_what_means_nothing_is_refused(changed: dict[str, Any], message: str) -> None:
    known: dict[str, Any] = {
        "mode": "double",
        "multipliers": (1 << 30,),
        "exponents": (0,),
        "low": -128,
        "high": 127,
        **changed,
    }
    with pytest.raises(ModelError, match=message):
        Reference(rescaling([3], 32, known))


def rescaling(shape: list[int], bits: int, constants: dict[str, Any]) -> Network:
    x = tensor("x", shape, f"int{bits}")
    return network(graph([node("rescale", {"x": x}, ("y",), **constants)], (x,), ("y",)))


def multiplier(draw: random.Random, bits: int) -> int:
    """Any, or one that puts many products on or beside a half."""
    simple = round(Fraction((1 << bits) * draw.randint(3, 5), draw.choice([5, 6, 7, 9, 11])))
    edges = [0, 1 << (bits - 1), (1 << bits) - 1, 3 << (bits - 2), draw.randrange(1 << bits)]
    return draw.choice([draw.randrange(1 << (bits - 1), 1 << bits), min(simple, (1 << bits) - 1), *edges[:2], *edges])


def accumulators(draw: random.Random, real: Fraction, low: int, high: int, bits: int) -> int:
    """Most lie beside a step of the result."""
    least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if real and draw.random() < 0.8:
        beside = floor((draw.randint(low - 1, high + 1) - Fraction(1, 2)) / real) + draw.randint(-2, 2)
        return max(least, min(most, beside))
    return draw.choice([draw.randint(least, most), least, most, 0, 1, -1])


@pytest.mark.parametrize("mode", ROUNDING_BITS)
@pytest.mark.parametrize("seed", range(20))
def test_reference_and_program_are_the_definition(mode: str, seed: int) -> None:
    draw = random.Random(f"{mode} {seed}")
    channels, rows = draw.choice([1, 3, 17]), draw.choice([1, 1, 4])
    first, spread = draw.randint(-14, 2) if draw.random() < 0.8 else draw.randint(-31, 30), draw.choice([0, 1, 3, 12])
    exponents = [max(-31, min(30, first - draw.randint(0, spread))) for _ in range(channels)]
    multipliers = [multiplier(draw, BITS[mode]) for _ in range(channels)]
    low, high = draw.choice(LIMITS)
    bits = min(32 - (max(0, *exponents) if mode == "double" else 0), draw.choice([18, 24, 24, 32]))
    constants: dict[str, Any] = {"mode": mode, "multipliers": tuple(multipliers), "exponents": tuple(exponents)}
    made = rescaling([rows, channels], bits, {**constants, "low": low, "high": high})
    reference, executor = Reference(made), FmirExecutor(lower_network(made, load_part("spu001")))
    reals = [Fraction(m) * Fraction(2) ** (e - BITS[mode]) for m, e in zip(multipliers, exponents, strict=True)]
    for _ in range(40):
        x = [[accumulators(draw, real, low, high, bits) for real in reals] for _ in range(rows)]
        pairs = list(zip(multipliers, exponents, strict=True))
        wanted = [
            [min(max(rescaled(mode, value, *pair), low), high) for value, pair in zip(row, pairs, strict=True)]
            for row in x
        ]
        frame = {"x": np.array(x)}
        assert reference.step(frame)["y"].tolist() == wanted
        assert executor.step(frame)["y"].reshape(rows, channels).tolist() == wanted


@pytest.mark.parametrize(
    ("bits", "exponents", "multipliers", "fused"),
    [
        (24, (-9, -12), (1 << 30, 3 << 29), True),
        (25, (-9, -12), (1 << 30, 3 << 29), False),
        (24, (-9, -13), (1 << 30, 3 << 29), False),
        (24, (-9, -12), (1 << 30, 1 << 29), False),
    ],
)
def test_one_instruction_does_it_where_it_can(
    bits: int, exponents: tuple[int, ...], multipliers: tuple[int, ...], fused: bool
) -> None:
    constants = {"mode": "double", "multipliers": multipliers, "exponents": exponents, "low": -128, "high": 127}
    fmir = lower_network(rescaling([2], bits, constants), load_part("spu001"))
    operations = [op.op for op in fmir.ops if isinstance(op, Vec)]
    assert (operations == ["vscale", "vpass"]) == fused  # into the output
    assert ("vscale" in operations) == fused


def test_most_multipliers_need_no_correction() -> None:
    """Of 300 as layers have them, for results of 8 bits."""
    draw = np.random.default_rng(5)
    reals = np.exp(draw.uniform(np.log(1e-4), np.log(0.1), 300))
    fractions, exponents = np.frexp(reals)
    mantissas = np.ldexp(fractions, 53).astype(np.int64)
    found = [
        linear_rounding(
            "exact", mantissas[place : place + 1], exponents[place : place + 1].astype(np.int64), -128, 127, 64
        )
        for place in range(300)
    ]
    corrected = sum(bool(form.corrections[0]) for form in found if form is not None)
    assert None not in found
    assert corrected < 10


def test_sixteen_bits_of_result_may_be_too_many() -> None:
    constants = {"multipliers": (0x16A09E667F3BCD,), "exponents": (-15,), "low": -32768, "high": 32767}
    made = rescaling([4], 32, {"mode": "exact", **constants})
    with pytest.raises(UnsupportedError, match="mode exact must differ from one multiplication in at most 64"):
        lower_network(made, load_part("spu001"))
