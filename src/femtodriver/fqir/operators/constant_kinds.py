"""What a constant of an operator may be: declarations that validation, execution, lowering, documents and tests share.

An operator class declares its constants as class attributes; on a bound operator the attribute is
the checked value itself (``self.shamt_x`` is an int). A kind also says what is usual, which nothing checks:
``typical`` is the value in examples, ``usual`` the range that real networks have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Generic, TypeVar, overload

import numpy as np

from femtodriver.fqir.graph import Table

T = TypeVar("T")
Bounds = tuple[int, int]

MAX_SHIFT = 63
MAX_WIDTH = 32
MAX_COUNT = 1 << 20
MAX_EXPONENT = 256
MAX_AXES = 8
MAX_ADDRESS_BITS = 16
IMMEDIATE_LOW, IMMEDIATE_HIGH = -(1 << 31), (1 << 31) - 1

REQUIRED: Any = object()
OUTPUTS = "outputs"


class Constant(Generic[T]):
    """A named constant. ``expectation`` ends the sentence "NAME must be ..."; subclasses say what is accepted.

    Not a data descriptor: the bound operator keeps the value in its own ``__dict__`` under the same name,
    so that reading it per frame costs nothing.
    """

    expectation = "a value"
    name = ""

    def __init__(self, default: T = REQUIRED, typical: T = REQUIRED) -> None:
        self.default = default
        self.typical = typical

    @property
    def required(self) -> bool:
        """Whether the node must give this constant."""
        return self.default is REQUIRED

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Constant[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Constant[T] | T:
        if instance is None:
            return self
        raise AttributeError(self.name)  # only reached on an operator that was never bound

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is allowed."""
        raise NotImplementedError

    def convert(self, value: Any) -> T:
        """An accepted value as the operator keeps it."""
        kept: T = value
        return kept


