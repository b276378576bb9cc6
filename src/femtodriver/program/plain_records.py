"""Frozen records from plain data (of YAML or JSON) and back, as the fields of their classes say.

A field may be a whole number from 0, text, a plain value of any of these kinds (``PlainValue``), a record, a tuple or
a mapping of such, or one of them or None. Keys that no field has are left alone; a field that is missing has its
default, and must have one. None is left out when plain data are made.
"""

from __future__ import annotations

import functools
import reprlib
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from femtodriver.errors import ProgramError

PlainValue = bool | int | float | str | None
Record = TypeVar("Record")


def to_plain(value: object) -> Any:
    """Mappings, lists and scalars of a record, in the order of its fields."""
    if is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: to_plain(item) for name, item in found.items() if item is not None}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    return [to_plain(item) for item in value] if isinstance(value, tuple) else value


def from_plain(kind: type[Record], value: object, where: str) -> Record:
    """The record of class ``kind`` in plain data. Raises ProgramError that names the place in them."""
    record: Record = _record(kind, value, f"{where}: ", "")
    return record


def _read(kind: Any, value: object, where: str, path: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _SCALARS:
        wanted, fits = _SCALARS[kind]
        if fits(value):
            return value
        raise _wrong(where, path, wanted, value)
    if is_dataclass(kind):
        return _record(kind, value, where, path)
    if origin is types.UnionType:
        return None if value is None else _read(inner[0], value, where, path)
    if origin is tuple:
        return _tuple(inner, value, where, path)
    return _mapping(inner, value, where, path)


def _record(kind: Any, value: object, where: str, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(where, path, "a mapping", value)
    given = {}
    for name, (field, hint) in _fields(kind).items():
        here = f"{path}.{name}" if path else name
        if name in value:
            given[name] = _read(hint, value[name], where, here)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ProgramError(f"{where}{here}: must be there, but is missing.")
    return kind(**given)


@functools.cache
def _fields(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind)}


def _tuple(inner: tuple[Any, ...], value: object, where: str, path: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise _wrong(where, path, "a list", value)
    kinds = (inner[0],) * len(value) if inner[-1] is Ellipsis else inner
    if len(value) != len(kinds):
        raise _wrong(where, path, f"a list of {len(kinds)}", value)
    pairs = zip(kinds, value, strict=True)
    return tuple(_read(kind, item, where, f"{path}[{place}]") for place, (kind, item) in enumerate(pairs))


def _mapping(inner: tuple[Any, ...], value: object, where: str, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(where, path, "a mapping", value)
    found = {}
    for key, item in value.items():
        # JSON turns numbers as keys into text; both forms are welcome.
        number = inner[0] is int and isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10
        name = _read(inner[0], int(key) if number else key, where, f"{path}: a key")
        found[name] = _read(inner[1], item, where, f"{path}[{reprlib.repr(name)}]")
    return found


def _wrong(where: str, path: str, wanted: str, value: object) -> ProgramError:
    return ProgramError(f"{where}{path}{': ' if path else ''}must be {wanted}, not {reprlib.repr(value)}.")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_SCALARS: dict[Any, tuple[str, Any]] = {
    int: ("a whole number that is not negative", _is_count),
    str: ("text", lambda value: isinstance(value, str)),
    PlainValue: ("a plain value", lambda value: isinstance(value, PlainValue)),
}
