"""Which values are in accumulators, and in which rows.

The widest come first: what memory elements cannot hold has no other place. Temporaries that only vector instructions
touch at whole rows follow, as far as there are rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from femtodriver.compiler.accumulator_rows import rows_for_sums
from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.backend.lifetimes import Life
from femtodriver.compiler.backend.shared_space import SharedSpace
from femtodriver.compiler.fmir.ir import Fmir, If, Mac, Op, Products, Send, View, touches
from femtodriver.isa.limits import ACCUMULATOR_BITS, GROUP_SIZE
from femtodriver.part import Part


def place_in_accumulators(fmir: Fmir, part: Part, ops: list[Op], lives: Mapping[str, Life], places: CoreMap) -> None:
    """Give rows to values (``lives``: those that may have some); CapacityError if one that must have them finds none.

    Products keep their share of the rows for sums, or only what the longest one needs if the values need the rest.
    """
    barred = set(_barred(ops))
    longest = max((_rows(op.dst.length) for op in ops if isinstance(op, (Mac, Products))), default=0)
    homeless = ""
    for sums in (rows_for_sums(part), longest):
        places.mac_row = part.acc_rows - sums
        places.acc_row, homeless = _rows_of_values(fmir, lives, barred, places.mac_row)
        if not homeless:
            return
    raise capacity_errors.accumulators(fmir, part, places, fmir.buffers[homeless])


def _rows_of_values(fmir: Fmir, lives: Mapping[str, Life], barred: set[str], most: int) -> tuple[dict[str, int], str]:
    """First row of each value that gets some of the ``most`` rows, and the name of one that must have some
    but finds none ("": all have found theirs)."""
    rows: dict[str, int] = {}
    space = SharedSpace()
    for name, life in sorted(lives.items(), key=lambda item: (fmir.buffers[item[0]].bits < ACCUMULATOR_BITS, item[1])):
        buffer = fmir.buffers[name]
        if name not in barred:
            size = _rows(buffer.length)
            row = space.find(life, size)
            if row + size <= most:
                rows[name] = row
                space.take(life, row, size)
                continue
        if buffer.bits == ACCUMULATOR_BITS:
            return rows, name
    return rows, ""


def _rows(elements: int) -> int:
    return -(-elements // GROUP_SIZE)


def _barred(ops: Iterable[Op]) -> Iterable[str]:
    """Buffers that a matrix, message or branch uses, that a loop walks through, or that are not cut at whole rows."""
    for op in ops:
        if isinstance(op, Mac):
            yield from (view.buffer for _, view in op.parts)
        if isinstance(op, Products):  # an instruction reads one operand from the accumulators beside the sum
            yield from (b.buffer for _, b in op.factors if isinstance(b, View))
        if isinstance(op, (Send, If)):
            yield from (view.buffer for view in touches(op))
        yield from (view.buffer for view in touches(op) if view.offset % GROUP_SIZE or view.cursor)
