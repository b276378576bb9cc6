"""SOFTMAX, nearly as the kernels compute it: exponentials from tables, and a reciprocal by Newton's method.

With d = q - largest q of a row and scale s, the output is 256 * exp(s * d) / sum of exp(s * d), rounded, less 128. The
exponentials are integers of 26 bits. A sum S lies between 2**26 and 2**26 * columns; R is near 2**56 / S, first from a
table of 15 bits, and each step R * (2 - S * R) doubles its correct bits.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Table, Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.movement_imports import taken
from femtodriver.tflite.network_in_making import CENTRED_BITS, NetworkInMaking
from femtodriver.tflite.value_imports import ADDRESS_BITS
from femtodriver.tflite.value_rules import activation

MOST_COLUMNS, MOST_ROWS = 32, 64
_EXPONENTIAL_BITS, _LOW_BITS, _WIDE = 26, 13, 32
_UNIT_BITS = 30  # of S * R
_FIRST_BITS = 15
_STEPS = 4
_PLAIN: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "rounded": False}


def softmax(op: CheckedOperator, net: NetworkInMaking) -> None:
    """Along the last axis, row by row."""
    columns = op.input().shape[-1]
    rows = prod(op.input().shape) // columns
    if columns > MOST_COLUMNS or rows > MOST_ROWS:
        most = f"{MOST_ROWS} rows of {MOST_COLUMNS}"
        raise op.unsupported(f"the input must have at most {most} elements, not {rows} of {columns}", op.input())
    x = net.value(op, op.input())
    numbers = np.arange(columns)
    made = [_Row(op, net, taken(op, net, x, row * columns + numbers, "row")).result() for row in range(rows)]
    if rows == 1:
        net.node(op, "copy", {"x": made[0]}, op.output())
    else:
        net.node(op, "cat", {f"x{place}": row for place, row in enumerate(made)}, op.output(), dim=0)


class _Row:
    """One row of a SOFTMAX, of at least one element."""

    def __init__(self, op: CheckedOperator, net: NetworkInMaking, x: Tensor) -> None:
        self._op, self._net, self._x = op, net, x
        self._scale = float(activation(op, op.input()).scale[0])

    def result(self) -> Tensor:
        """The output, centred: from 0 to 255."""
        differences = self._binary("vvsub", self._x, self._pairwise("vvmax", self._x, CENTRED_BITS), CENTRED_BITS)
        exponentials = self._exponentials(differences)
        total = self._pairwise("vvadd", exponentials, _WIDE)
        scaled = self._step(
            "vvmul",
            {"x": exponentials, "y": self._reciprocal(total)},
            _WIDE,
            shamt_bwred=8 - _UNIT_BITS - _EXPONENTIAL_BITS,
            bw=CENTRED_BITS,
            rounded=True,
        )
        bound = self._net.parameter(self._name("limit"), np.array([255]))
        return self._step("vvmin", {"x": scaled, "y": bound}, CENTRED_BITS)

    def _exponentials(self, differences: Tensor) -> Tensor:
        """exp(s * d) in 26 bits, for d from -255 to 0, from two tables."""
        address = self._step("viadd", {"x": differences}, CENTRED_BITS, **_PLAIN, y=127, bw=ADDRESS_BITS)
        places = np.arange(-128, 128)
        # the lowest address stands for -255
        exact = np.rint(np.exp(self._scale * (places - 127.0)) * (1 << _EXPONENTIAL_BITS)).astype(np.int64)
        high = self._looked_up("high part", address, exact >> _LOW_BITS)
        low = self._looked_up("low part", address, exact & ((1 << _LOW_BITS) - 1))
        return self._step("vvadd", {"x": high, "y": low}, _WIDE, **{**_PLAIN, "shamt_x": _LOW_BITS}, bw=_WIDE)

    def _reciprocal(self, total: Tensor) -> Tensor:
        """2**56 / total."""
        extra = (self._x.size - 1).bit_length()
        top = _EXPONENTIAL_BITS + extra
        # a sum of exactly 2**top has the address of the one below
        address = self._step(
            "viadd",
            {"x": total},
            _WIDE,
            **{**_PLAIN, "shamt_bwred": ADDRESS_BITS - top},
            y=-(1 << (top - 1)),
            bw=ADDRESS_BITS,
        )
        middles = (np.arange(256) + 0.5) * 2.0 ** (top - ADDRESS_BITS)
        most = (1 << _FIRST_BITS) - 1
        first = np.minimum(np.rint(2.0 ** (_EXPONENTIAL_BITS + _FIRST_BITS) / middles), most).astype(np.int64)
        found = self._looked_up("first reciprocal", address, first)
        found = self._step("shift", {"x": found}, _WIDE, shamt=_UNIT_BITS - _FIRST_BITS, bw=_WIDE, rounded=False)
        for _ in range(_STEPS):
            unit = self._product(total, found, _EXPONENTIAL_BITS)
            negated = self._step("vimul", {"x": unit}, _WIDE, y=-1, shamt_bwred=0, bw=_WIDE, rounded=False)
            # 2 - S * R, where 1 is 2**30
            factor = self._step("viadd", {"x": negated}, _WIDE, **_PLAIN, y=(1 << (_UNIT_BITS + 1)) - 1, bw=_WIDE)
            found = self._product(found, factor, _UNIT_BITS)
        return found

    def _product(self, x: Tensor, y: Tensor, bits: int) -> Tensor:
        return self._step("vvmul", {"x": x, "y": y}, _WIDE, shamt_bwred=-bits, bw=_WIDE, rounded=True)

    def _pairwise(self, name: str, x: Tensor, bits: int) -> Tensor:
        """All elements in one, by twos."""
        while x.size > 1:
            half, odd = divmod(x.size, 2)
            made = self._binary(name, self._part(x, 0, half), self._part(x, half, 2 * half), bits)
            if odd:
                last = self._part(x, 2 * half, x.size)
                made = self._step("cat", {"x0": made, "x1": last}, bits, (half + 1,), dim=0)
            x = made
        return x

    def _part(self, x: Tensor, first: int, end: int) -> Tensor:
        return taken(self._op, self._net, x, np.arange(first, end), "part")

    def _binary(self, name: str, x: Tensor, y: Tensor, bits: int) -> Tensor:
        constants = {} if name == "vvmax" else {**_PLAIN, "bw": bits}
        return self._step(name, {"x": x, "y": y}, bits, **constants)

    def _looked_up(self, what: str, address: Tensor, values: Int64Array) -> Tensor:
        table = Table(what, np.arange(-128, 128), values)
        return self._step(
            "lut", {"x": address}, CENTRED_BITS, shamt_address=0, bw_address=8, table=table, function=None
        )

    def _step(
        self, name: str, inputs: dict[str, Tensor], bits: int, shape: tuple[int, ...] | None = None, **constants: Any
    ) -> Tensor:
        axes = shape or inputs[next(iter(inputs))].shape
        return self._net.inner(self._op, name, inputs, self._name(name), axes, bits, **constants)

    def _name(self, what: str) -> str:
        return self._net.step_name(self._op.output(), what)
