"""The instruction set of the open SPU: bits, text, meaning, cycles."""

from femtodriver.isa.instruction import Instruction, Spec
from femtodriver.isa.instructions import (
    ISA,
    SPECS,
    Clip,
    Control,
    Element,
    Form,
    Interpolate,
    Lookup,
    Matrix,
    Transfer,
    Vector,
)
from femtodriver.isa.operand import Kind, Operand, accumulator, fits_immediate, immediate, memory

__all__ = [
    "ISA",
    "SPECS",
    "Clip",
    "Control",
    "Element",
    "Form",
    "Instruction",
    "Interpolate",
    "Kind",
    "Lookup",
    "Matrix",
    "Operand",
    "Spec",
    "Transfer",
    "Vector",
    "accumulator",
    "fits_immediate",
    "immediate",
    "memory",
]