def _is_integer(value: object, low: int, high: int) -> bool:
    """Whether ``value`` is a true integer (not a boolean, not a float) of the range."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class Integer(Constant[int]):
    """An integer from ``low`` to ``high``, both included."""

    def __init__(self, low: int, high: int, *, usual: Bounds | None = None, typical: int = REQUIRED) -> None:
        super().__init__(typical=typical)
        self.low, self.high = low, high
        self.usual = usual or (low, high)
        self.expectation = f"an integer from {low} to {high}"

    def accepts(self, value: object) -> bool:
        return _is_integer(value, self.low, self.high)


class ShiftAmount(Integer):
    """A shift count: positive left, negative right."""

    def __init__(self, typical: int = 0, usual: Bounds = (-9, 3)) -> None:
        super().__init__(-MAX_SHIFT, MAX_SHIFT, usual=usual, typical=typical)


class Width(Integer):
    """A width in bits to saturate to."""

    def __init__(self, low: int = 1, typical: int = 16) -> None:
        super().__init__(low, MAX_WIDTH, typical=typical)


class Immediate(Integer):
    """A 32-bit signed number."""

    def __init__(self, typical: int = 3) -> None:
        super().__init__(IMMEDIATE_LOW, IMMEDIATE_HIGH, typical=typical)


class Count(Integer):
    """A number of things, at most 2**20."""

    def __init__(self, low: int = 1, *, usual: Bounds = (1, 3), typical: int = REQUIRED) -> None:
        super().__init__(low, MAX_COUNT, usual=usual, typical=typical)


class Axis(Integer):
    """An axis of the inputs, negative from the end; with ``new`` an axis that the result has beside theirs."""

    def __init__(self, *, new: bool = False) -> None:
        super().__init__(-MAX_AXES, MAX_AXES - 1, typical=0)
        self.new = new


class OptionalShift(Constant["int | None"]):
    """A shift count, or None where the input ``of`` is absent."""

    expectation = f"an integer from {-MAX_SHIFT} to {MAX_SHIFT}, or None"

    def __init__(self, of: str, *, usual: Bounds = (-9, 3), typical: int = 0) -> None:
        super().__init__(typical=typical)
        self.of, self.usual = of, usual

    def accepts(self, value: object) -> bool:
        return value is None or _is_integer(value, -MAX_SHIFT, MAX_SHIFT)


class Flag(Constant[bool]):
    """True or false; 0 and 1 do not pass for booleans."""

    expectation = "a boolean"

    def __init__(self, default: bool = REQUIRED, typical: bool = False) -> None:
        super().__init__(default, typical)

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)


class Choice(Constant[str]):
    """One of a few words."""

    def __init__(self, choices: Collection[str], *, typical: str) -> None:
        super().__init__(typical=typical)
        self.choices = tuple(choices)
        self.expectation = f"one of {', '.join(self.choices)}"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and value in self.choices


class Exponent(Constant[float]):
    """An exponent of two: a real number of moderate size."""

    expectation = f"a number from {-MAX_EXPONENT} to {MAX_EXPONENT}"

    def __init__(self) -> None:
        super().__init__(typical=-3.0)

    def accepts(self, value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_EXPONENT


class Integers(Constant["tuple[int, ...]"]):
    """A list of integers from ``low`` to ``high``, at least ``least`` of them."""

    def __init__(self, low: int, high: int, *, least: int = 0, typical: tuple[int, ...] = REQUIRED) -> None:
        super().__init__(typical=typical)
        self.low, self.high, self.least = low, high, least
        some = f"at least {least} " if least else ""
        self.expectation = f"a list of {some}integers from {low} to {high}"

    def accepts(self, value: object) -> bool:
        if not isinstance(value, tuple) or len(value) < self.least:
            return False
        return all(_is_integer(item, self.low, self.high) for item in value)


class IntegerForEach(Integers):
    """An integer for each input of a family ("x_#"), or for each output (``OUTPUTS``); ``item`` is its kind."""

    def __init__(self, each: str, item: Integer, *, least: int = 0, usual: tuple[tuple[int, ...], ...] = ()) -> None:
        super().__init__(item.low, item.high, least=least)
        self.each, self.item, self.usual = each, item, usual


class ElementNumbers(Integers):
    """Numbers of elements of the first input, counted row by row."""

    def __init__(self) -> None:
        super().__init__(0, MAX_COUNT - 1)


class IntegerPerChannel(Integers):
    """An integer for each index of the last axis of x, or one for all."""

    def __init__(self, low: int, high: int, *, usual: Bounds, typical: tuple[int, ...]) -> None:
        super().__init__(low, high, least=1, typical=typical)
        self.usual = usual


class Mantissa(IntegerPerChannel):
    """Non-negative integers of at most as many bits as ``bits`` has for the choice that the constant ``of`` makes."""

    def __init__(self, of: str, bits: Mapping[str, int], *, typical: tuple[int, ...]) -> None:
        most = (1 << max(bits.values())) - 1
        super().__init__(0, most, usual=(0, most), typical=typical)
        self.of, self.bits = of, bits


class PartLengths(Integers):
    """A length for each output; together they cover an axis."""

    def __init__(self) -> None:
        super().__init__(0, 1 << 62)


class Sizes(Integers):
    """A shape. With ``fitting`` it has as many elements as the input, and one size may be -1."""

    def __init__(self, *, fitting: bool = False) -> None:
        super().__init__(-1 if fitting else 0, MAX_COUNT)
        self.fitting = fitting


class FlagForEach(Constant["tuple[bool, ...]"]):
    """A boolean for each input of a family, or for each output."""

    expectation = "a list of booleans"

    def __init__(self, each: str) -> None:
        super().__init__()
        self.each = each

    def accepts(self, value: object) -> bool:
        return isinstance(value, tuple) and all(isinstance(item, bool) for item in value)


class Axes(Constant["tuple[int, ...]"]):
    """One axis, or a tuple of different axes."""

    expectation = "an axis or a tuple of axes from -8 to 7"

    def accepts(self, value: object) -> bool:
        axes = value if isinstance(value, tuple) else (value,)
        return all(_is_integer(axis, -MAX_AXES, MAX_AXES - 1) for axis in axes)

    def convert(self, value: Any) -> tuple[int, ...]:
        return value if isinstance(value, tuple) else (value,)


class LookupTable(Constant[Table]):
    """A table of addresses and values; the constant named ``bits`` has the width of the addresses."""

    expectation = "a table"

    def __init__(self, bits: str) -> None:
        addresses = np.arange(-128, 128)
        super().__init__(typical=Table("f", addresses, addresses << 7))
        self.bits = bits

    def accepts(self, value: object) -> bool:
        return isinstance(value, Table)


class Ignored(Constant[Any]):
    """A constant that producers write and nobody reads: any value, may be missing."""

    expectation = "anything"

    def __init__(self) -> None:
        super().__init__(None)

    def accepts(self, value: object) -> bool:
        return True
