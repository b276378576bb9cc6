"""Random constants of nodes, by the kind that an operator declares: most are usual, some are extreme."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.fqir.graph import Table
from femtodriver.fqir.operators import constant_kinds as kinds
from femtodriver.fqir.operators.constant_kinds import Constant
from femtodriver.fqir.operators.operator import Operator, Shape
from tests.agree.random_numbers import Numbers

ABSENT = object()
JUNK: tuple[Any, ...] = (8, 16, "f", None)


@dataclass
class Sketch:
    """A node to be: shapes of its inputs, and the constants so far."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> Shape:
        """The shape of the first input; that of a number if there is none."""
        return next(iter(self.shapes.values()), ())

    def members(self, family: str) -> int:
        """How many inputs of a family ("x#") there are."""
        stem = family.rstrip("#")
        return sum(name.startswith(stem) and name[len(stem) :].isdigit() for name in self.shapes)


Draws = Callable[[Numbers, Any, Sketch], Any]


def _integer(draw: Numbers, kind: kinds.Integer, sketch: Sketch) -> int:
    low, high = kind.usual
    return draw.integer(low, high) if draw.chance(0.9) else draw.integer(kind.low, min(kind.high, high + 2))


def _count(draw: Numbers, kind: kinds.Count, sketch: Sketch) -> int:
    return draw.integer(*kind.usual)


def _shift(draw: Numbers, kind: kinds.ShiftAmount, sketch: Sketch) -> int:
    return draw.shift(*kind.usual)


def _width(draw: Numbers, kind: kinds.Width, sketch: Sketch) -> int:
    return max(kind.low, draw.width())


def _immediate(draw: Numbers, kind: kinds.Immediate, sketch: Sketch) -> int:
    return draw.immediate()


def _axis(draw: Numbers, kind: kinds.Axis, sketch: Sketch) -> int:
    rank = max(1, len(sketch.first) + kind.new)
    axis = draw.integer(0, rank - 1)
    return axis - rank if draw.chance(0.5) else axis


def _optional_shift(draw: Numbers, kind: kinds.OptionalShift, sketch: Sketch) -> int | None:
    return draw.shift(*kind.usual) if kind.of in sketch.shapes or draw.chance(0.3) else None


def _flag(draw: Numbers, kind: kinds.Flag, sketch: Sketch) -> Any:
    return ABSENT if not kind.required and draw.chance(0.2) else draw.chance(0.5)


def _exponent(draw: Numbers, kind: kinds.Exponent, sketch: Sketch) -> float:
    return float(draw.integer(-16, 4))


def _integers(draw: Numbers, kind: kinds.Integers, sketch: Sketch) -> tuple[int, ...]:
    return tuple(draw.integer(kind.low, min(kind.high, 9)) for _ in range(draw.integer(kind.least, kind.least + 2)))


def _choice(draw: Numbers, kind: kinds.Choice, sketch: Sketch) -> str:
    return draw.pick(kind.choices)


def _channels(draw: Numbers, sketch: Sketch) -> int:
    """How many numbers there are: one, or one for each index of the last axis."""
    return 1 if draw.chance(0.4) or not sketch.first else max(1, sketch.first[-1])


def _integer_per_channel(draw: Numbers, kind: kinds.IntegerPerChannel, sketch: Sketch) -> tuple[int, ...]:
    low, high = (kind.low, kind.high) if draw.chance(0.1) else kind.usual
    first = draw.integer(low, high)
    return tuple(max(low, first - draw.integer(0, 4)) for _ in range(_channels(draw, sketch)))


def _mantissa(draw: Numbers, kind: kinds.Mantissa, sketch: Sketch) -> tuple[int, ...]:
    """Most have all their bits, some only few, as "nice" scales give them."""
    bits = kind.bits[sketch.constants[kind.of]]
    low, high = 1 << (bits - 1), (1 << bits) - 1
    simple = [round(low * share) for share in (1, 4 / 3, 1.5, 1.6, 12 / 7)]
    return tuple(
        draw.integer(low, high) if draw.chance(0.8) else draw.pick([*simple, high, 0])
        for _ in range(_channels(draw, sketch))
    )


def _element_numbers(draw: Numbers, kind: kinds.ElementNumbers, sketch: Sketch) -> tuple[int, ...]:
    """A part in its order, or any elements in any order."""
    size = prod(sketch.first)
    if not size:
        return ()
    first = draw.integer(0, size - 1)
    if draw.chance(0.5):
        return tuple(range(first, draw.integer(first, size - 1) + 1))
    return tuple(draw.integer(0, size - 1) for _ in range(draw.integer(0, min(size, 12))))


def _integer_for_each(draw: Numbers, kind: kinds.IntegerForEach, sketch: Sketch) -> tuple[int, ...]:
    if kind.usual and draw.chance(0.8):
        return draw.pick(kind.usual)
    count = draw.integer(kind.least, 4) if kind.each == kinds.OUTPUTS else sketch.members(kind.each)
    return tuple(drawn(draw, kind.item, sketch) for _ in range(count))


def _flag_for_each(draw: Numbers, kind: kinds.FlagForEach, sketch: Sketch) -> tuple[bool, ...]:
    count = draw.integer(0, 3) if kind.each == kinds.OUTPUTS else sketch.members(kind.each)
    return tuple(draw.chance(0.4) for _ in range(count))


