"""Rows as arrays of numbers, in the order of the structures of ``loop.cpp``, and the counts that come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.isa import SPECS, Form, Kind, cycles
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
    ResultRow,
    StreamRow,
    TransferRow,
    VectorRow,
)
from femtodriver.machine.run_budget import INSTRUCTION_ELEMENTS

_OPERAND = ("kind", "bits", "base", "value", "length")
ROW_FIELDS = (
    *("kind", "pc", "next_pc", "ahead", "streams", "fixed_cycles", "elements", "start", "moving"),
    *(f"{operand}_{field}" for operand in ("dst", "a", "b") for field in _OPERAND),
    *("op", "shift_a", "shift_b", "shift", "rounded", "clip", "low", "high", "mask", "lane_passes", "copies", "tables"),
    *("bank", "table", "slope_bank", "slope"),
    *("first", "columns", "repeat", "rows", "groups", "scan_words", "fresh", "masked", "mask_word"),
    *("first_word", "length", "core", "target", "thread", "reg", "value", "source"),
)
"""The numbers of ``Row`` in ``loop.cpp``."""
COUNT_FIELDS = (
    *("executions", "started_ahead", "cycles", "saturated", "switches", "live", "stored", "groups", "units"),
    *("products", "dm_read", "dm_write", "messages", "message_words", "host_messages", "host_words"),
    *("wait_message", "wait_dependency"),
)
"""The numbers of ``Counts`` in ``loop.cpp``, before those of the banks."""

# ``Kind`` and ``Op`` of ``loop.cpp``.
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
_OPS = ("vpass", "vadd", "vsub", "vmul", "vmax", "vmin", "vgt", "vge", "veq", "vand", "vor", "vxor")
_VECTOR = 1
# Fields that have one name here and there.
_MATRIX = ("first", "columns", "repeat", "rows", "groups", "scan_words", "fresh", "lane_passes")
_TRANSFER = ("first_word", "length", "core", "target", "fixed_cycles")
_CONTROL = ("core", "thread", "value", "target", "source")
_IMMEDIATE_BITS = 32


def kind_of(name: str) -> int:
    """The kind of an instruction."""
    return _VECTOR if name in _OPS else _KINDS[name]


def check_complete(names: Iterable[str]) -> None:
    """NotImplementedError unless the loop knows these instructions."""
    if missing := sorted(set(names) - set(_OPS) - _KINDS.keys()):
        raise NotImplementedError(
            f"native loop: every instruction must have a kind, but {', '.join(missing)} has none. "
            "Add it to native/flat_rows.py and native/loop.cpp."
        )


check_complete(SPECS)


def flat_row(row: DecodedRow) -> list[int]:
    """The numbers of ``ROW_FIELDS``."""
    fields: dict[str, int] = dict.fromkeys(ROW_FIELDS, 0)
    fields |= {"pc": row.pc, "next_pc": row.next_pc}
    if not isinstance(row, FaultRow):
        fields |= _instruction(row)
    return [int(fields[name]) for name in ROW_FIELDS]


def _instruction(row: DecodedRow) -> dict[str, int]:
    if not isinstance(row, InstructionRow):
        raise TypeError(f"row: must be that of an instruction, not {type(row).__name__}.")
    common = {"kind": kind_of(row.spec.name), "ahead": row.ahead, "streams": row.streams}
    if isinstance(row, StreamRow):
        return {**common, **_stream(row)}
    if isinstance(row, MatrixRow):
        work = INSTRUCTION_ELEMENTS + row.x.length * row.groups
        mask = {"masked": int(row.form is not Form.DENSE), "mask_word": row.mask}
        return {**common, **_named(row, _MATRIX), **mask, **_operand("a", row.x), "elements": work}
    if isinstance(row, TransferRow):
        return {**common, **_named(row, _TRANSFER)}
    if isinstance(row, ControlRow):
        return {**common, **_named(row, _CONTROL), "reg": row.register}
    if isinstance(row, ElementRow):
        numbers = {"shift_a": row.shift_a, "target": row.target, "reg": row.register}
        return {**common, **numbers, **_operand("a", row.a)}
    raise TypeError(f"row: the native loop must know how to run a {type(row).__name__}.")


def _named(row: InstructionRow, names: Sequence[str]) -> dict[str, int]:
    return {name: int(getattr(row, name)) for name in names}


def _stream(row: StreamRow) -> dict[str, int]:
    numbers = {"fixed_cycles": row.fixed_cycles, "moving": row.moving, "elements": INSTRUCTION_ELEMENTS + row.length}
    numbers |= _operand("dst", row.dst)
    for name, source in zip(("a", "b"), row.sources, strict=False):
        numbers |= _operand(name, source)
    if isinstance(row, ResultRow):
        stage = row.stage
        numbers |= {"shift": stage.shift, "rounded": stage.rounded, "clip": int(stage.clip)}
        numbers |= {"low": stage.low, "high": stage.high, "mask": stage.mask}
    if isinstance(row, VectorRow):
        numbers |= {"shift_a": row.shift_a, "shift_b": row.shift_b, "lane_passes": row.lane_passes}
        numbers |= {"op": _OPS.index(row.spec.name) if row.spec.name in _OPS else 0, "start": cycles.START_VECTOR}
    if isinstance(row, LookupRow):
        numbers |= {"shift_a": row.shift_a, "low": row.low, "high": row.high, "start": cycles.START_LOOKUP}
        numbers |= {"copies": row.table.copies, "tables": 1, "bank": row.table.bank, "table": row.table.row}
    if isinstance(row, InterpolateRow):
        numbers |= {"shift_a": row.shift_a, "shift_b": row.shift_b, "start": cycles.START_INTERPOLATE}
        numbers |= {"copies": row.offset.copies, "tables": row.tables_in_bank}
        numbers |= {"bank": row.offset.bank, "table": row.offset.row}
        numbers |= {"slope_bank": row.slope.bank, "slope": row.slope.row}
    return numbers


def _operand(name: str, operand: OperandRow) -> dict[str, int]:
    kinds = {Kind.ACC: 2, Kind.IMM: 3}
    bits = _IMMEDIATE_BITS if operand.kind is Kind.IMM else operand.bits
    values = (kinds.get(operand.kind, 1), bits, operand.base, operand.value, operand.length)
    return {f"{name}_{field}": value for field, value in zip(_OPERAND, values, strict=True)}


def counts_of(numbers: Sequence[int]) -> Mapping[str, int]:
    """The counts of one row by name; those of banks are left out."""
    return dict(zip(COUNT_FIELDS, (int(number) for number in numbers), strict=False))


def empty_counts(rows: int, banks: int) -> Int64Array:
    """Counts of a core, shape (rows, numbers of ``Counts``); ``banks``: for how many the loop has room."""
    return np.zeros((rows, len(COUNT_FIELDS) + 2 * banks), np.int64)
