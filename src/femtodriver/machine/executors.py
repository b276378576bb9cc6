"""The table of executors: what runs the row of each instruction. An instruction without one is refused on import."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from femtodriver.isa import ISA, Spec
from femtodriver.isa.instructions import VECTOR
from femtodriver.machine import execute_control as control
from femtodriver.machine.core import Core
from femtodriver.machine.execute_matrix import MatrixExecutor
from femtodriver.machine.execute_tables import InterpolateExecutor, LookupExecutor
from femtodriver.machine.execute_vectors import AccumulateExecutor, VectorExecutor
from femtodriver.machine.executor import Executor, FaultExecutor
from femtodriver.machine.rows import DecodedRow, FaultRow, InstructionRow, MatrixRow

MakeExecutor = Callable[[Core, Any], Executor]
"""From a core and a row of the instruction's family."""

EXECUTORS: Mapping[str, MakeExecutor] = {
    **{spec.name: partial(VectorExecutor, meaning=spec.meaning) for spec in VECTOR if spec.meaning is not None},
    "vmac": AccumulateExecutor,
    "lut": LookupExecutor,
    "interp": InterpolateExecutor,
    "mac": MatrixExecutor,
    "recv": control.ReceiveMessage,
    "send": control.SendMessage,
    "out": control.SendToHost,
    "signal": control.SendSignal,
    "end": control.EndThread,
    "setb": control.SetRegister,
    "addb": control.AddToRegister,
    "movb": control.CopyRegister,
    "loop": control.RepeatLoop,
    "jump": control.Jump,
    "ldb": control.LoadRegister,
    "bez": control.BranchIfZero,
    "bnz": control.BranchIfNotZero,
}


def check_complete(specs: Iterable[Spec], executors: Mapping[str, MakeExecutor]) -> None:
    """NotImplementedError unless every instruction has an executor, and every executor an instruction."""
    names = {spec.name for spec in specs}
    if without := sorted(names - executors.keys()):
        raise NotImplementedError(
            f"machine: every instruction must have an executor, but {', '.join(without)} has none. "
            "Add it to EXECUTORS in machine/executors.py, or give a vector instruction its meaning."
        )
    if unknown := sorted(executors.keys() - names):
        raise NotImplementedError(
            f"machine: every executor must be that of an instruction, but {', '.join(unknown)} is none. "
            "Take it out of EXECUTORS in machine/executors.py, or add it to isa/instructions.py."
        )


check_complete((spec for _, specs in ISA.table for spec in specs), EXECUTORS)


def make_executor(core: Core, row: DecodedRow) -> Executor:
    """What executes a row on a core."""
    if isinstance(row, InstructionRow):
        return EXECUTORS[row.spec.name](core, row)
    if isinstance(row, FaultRow):
        return FaultExecutor(row)
    raise TypeError(f"row: must be that of an instruction or of a fault, not {type(row).__name__}.")


_NOTHING = FaultRow(-1, 0, "there is no instruction here.")


class Executors(dict[int, Executor]):
    """What executes the row at each address of a core, made when it is first asked for.

    Those of matrices are there from the start: stores must know where the weights lie. Where no row is, running is a
    fault.
    """

    def __init__(self, core: Core, rows: Mapping[int, DecodedRow]) -> None:
        super().__init__((pc, make_executor(core, row)) for pc, row in rows.items() if isinstance(row, MatrixRow))
        self._core, self._rows = core, rows

    def __missing__(self, pc: int) -> Executor:
        if pc not in self._rows:
            return FaultExecutor(_NOTHING)
        made = self[pc] = make_executor(self._core, self._rows[pc])
        return made
