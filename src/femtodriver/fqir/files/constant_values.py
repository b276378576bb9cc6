"""Constants of nodes: plain values, tuples, tables and arrays, copied into our own frozen types."""

from __future__ import annotations

from femtodriver.arrays import Int64Array
from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_limits import MAX_CONSTANT_ENTRIES, MAX_CONSTANT_LEVELS, Budget
from femtodriver.fqir.files.passive_records import TABLE, Record
from femtodriver.fqir.files.read_only_arrays import int_array
from femtodriver.fqir.files.typed_fields import finite, required, state_of, text_of
from femtodriver.fqir.graph import Table
from femtodriver.safe_text import describe

Constant = None | bool | int | float | str | tuple["Constant", ...] | Table | Int64Array


class ConstantBuilder:
    """Converts constants once per object of the file, however often it is referred to.

    A list that is shared many times costs its length once; how long it would be when written out is bounded too,
    so that printing or copying the result naively stays harmless.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tables: dict[int, Table] = {}
        self._arrays: dict[int, Int64Array] = {}
        self._tuples: dict[int, tuple[tuple[Constant, ...], int, int]] = {}

    def convert(self, value: object, where: str) -> Constant:
        """The frozen form of a constant; ModelError for anything that is not a constant."""
        return self._convert(value, where, 0)[0]

    def array(self, value: object, where: str) -> Int64Array:
        """The int64 array of an array object."""
        found = self._arrays.get(id(value))
        if found is None:
            found = self._arrays[id(value)] = int_array(value, where, self._budget)
        return found

    def _convert(self, value: object, where: str, depth: int) -> tuple[Constant, int, int]:
        """The value, its number of entries when written out, and its nesting."""
        if type(value) is list or type(value) is tuple:
            return self._sequence(value, where, depth)
        if type(value) is Record and value.marker.kind == TABLE:
            return self._table(value, where), 1, 0
        if type(value) is int and value.bit_length() > 63:
            raise ModelError(f"{where}: must fit 64 bits, not be {describe(value)}.")
        if type(value) is float:
            return finite(value, where), 1, 0
        if type(value) is str:
            return text_of(value, where), 1, 0
        if value is None or type(value) is bool or type(value) is int:
            return value, 1, 0
        return self.array(value, where), 1, 0

    def _sequence(self, items: list[object] | tuple[object, ...], where: str, depth: int) -> tuple[Constant, int, int]:
        found = self._tuples.get(id(items))
        if found is None:
            if depth >= MAX_CONSTANT_LEVELS:
                raise ModelError(f"{where}: lists must be nested at most {MAX_CONSTANT_LEVELS} deep.")
            self._budget.refer(len(items))
            parts = [self._convert(item, where, depth + 1) for item in items]
            expanded = 1 + sum(part[1] for part in parts)
            nesting = 1 + max((part[2] for part in parts), default=0)
            found = self._tuples[id(items)] = (tuple(part[0] for part in parts), expanded, nesting)
        if found[1] > MAX_CONSTANT_ENTRIES or depth + found[2] > MAX_CONSTANT_LEVELS:
            raise ModelError(
                f"{where}: lists must have at most {MAX_CONSTANT_ENTRIES} entries and {MAX_CONSTANT_LEVELS} levels."
            )
        return found

    def _table(self, record: Record, where: str) -> Table:
        found = self._tables.get(id(record))
        if found is None:
            found = self._tables[id(record)] = self._new_table(record, where)
        return found

    def _new_table(self, record: Record, where: str) -> Table:
        state = state_of(record, TABLE, where)
        addresses = self.array(required(state, "x", where), f"{where}: the addresses")
        values = self.array(required(state, "y", where), f"{where}: the values")
        if addresses.ndim != 1 or addresses.shape != values.shape:
            raise ModelError(
                f"{where}: addresses and values must be equally long vectors, not of shape "
                f"{addresses.shape} and {values.shape}."
            )
        size = state.get("N", len(addresses))
        if type(size) is not int or size != len(addresses):
            raise ModelError(f"{where}: N must be the number of entries, {len(addresses)}, not {describe(size)}.")
        return Table(text_of(state.get("name", ""), f"{where}: the name"), addresses, values)
