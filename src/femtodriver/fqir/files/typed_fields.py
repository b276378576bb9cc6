"""Typed access to the attributes of records: each function returns the right type or says what is wrong."""

from __future__ import annotations

import math

from femtodriver.errors import ModelError
from femtodriver.fqir.files.passive_records import Record
from femtodriver.safe_text import describe, quote

MAX_NAME = 1000
_MAX_QUANTA = 1000.0
_MISSING = object()

State = dict[str, object]


def state_of(value: object, kind: str, where: str) -> State:
    """The attributes of a record of that kind ("graph", "node", "tensor", ...)."""
    if type(value) is not Record or value.marker.kind != kind:
        article = "an" if kind[0] in "aeiou" else "a"
        raise ModelError(f"{where}: must be {article} {kind}, not {describe(value)}.")
    if value.state is None:
        raise ModelError(f"{where}: the {kind} must have attributes, but its state is missing.")
    return value.state


def required(state: State, key: str, where: str) -> object:
    """An attribute that every file has."""
    value = state.get(key, _MISSING)
    if value is _MISSING:
        raise ModelError(f"{where}: the attribute {key!r} must be present; the file is damaged or from another tool.")
    return value


def text_of(value: object, where: str, limit: int = MAX_NAME) -> str:
    """A text of at most ``limit`` characters."""
    if type(value) is not str:
        raise ModelError(f"{where}: must be text, not {describe(value)}.")
    if len(value) > limit:
        raise ModelError(f"{where}: must have at most {limit} characters, not {len(value)}.")
    return value


def list_of(value: object, where: str) -> list[object]:
    """A list."""
    if type(value) is not list:
        raise ModelError(f"{where}: must be a list, not {describe(value)}.")
    return value


def dict_of(value: object, where: str) -> State:
    """A dict (keys of a file's dicts are always text)."""
    if type(value) is not dict:
        raise ModelError(f"{where}: must be a dict, not {describe(value)}.")
    for key in value:
        if len(key) > MAX_NAME:
            raise ModelError(f"{where}: {quote(key, 20)} must have at most {MAX_NAME} characters.")
    return value


def bool_of(value: object, where: str) -> bool:
    """True or False, not 1 or 0."""
    if type(value) is not bool:
        raise ModelError(f"{where}: must be True or False, not {describe(value)}.")
    return value


def optional_int(value: object, where: str, limit: int) -> int | None:
    """None, or a whole number from 0 to ``limit``."""
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= limit:
        raise ModelError(f"{where}: must be None or a whole number from 0 to {limit}, not {describe(value)}.")
    return value


def optional_quanta(value: object, where: str) -> float | None:
    """None, or a scale exponent: a number whose power of two is a normal float."""
    if value is None:
        return None
    if (type(value) is not int and type(value) is not float) or not abs(value) <= _MAX_QUANTA:  # also refuses NaN
        raise ModelError(f"{where}: must be None or a number from -1000 to 1000, not {describe(value)}.")
    return float(value)


def finite(value: float, where: str) -> float:
    """A real number that is neither infinite nor NaN."""
    if not math.isfinite(value):
        raise ModelError(f"{where}: must be a finite number, not {value}.")
    return value
