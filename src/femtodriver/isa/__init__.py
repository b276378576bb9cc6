"""The instruction set of the open SPU: bits, text, meaning, cycles.

``instructions`` is the table, ``limits`` the numbers that follow from it, ``cycles`` the cycle rules; ``doc`` and
``export`` write all of it down for people (``docs/isa.md``) and for programs (``docs/isa.json``).
"""

from femtodriver.isa.instruction import Instruction, Meaning, Result, Spec
from femtodriver.isa.instructions import (
    ISA,
    SPECS,
    Clip,
    ControlInstruction,
    ElementInstruction,
    Form,
    InterpolateInstruction,
    LookupInstruction,
    MatrixInstruction,
    TransferInstruction,
    VectorInstruction,
)
from femtodriver.isa.operand import Kind, Operand, accumulator, fits_immediate, immediate, memory

__all__ = [
    "ISA",
    "SPECS",
    "Clip",
    "ControlInstruction",
    "ElementInstruction",
    "Form",
    "Instruction",
    "InterpolateInstruction",
    "Kind",
    "LookupInstruction",
    "MatrixInstruction",
    "Meaning",
    "Operand",
    "Result",
    "Spec",
    "TransferInstruction",
    "VectorInstruction",
    "accumulator",
    "fits_immediate",
    "immediate",
    "memory",
]
