"""What a program's addresses mean to people: instructions as text, layers, names of threads; and joules of events."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from femtodriver.isa import (
    ISA,
    Instruction,
    InterpolateInstruction,
    LookupInstruction,
    MatrixInstruction,
    TransferInstruction,
    VectorInstruction,
)
from femtodriver.machine.frame_record import ThreadRun
from femtodriver.metrics.energy import EnergyTable
from femtodriver.metrics.events import joules
from femtodriver.metrics.layer_labels import layer_labels
from femtodriver.metrics.tally import PROGRAM, RUNTIME
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import DescribedLayer, Description, layers_of
from femtodriver.safe_text import short_line

MOST_NAME = 120


class ProgramView:
    """``program``: plain, for the open SPU. ``description``: what it says of itself; without layers it counts as None.

    ``table``: the energy table at the voltage and temperature of the run.
    """

    def __init__(self, program: CompiledData, description: Description | None, table: EnergyTable) -> None:
        self.description = description if description is not None and description.has_layers else None
        self.table = table
        self.info = program.info()
        self._words = {
            core: program.image(core, "IM")[:count].tolist() for core, count in self.info.inst_counts.items()
        }
        self._inputs = {(record.core, record.pc_val): record.name for record in self.info.inputs}
        self.mailboxes = {record.mailbox_id: shown_name(record.name) for record in self.info.outputs}
        layers = layers_of(self.description)
        self._labels = [shown_name(label) for label in layer_labels(layers)]
        self.instruction = lru_cache(maxsize=None)(self._instruction)

    def _instruction(self, core: int, pc: int) -> Instruction:
        """The instruction at an address where one was executed."""
        return ISA.decode(tuple(self._words[core][pc : pc + 2]))

    def layer(self, core: int, pc: int) -> int | None:
        """Place in the layers of the description; None for what belongs to none."""
        return None if self.description is None else self.description.layer_at(core, pc)

    def layer_of(self, place: int | None) -> DescribedLayer:
        """The layer at that place; the rows of the metrics document that stand for none."""
        if self.description is None:
            return PROGRAM
        return RUNTIME if place is None else layers_of(self.description)[place]

    def label(self, place: int | None) -> str:
        """What people know that layer by, as in the profile."""
        return self.layer_of(place).name if place is None or self.description is None else self._labels[place]

    def thread_name(self, run: ThreadRun) -> str:
        """What a thread is called: by its input, by the message that wakes it, or by its number."""
        if run.thread is not None:
            return f"thread {run.thread}"
        name = self._inputs.get((run.core, run.pc))
        return f"message at pc {run.pc}" if name is None else f"input {shown_name(name)}"

    def picojoules(self, events: Mapping[str, int]) -> float:
        """Typical energy of the part's own work for these events."""
        return joules(events, self.table).typical * 1e12


def elements_of(instruction: Instruction) -> int | None:
    """Elements of a vector, look-up or interpolation; rows x columns of a product; words of a message; else None."""
    if isinstance(instruction, MatrixInstruction):
        return instruction.rows * instruction.columns * instruction.repeat
    if isinstance(instruction, (VectorInstruction, LookupInstruction, InterpolateInstruction, TransferInstruction)):
        return instruction.length
    return None


def shown_name(name: str) -> str:
    """A name from a network: one line that is not too long."""
    return short_line(name, MOST_NAME)
