"""A compiled program on the machine, frame by frame: named arrays in, named arrays and counts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from femtodriver.arrays import Int64Array, Words, is_masked
from femtodriver.errors import InputError, MachineFault, ProgramError
from femtodriver.fixed import limits as value_limits
from femtodriver.isa.limits import HEADER_WORDS, WORD_BITS
from femtodriver.machine.executor import Executor
from femtodriver.machine.memory import ELEMENT_TYPES
from femtodriver.machine.run_budget import RunBudget, RunLimits
from femtodriver.machine.run_report import WAITING, CoreReport, FrameCycles, RunReport
from femtodriver.machine.spu import Processor, Spu
from femtodriver.part import Part
from femtodriver.program.metadata import InputRecord, OutputRecord, program_info


class Program(Protocol):
    """What the machine needs of a compiled program."""

    metadata: Any
    mems_per_core: Any


class Machine:
    """Runs a program's images.

    ``step`` takes and gives int64 arrays of shape (elements,), keyed by the names of the I/O records. ``limits``: what
    a frame may cost; a host that trusts a program which needs more says so here. ``check_state``: accumulators and base
    registers, which are undefined at the start of a frame, are overwritten there.
    ProgramError for metadata or images that are not those of a program for this part. ``batch``: how many frames
    ``run`` is best given at a time.
    """

    batch = 1
    spu_type: type[Spu] = Spu

    def __init__(
        self, program: Program, part: Part, limits: RunLimits | None = None, *, check_state: bool = False
    ) -> None:
        info = program_info(program.metadata)
        self.part = part
        self.check_state = check_state
        self.limits = limits or RunLimits()
        self.input_words = _words("input", info.inputs, part.input_buffer_words, part)
        self.output_words = _words("output", info.outputs, part.output_buffer_words, part)
        self.inputs = {record.name: record for record in info.inputs}
        self.outputs = {record.name: record for record in info.outputs}
        self._mailboxes = {record.mailbox_id: record for record in info.outputs}
        self.spu = self.spu_type(program.mems_per_core, part, info.inst_counts)
        # How many frames took how many cycles: it does not grow with their number.
        self._frame_cycles: Counter[int] = Counter()
        self._latency_cycles: Counter[int] = Counter()
        self._waiting = {index: dict.fromkeys(WAITING, 0) for index in self.spu.processors}

    def reset(self) -> None:
        """Memories back to the images (initial state), counts to zero."""
        self.spu.reset()
        self._frame_cycles.clear()
        self._latency_cycles.clear()
        for index, processor in self.spu.processors.items():
            self._waiting[index] = dict.fromkeys(WAITING, 0)
            for executor in processor.executors.values():
                executor.clear()

    def step(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """One frame.

        InputError for an input that is missing, has another shape or does not fit its elements; MachineFault when the
        program breaks a rule, waits forever, or leaves a dependency count that is not its initial one (``reset`` before
        the next frame then).
        """
        for name in self.inputs:
            if name not in inputs:
                raise InputError(f"input {name!r}: must be given in every frame.")
        payloads = [pack_frame(record, inputs[name]) for name, record in self.inputs.items()]
        self.spu.begin_frame(check_state=self.check_state)
        for record, payload in zip(self.inputs.values(), payloads, strict=True):
            self.spu.post(record.core, record.pc_val, payload)
        elapsed = self.spu.run(RunBudget(self.limits))
        outputs = self.finish_frame()
        self._frame_cycles[elapsed] += 1
        self._latency_cycles[self.spu.outputs[-1].arrival if self.spu.outputs else elapsed] += 1
        for index, processor in self.spu.processors.items():
            for cause, cycles in processor.waiting.items():
                self._waiting[index][cause] += cycles
        return outputs

    def run(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """Some frames, at least one: int64 arrays of shape (frames, elements) in and out. Raises what ``step`` does."""
        frames = len(next(iter(inputs.values())))
        made = [self.step({name: rows[frame] for name, rows in inputs.items()}) for frame in range(frames)]
        return {name: np.stack([outputs[name] for outputs in made]) for name in made[0]}

    def base_registers(self, core: int) -> list[int]:
        """The base registers of a core."""
        return list(self.spu.processors[core].core.bases)

    def take_state(self, other: Machine) -> None:
        """Memories, accumulators and base registers from another machine of the same program, between two frames."""
        for index, processor in self.spu.processors.items():
            core, theirs = processor.core, other.spu.processors[index].core
            core.memory.copy_from(theirs.memory)
            core.acc[:] = theirs.acc
            core.bases = other.base_registers(index)

    def peek(self, core: int, address: int, bits: int, length: int) -> Int64Array:
        """Elements of a core's data memory, for debugging; counts nothing. MachineFault outside of memory."""
        memory = self.spu.processors[core].core.memory
        found: Int64Array = memory.elements[bits][memory.layout.elements(address, length, bits)].astype(np.int64)
        return found

    def poke(self, core: int, address: int, bits: int, values: Int64Array) -> None:
        """Store elements in a core's data memory between two frames; counts nothing. MachineFault outside of memory."""
        memory = self.spu.processors[core].core.memory
        memory.elements[bits][memory.layout.elements(address, len(values), bits)] = values
        memory.written(address, address + len(values) * bits // 8)

    def report(self) -> RunReport:
        """Counts of all frames since the last reset."""
        cores = [self._core_report(index, processor) for index, processor in self.spu.processors.items()]
        return RunReport(
            FrameCycles.counted(self._frame_cycles),
            FrameCycles.counted(self._latency_cycles),
            tuple(cores),
            self.input_words,
            self.output_words,
        )

    def finish_frame(self) -> dict[str, Int64Array]:
        """The outputs when all cores are at rest; MachineFault if one is missing or wrong, or a count not initial."""
        outputs = self._collect()
        if lacking := self.spu.waiting_threads():
            raise MachineFault(
                "end of the frame: every dependency count must have its initial value when all cores are at rest, "
                f"but {'; '.join(lacking)}."
            )
        return outputs

    def _collect(self) -> dict[str, Int64Array]:
        found: dict[str, Int64Array] = {}
        if (words := sum(message.words for message in self.spu.outputs)) > self.part.output_buffer_words:
            raise MachineFault(
                f"output buffer: must hold all outputs of a frame, {self.part.output_buffer_words} words at most, "
                f"not {words}."
            )
        for message in self.spu.outputs:
            record = self._mailboxes.get(message.target)
            if record is None:
                raise MachineFault(f"output message: its mailbox must be one of an output, not {message.target}.")
            found[record.name] = _unpack(record, message.payload)
        missing = [name for name in self.outputs if name not in found]
        if missing:
            waiting = "; ".join(self.spu.waiting_threads()) or "no thread waits"
            raise MachineFault(f"deadlock: every core is at rest but {', '.join(missing)} never came: {waiting}.")
        return {name: found[name] for name in self.outputs}

    def _core_report(self, index: int, processor: Processor) -> CoreReport:
        by_pc, reads, writes = {}, np.zeros(self.part.dm_banks, np.int64), np.zeros(self.part.dm_banks, np.int64)
        for executor in self._counting(index, processor):
            if events := executor.events():
                by_pc[executor.pc] = events
            bank_reads, bank_writes = executor.bank_traffic()
            reads, writes = reads + bank_reads, writes + bank_writes
        return CoreReport(
            by_pc,
            dict(self._waiting[index]),
            tuple(int(count) for count in reads),
            tuple(int(count) for count in writes),
        )

    def _counting(self, index: int, processor: Processor) -> Iterable[Executor]:
        """What has counted on a core, in order of addresses."""
        return [executor for _, executor in sorted(processor.executors.items())]


def _words(what: str, records: Sequence[InputRecord] | Sequence[OutputRecord], room: int, part: Part) -> int:
    """Words of a frame's inputs or outputs, headers included; ProgramError if they exceed their buffer."""
    words = sum(HEADER_WORDS + record.words for record in records)
    if words > room:
        raise ProgramError(
            f"program: the {what}s of a frame must fit the {what} buffer of {part.name} ({room} words of 64 bits, "
            f"headers included), not {words} words."
        )
    return words


def pack(record: InputRecord, values: Int64Array) -> Words:
    """The words of frames of an input, shape (..., words) for values of shape (..., elements).

    InputError for values of another width, or that do not fit the elements of the record.
    """
    if is_masked(values):
        raise InputError(f"input {record.name!r}: must be a plain array, not a masked one.")
    if values.shape[-1:] != (record.usable,):
        raise InputError(f"input {record.name!r}: a frame must have shape ({record.usable},), not {values.shape}.")
    padded = np.zeros((*values.shape[:-1], record.words * WORD_BITS // record.bits), ELEMENT_TYPES[record.bits])
    padded[..., : record.usable] = values
    if not np.array_equal(padded[..., : record.usable], values):
        low, high = value_limits(record.bits)
        raise InputError(
            f"input {record.name!r}: every value must be a whole number from {low} to {high}, "
            f"not {values.min()} to {values.max()}."
        )
    return padded.view(np.uint64)


def pack_frame(record: InputRecord, values: Int64Array) -> Words:
    """``pack`` for one frame, shape (elements,)."""
    if values.shape != (record.usable,):
        raise InputError(f"input {record.name!r}: a frame must have shape ({record.usable},), not {values.shape}.")
    return pack(record, values)


def _unpack(record: OutputRecord, payload: Words) -> Int64Array:
    if len(payload) != record.words:
        raise MachineFault(
            f"output {record.name!r}: its message must have {record.words} payload words, not {len(payload)}."
        )
    return payload.view(ELEMENT_TYPES[record.bits])[: record.usable].astype(np.int64)