def _part_lengths(draw: Numbers, kind: kinds.PartLengths, sketch: Sketch) -> tuple[int, ...]:
    """Parts of any lengths, empty ones too."""
    rest, lengths = (sketch.first or (0,))[0], []
    for _ in range(draw.integer(0, 3)):
        lengths.append(draw.integer(0, rest))
        rest -= lengths[-1]
    return (*lengths, rest)


def _sizes(draw: Numbers, kind: kinds.Sizes, sketch: Sketch) -> Shape:
    if not kind.fitting:
        return draw.pick([(), (draw.any_size(),), (draw.any_size(),), (draw.integer(1, 4), draw.integer(1, 9))])
    size = prod(sketch.first)
    rows = draw.pick([count for count in range(1, 9) if size % count == 0])
    shapes: list[Shape] = [(size,), (rows, size // rows), (rows, size // rows)]
    shapes += [(-1,), (rows, -1), (1, -1)] if size else []
    return draw.pick([*shapes, ()] if size == 1 else shapes)


def _axes(draw: Numbers, kind: kinds.Axes, sketch: Sketch) -> Any:
    rank = len(sketch.first)
    axes = [axis - rank if draw.chance(0.5) else axis for axis in range(rank) if draw.chance(0.6)]
    return axes[0] if len(axes) == 1 and draw.chance(0.5) else tuple(axes)


def _table(draw: Numbers, kind: kinds.LookupTable, sketch: Sketch) -> Table:
    low, high = fixed.limits(sketch.constants[kind.bits])
    return Table("f", np.arange(low, high + 1), draw.array((high - low + 1,), draw.pick([8, 16])))


def _ignored(draw: Numbers, kind: kinds.Ignored, sketch: Sketch) -> Any:
    return draw.pick(JUNK) if draw.chance(0.3) else ABSENT


# The most special kinds first, since the first that fits is taken.
DRAWS: Mapping[type[Constant[Any]], Draws] = {
    kinds.ShiftAmount: _shift,
    kinds.Width: _width,
    kinds.Immediate: _immediate,
    kinds.Count: _count,
    kinds.Axis: _axis,
    kinds.Integer: _integer,
    kinds.Flag: _flag,
    kinds.Exponent: _exponent,
    kinds.Ignored: _ignored,
    kinds.OptionalShift: _optional_shift,
    kinds.IntegerForEach: _integer_for_each,
    kinds.PartLengths: _part_lengths,
    kinds.Choice: _choice,
    kinds.ElementNumbers: _element_numbers,
    kinds.Mantissa: _mantissa,
    kinds.IntegerPerChannel: _integer_per_channel,
    kinds.Sizes: _sizes,
    kinds.Integers: _integers,
    kinds.FlagForEach: _flag_for_each,
    kinds.Axes: _axes,
    kinds.LookupTable: _table,
}
# Kinds that do not look at the sketch: shapes may depend on them.
FREE = (
    kinds.ShiftAmount,
    kinds.Width,
    kinds.Immediate,
    kinds.Count,
    kinds.Choice,
    kinds.Flag,
    kinds.Exponent,
    kinds.Ignored,
)


def kind_draws(kind: Constant[Any]) -> Draws | None:
    """How constants of a kind are drawn; None for a kind that nobody has taught us."""
    return next((draws for base, draws in DRAWS.items() if isinstance(kind, base)), None)


def drawn(draw: Numbers, kind: Constant[Any], sketch: Sketch) -> Any:
    """A constant of the kind, or ABSENT."""
    draws = kind_draws(kind)
    if draws is None:
        raise LookupError(f"{type(kind).__name__}: must be drawn by a function in DRAWS of random_constants.py.")
    return draws(draw, kind, sketch)


def add_constants(draw: Numbers, operator: type[Operator], sketch: Sketch, *, free: bool) -> None:
    """Draw the constants that shapes depend on (``free``), or then all others; tables last, since they need widths."""
    wanted = [name for name, kind in operator.constants.items() if isinstance(kind, FREE) == free]
    wanted = [name for name in wanted if name not in sketch.constants]
    for name in sorted(wanted, key=lambda name: isinstance(operator.constants[name], kinds.LookupTable)):
        value = drawn(draw, operator.constants[name], sketch)
        if value is not ABSENT:
            sketch.constants[name] = value


def size_of(text: str, known: Mapping[str, int], unknown: Callable[[str], int]) -> int:
    """The number that a size of a form stands for; ``unknown`` gives it for names that are not known."""
    return _evaluated(ast.parse(text, mode="eval").body, known, unknown)


def _evaluated(tree: ast.expr, known: Mapping[str, int], unknown: Callable[[str], int]) -> int:
    if isinstance(tree, ast.BinOp):
        first, second = (_evaluated(side, known, unknown) for side in (tree.left, tree.right))
        operation = {ast.Add: int.__add__, ast.Sub: int.__sub__, ast.Mult: int.__mul__}[type(tree.op)]
        return operation(first, second)
    if isinstance(tree, ast.Name):
        return known[tree.id] if tree.id in known else unknown(tree.id)
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
        return tree.value
    raise ValueError(f"a size must be made of numbers, names, +, - and *, not {ast.unparse(tree)}.")
