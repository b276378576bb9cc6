"""Rows as arrays of numbers, in the order of the structure of ``records.hpp``.

A table says which column comes from which attribute of a row, so that a program becomes numbers row by row in one call
for each row, and operand by operand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.isa import SPECS, Kind, cycles
from femtodriver.machine.rows import (
    ControlRow,
    DecodedRow,
    ElementRow,
    FaultRow,
    InstructionRow,
    InterpolateRow,
    LookupRow,
    MatrixRow,
    OperandRow,
    StreamRow,
    TransferRow,
    VectorRow,
)

_OPERAND = ("kind", "bits", "base", "value", "length")
ROW_FIELDS = (
    *("kind", "pc", "next_pc", "ahead", "streams", "fixed_cycles", "elements", "start", "moving"),
    *(f"{operand}_{field}" for operand in ("dst", "a", "b") for field in _OPERAND),
    *("op", "shift_a", "shift_b", "shift", "rounded", "clip", "low", "high", "mask", "lane_passes", "copies", "tables"),
    *("bank", "table", "slope_bank", "slope"),
    *("first", "columns", "repeat", "rows", "groups", "scan_words", "fresh", "masked", "mask_word"),
    *("first_word", "length", "core", "target", "thread", "reg", "value", "source"),
)
"""The numbers of ``Row`` in ``records.hpp``."""
# ``Kind`` and ``Op`` of ``records.hpp``.
_KINDS = {
    "vmac": 2,
    "lut": 3,
    "interp": 4,
    "mac": 5,
    "recv": 6,
    "send": 7,
    "out": 8,
    "signal": 9,
    "end": 10,
    "setb": 11,
    "addb": 12,
    "movb": 13,
    "loop": 14,
    "jump": 15,
    "ldb": 16,
    "bez": 17,
    "bnz": 18,
}
_OPS = ("vpass", "vadd", "vsub", "vmul", "vmax", "vmin", "vgt", "vge", "veq", "vand", "vor", "vxor", "vscale")
_VECTOR = 1


@dataclass(frozen=True)
class _Columns:
    """How rows of a class become numbers.

    attributes: the columns that are an attribute of the row, by that. operands: the columns of an operand by its
    prefix, and how a row gives it; None: it has none. constants: columns that are the same for all.
    """

    attributes: Mapping[str, str]
    operands: Mapping[str, Callable[[Any], OperandRow | None]] = field(default_factory=dict)
    constants: Mapping[str, int] = field(default_factory=dict)


def _same(*names: str) -> dict[str, str]:
    """Columns that are called as the attributes."""
    return {name: name for name in names}


_INSTRUCTION = _same("pc", "next_pc", "ahead", "streams")
_STREAM = {**_INSTRUCTION, **_same("fixed_cycles", "moving", "elements")}
_STAGE = {name: f"stage.{name}" for name in ("shift", "rounded", "clip", "low", "high", "mask")}
_STREAM_OPERANDS: dict[str, Callable[[StreamRow], OperandRow | None]] = {
    "dst": lambda row: row.dst,
    "a": lambda row: row.sources[0],
    "b": lambda row: row.sources[1] if len(row.sources) > 1 else None,
}
_COLUMNS: Mapping[type[DecodedRow], _Columns] = {
    FaultRow: _Columns(_same("pc", "next_pc")),
    VectorRow: _Columns(
        {**_STREAM, **_STAGE, **_same("shift_a", "shift_b", "lane_passes")},
        _STREAM_OPERANDS,
        {"start": cycles.START_VECTOR},
    ),
    LookupRow: _Columns(
        {
            **_STREAM,
            **_same("shift_a", "low", "high"),
            "copies": "table.copies",
            "bank": "table.bank",
            "table": "table.row",
        },
        _STREAM_OPERANDS,
        {"start": cycles.START_LOOKUP, "tables": 1},
    ),
    InterpolateRow: _Columns(
        {
            **_STREAM,
            **_STAGE,
            **_same("shift_a", "shift_b"),
            "copies": "offset.copies",
            "tables": "tables_in_bank",
            "bank": "offset.bank",
            "table": "offset.row",
            "slope_bank": "slope.bank",
            "slope": "slope.row",
        },
        _STREAM_OPERANDS,
        {"start": cycles.START_INTERPOLATE},
    ),
    MatrixRow: _Columns(
        {
            **_INSTRUCTION,
            **_same("elements", "first", "columns", "repeat", "rows", "groups", "scan_words", "fresh", "lane_passes"),
            "masked": "masked",
            "mask_word": "mask",
        },
        {"a": lambda row: row.x},
    ),
    TransferRow: _Columns({**_INSTRUCTION, **_same("first_word", "length", "core", "target", "fixed_cycles")}),
    ControlRow: _Columns({**_INSTRUCTION, **_same("core", "thread", "value", "target", "source"), "reg": "register"}),
    ElementRow: _Columns({**_INSTRUCTION, **_same("shift_a", "target"), "reg": "register"}, {"a": lambda row: row.a}),
}
# ``OperandKind`` of ``records.hpp``, by ``Kind``.
_OPERAND_KINDS = np.array([{Kind.ACC: 2, Kind.IMM: 3}.get(kind, 1) for kind in sorted(Kind)])
_IMMEDIATE_BITS = 32


def kind_of(name: str) -> int:
    """The kind of an instruction."""
    return _VECTOR if name in _OPS else _KINDS[name]


def check_complete(names: Iterable[str]) -> None:
    """NotImplementedError unless the loop knows these instructions."""
    if missing := sorted(set(names) - set(_OPS) - _KINDS.keys()):
        raise NotImplementedError(
            f"native loop: every instruction must have a kind, but {', '.join(missing)} has none. "
            "Add it to native/flat_rows.py, native/records.hpp and native/chip.hpp."
        )


check_complete(SPECS)


def flat_rows(rows: Sequence[DecodedRow]) -> Int64Array:
    """The numbers of ``ROW_FIELDS`` of every row, shape (rows, numbers)."""
    flat = np.zeros((len(rows), len(ROW_FIELDS)), np.int64)
    places: dict[type[DecodedRow], list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(type(row), []).append(place)
    for kind, at in places.items():
        if kind not in _COLUMNS:
            raise TypeError(f"row: the native loop must know how to run a {kind.__name__}.")
        _fill(flat, np.array(at), [rows[place] for place in at], _COLUMNS[kind])
    return flat


def _fill(flat: Int64Array, at: Int64Array, rows: Sequence[DecodedRow], columns: _Columns) -> None:
    """Rows of one class, at their places among all."""
    numbers = attrgetter(*columns.attributes.values())
    flat[at[:, np.newaxis], _indices(*columns.attributes)] = [numbers(row) for row in rows]
    for name, value in columns.constants.items():
        flat[at, _PLACE[name]] = value
    specs = [row.spec.name for row in rows if isinstance(row, InstructionRow)]
    if specs:
        flat[at[:, np.newaxis], _indices("kind", "op")] = [
            (kind_of(name), _OPS.index(name) if name in _OPS else 0) for name in specs
        ]
    for prefix, operand_of in columns.operands.items():
        found = [operand_of(row) for row in rows]
        there = np.array([operand is not None for operand in found])
        _fill_operands(flat, at[there], prefix, [operand for operand in found if operand is not None])


def _fill_operands(flat: Int64Array, at: Int64Array, prefix: str, operands: Sequence[OperandRow]) -> None:
    if not operands:
        return
    numbers = attrgetter(*_OPERAND)
    found = np.array([numbers(operand) for operand in operands], np.int64)
    kind, bits = found[:, _OPERAND.index("kind")].copy(), found[:, _OPERAND.index("bits")]
    bits[kind == Kind.IMM] = _IMMEDIATE_BITS
    found[:, _OPERAND.index("kind")] = _OPERAND_KINDS[kind]
    flat[at[:, np.newaxis], _indices(*(f"{prefix}_{name}" for name in _OPERAND))] = found


_PLACE = {name: place for place, name in enumerate(ROW_FIELDS)}


def _indices(*names: str) -> list[int]:
    return [_PLACE[name] for name in names]
