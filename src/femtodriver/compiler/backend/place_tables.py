"""Where look-up tables are in the banks of table memory, and in how many copies."""

from __future__ import annotations

from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.core_map import CoreMap, TablePlace
from femtodriver.compiler.fmir.ir import Fmir, Op, table_names
from femtodriver.isa.limits import MAX_TABLE_COPIES
from femtodriver.part import Part


def place_tables(fmir: Fmir, part: Part, ops: list[Op], places: CoreMap) -> None:
    """As many copies of every table as fit: more copies, more look-ups per cycle. The longest first: no gaps."""
    names = list(dict.fromkeys(name for op in ops for name in table_names(op)))
    sizes = {name: len(fmir.tables[name]) for name in names}
    for op in ops:
        for name in table_names(op):
            if sizes[name] > part.tm_bank_words:
                raise capacity_errors.table_too_long(fmir, part, op, name)
    for ways in reversed(range(MAX_TABLE_COPIES.bit_length())):  # log2 of the number of copies
        tops = [0] * (part.tm_banks >> ways)
        tables: dict[str, TablePlace] = {}
        for name in sorted(names, key=lambda name: -sizes[name]):
            column = tops.index(min(tops))
            tables[name] = TablePlace(tops[column], column << ways, ways)
            tops[column] += sizes[name]
        if max(tops) <= part.tm_bank_words:
            places.tables = tables
            places.usage["tables"] = 2 * sum(sizes.values()) << ways
            return
    raise capacity_errors.table_memory(part, places.core, sizes)
