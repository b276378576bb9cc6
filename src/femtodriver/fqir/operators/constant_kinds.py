"""What a constant of an operator may be: declarations that validation, execution and lowering share.

An operator class declares its constants as class attributes; on a bound operator the attribute is
the checked value itself (``self.shamt_x`` is an int).
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, overload

from femtodriver.fqir.graph import Table

T = TypeVar("T")

MAX_SHIFT = 63
MAX_WIDTH = 32
MAX_COUNT = 1 << 20
MAX_EXPONENT = 256
IMMEDIATE_LOW, IMMEDIATE_HIGH = -(1 << 31), (1 << 31) - 1

REQUIRED: Any = object()


class Constant(Generic[T]):
    """A named constant. ``expectation`` ends the sentence "NAME must be ..."; subclasses say what is accepted.

    Not a data descriptor: the bound operator keeps the value in its own ``__dict__`` under the same name,
    so that reading it per frame costs nothing.
    """

    expectation = "a value"
    name = ""

    def __init__(self, default: T = REQUIRED) -> None:
        self.default = default

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

    def __init__(self, low: int, high: int, default: int = REQUIRED) -> None:
        super().__init__(default)
        self.low, self.high = low, high
        self.expectation = f"an integer from {low} to {high}"

    def accepts(self, value: object) -> bool:
        return _is_integer(value, self.low, self.high)


def shift_amount() -> Integer:
    """A shift count: positive left, negative right."""
    return Integer(-MAX_SHIFT, MAX_SHIFT)


def width() -> Integer:
    """A width in bits to saturate to."""
    return Integer(1, MAX_WIDTH)


def immediate() -> Integer:
    """A 32-bit signed number."""
    return Integer(IMMEDIATE_LOW, IMMEDIATE_HIGH)


def count(low: int = 1) -> Integer:
    """A number of things, at most 2**20."""
    return Integer(low, MAX_COUNT)


class OptionalShift(Constant["int | None"]):
    """A shift count, or None where the thing to shift is absent."""

    expectation = f"an integer from {-MAX_SHIFT} to {MAX_SHIFT}, or None"

    def accepts(self, value: object) -> bool:
        return value is None or _is_integer(value, -MAX_SHIFT, MAX_SHIFT)


class Flag(Constant[bool]):
    """True or false; 0 and 1 do not pass for booleans."""

    expectation = "a boolean"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)


class Exponent(Constant[float]):
    """An exponent of two: a real number of moderate size."""

    expectation = f"a number from {-MAX_EXPONENT} to {MAX_EXPONENT}"

    def accepts(self, value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_EXPONENT


class Integers(Constant["tuple[int, ...]"]):
    """A list of integers from ``low`` to ``high``, at least ``least`` of them."""

    def __init__(self, low: int, high: int, least: int = 0) -> None:
        super().__init__()
        self.low, self.high, self.least = low, high, least
        some = f"at least {least} " if least else ""
        self.expectation = f"a list of {some}integers from {low} to {high}"

    def accepts(self, value: object) -> bool:
        if not isinstance(value, tuple) or len(value) < self.least:
            return False
        return all(_is_integer(item, self.low, self.high) for item in value)


class Flags(Constant["tuple[bool, ...]"]):
    """A list of booleans."""

    expectation = "a list of booleans"

    def accepts(self, value: object) -> bool:
        return isinstance(value, tuple) and all(isinstance(item, bool) for item in value)


class Axes(Constant["tuple[int, ...]"]):
    """One axis, or a tuple of axes."""

    expectation = "an axis or a tuple of axes from -8 to 7"

    def accepts(self, value: object) -> bool:
        axes = value if isinstance(value, tuple) else (value,)
        return all(_is_integer(axis, -8, 7) for axis in axes)

    def convert(self, value: Any) -> tuple[int, ...]:
        return value if isinstance(value, tuple) else (value,)


class LookupTable(Constant[Table]):
    """A table of addresses and values."""

    expectation = "a table"

    def accepts(self, value: object) -> bool:
        return isinstance(value, Table)


class Ignored(Constant[Any]):
    """A constant that producers write and nobody reads: any value, may be missing."""

    expectation = "anything"

    def __init__(self) -> None:
        super().__init__(None)

    def accepts(self, value: object) -> bool:
        return True
