"""Look-up tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import MAX_ADDRESS_BITS, Ignored, Integer, LookupTable, ShiftAmount
from femtodriver.fqir.operators.exact_matmul import Known
from femtodriver.fqir.operators.lowering_interface import Build
from femtodriver.fqir.operators.operator import Elementwise, Ranges, Shapes, rule
from femtodriver.fqir.operators.ranges import Range


class Lut(Elementwise):
    """Table look-up: values[Sat(A(x, shamt_address), bw_address) - smallest address]."""

    name = "lut"
    inputs = ("x",)
    shamt_address = ShiftAmount(typical=-8, usual=(0, 0))
    bw_address = Integer(1, MAX_ADDRESS_BITS, usual=(8, 8), typical=8)
    table = LookupTable(bits="bw_address")
    function = Ignored()

    @rule
    def full_domain(self, shapes: Shapes) -> str | None:
        """table must have the addresses of its full domain, -2**(bw_address-1) to 2**(bw_address-1)-1, ascending"""
        addresses = self.table.addresses
        low, high = fixed.limits(self.bw_address)
        if addresses.size != high - low + 1:
            return f"{addresses.size} entries for {self.bw_address} bits"
        if not np.array_equal(addresses, np.arange(low, high + 1)):
            return f"addresses from {addresses.min()} to {addresses.max()}"
        return None

    @rule
    def one_value_each(self, shapes: Shapes) -> str | None:
        """table must have one integer value for each address"""
        values = self.table.values
        if values.dtype.kind in "iu" and values.shape == self.table.addresses.shape:
            return None
        return f"{values.size} values of type {values.dtype}"

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return ((int(self.table.values.min()), int(self.table.values.max())),)

    def evaluate(self, x: Int64Array) -> Int64Array:
        address = fixed.saturate(fixed.shift(x, self.shamt_address), self.bw_address)
        return self.table.values.take(address - fixed.limits(self.bw_address)[0])

    def specialised(self, known: Known) -> Callable[..., Any]:
        values, shift_by, bits = self.table.values, self.shamt_address, self.bw_address
        low = fixed.limits(bits)[0]
        return lambda x: values.take(fixed.saturate(fixed.shift(x, shift_by), bits) - low)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.look(x, self.table.values, shift_a=self.shamt_address, bits=self.bw_address))
