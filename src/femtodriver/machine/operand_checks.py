"""Rules for the operands of an instruction; what breaks them is a MachineFault.

They are checked when a program is loaded, and again while it runs where a base register moves an operand.
"""

from __future__ import annotations

from femtodriver.errors import MachineFault
from femtodriver.isa import Kind, VectorInstruction
from femtodriver.isa.limits import ACCUMULATOR_BITS
from femtodriver.machine.data_layout import DataLayout
from femtodriver.machine.rows import OperandRow


def check_rows(operand: OperandRow, lanes: int, acc_elements: int) -> None:
    """An accumulator operand must end inside the accumulator file of ``acc_elements`` elements."""
    if operand.kind is Kind.ACC and operand.value * lanes + operand.length > acc_elements:
        raise MachineFault(f"a{operand.value}: {operand.length} elements must end inside the accumulator file.")


def check_address(operand: OperandRow, layout: DataLayout) -> None:
    """A memory operand that does not move must be aligned and end inside data memory."""
    if operand.in_memory and not operand.moving:
        layout.elements(operand.value, operand.length, operand.bits)


def check_destination(operand: OperandRow) -> None:
    """A destination must be something that whole elements can be written to."""
    if operand.kind is Kind.IMM:
        raise MachineFault("destination: must be memory or an accumulator, not an immediate.")
    if operand.kind is Kind.ACC and operand.bits != ACCUMULATOR_BITS:
        raise MachineFault(f"destination {operand.text()}: accumulators are written whole, without a width.")


def check_order(to: OperandRow, to_address: int, source: OperandRow, source_address: int, lanes: int) -> None:
    """No store may reach elements of the source that are still to be read.

    Elements go in ascending order; a single element is read before anything is written. The addresses are byte
    addresses, base registers included; they do not matter for operands that are not in memory.
    """
    if source.length == 1:
        return
    if to.in_memory and source.in_memory:
        overlap = to_address < source_address + source.size and source_address < to_address + to.size
        allowed = to_address <= source_address and to.bits == source.bits
    elif to.kind is Kind.ACC and source.kind is Kind.ACC:
        overlap = -to.length < (to.value - source.value) * lanes < source.length
        allowed = to.value <= source.value
    else:
        return
    if overlap and not allowed:
        raise MachineFault(f"destination {to.text()}: must not overlap the rest of source {source.text()}.")


def check_accumulation(instruction: VectorInstruction) -> None:
    """MachineFault unless sums are in the accumulators and at most one factor is: the sums are read there, too."""
    name = instruction.spec.name
    if instruction.dst.kind is not Kind.ACC:
        raise MachineFault(f"{name}: dst must be in the accumulators, not {instruction.dst.text()}.")
    if instruction.a.kind is Kind.ACC and instruction.b.kind is Kind.ACC:
        raise MachineFault(f"{name}: a or b must be outside the accumulators, which dst reads, too.")
