"""A compiled program on the machine, frame by frame: named arrays in, named arrays and counts out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from femtodriver.errors import InputError, MachineFault, ProgramError
from femtodriver.machine.core import Step
from femtodriver.machine.report import CoreReport, RunReport
from femtodriver.machine.spu import Processor, Spu
from femtodriver.part import Part

Int64Array = npt.NDArray[np.int64]
ELEMENT_BITS = {"STD": 8, "DBL": 16, "QUAD": 32}
_NARROW: dict[int, type[np.signedinteger]] = {8: np.int8, 16: np.int16, 32: np.int32}


class Program(Protocol):
    """What the machine needs of a compiled program."""

    metadata: Any
    mems_per_core: Any


class Machine:
    """Runs a program's images.

    ``step`` takes and gives int64 arrays of shape (elements,), keyed by the names of the I/O records.
    """

    def __init__(self, program: Program, part: Part) -> None:
        metadata = program.metadata
        self.part = part
        self.inputs: Mapping[str, Mapping[str, Any]] = metadata["inputs"]
        self.outputs: Mapping[str, Mapping[str, Any]] = metadata["outputs"]
        self._lengths = {
            **_logical(metadata.get("fqir_input_padding"), self.inputs),
            **_logical(metadata.get("fqir_output_padding"), self.outputs),
        }
        self._mailboxes = {record["mailbox_id"]: name for name, record in self.outputs.items()}
        self.spu = Spu(program.mems_per_core, part, metadata["inst_counts"])
        self._frame_cycles: list[int] = []
        self._latency_cycles: list[int] = []
        self._waiting = {index: {"message": 0, "dependency": 0, "idle": 0} for index in self.spu.processors}

    def reset(self) -> None:
        """Memories back to the images (initial state), counts to zero."""
        self.spu.reset()
        self._frame_cycles.clear()
        self._latency_cycles.clear()
        for index, processor in self.spu.processors.items():
            self._waiting[index] = {"message": 0, "dependency": 0, "idle": 0}
            for step in _steps(processor):
                step.clear()

    def step(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """One frame. MachineFault when the program breaks a rule or waits for ever; InputError for a missing input."""
        self.spu.begin_frame()
        arrival = 0
        for name, record in self.inputs.items():
            if name not in inputs:
                raise InputError(f"input {name!r}: must be given in every frame.")
            payload = _pack(name, inputs[name], self._lengths[name], record)
            self.spu.post(int(record["core"]), int(record["pc_val"]), payload, arrival)
            arrival += 1 + len(payload)
        elapsed = self.spu.run()
        outputs = self._collect()
        self._frame_cycles.append(elapsed)
        self._latency_cycles.append(self.spu.outputs[-1].arrival if self.spu.outputs else elapsed)
        for index, processor in self.spu.processors.items():
            for cause, cycles in processor.waiting.items():
                self._waiting[index][cause] += cycles
        return outputs

    def report(self) -> RunReport:
        """Counts of all frames since the last reset."""
        cores = [self._core_report(index, processor) for index, processor in self.spu.processors.items()]
        return RunReport(tuple(self._frame_cycles), tuple(self._latency_cycles), tuple(cores))

    def _collect(self) -> dict[str, Int64Array]:
        found: dict[str, Int64Array] = {}
        for message in self.spu.outputs:
            name = self._mailboxes.get(message.target)
            if name is None:
                raise MachineFault(f"output message: mailbox {message.target} belongs to no output.")
            found[name] = _unpack(message.payload, self._lengths[name], self.outputs[name])
        missing = [name for name in self.outputs if name not in found]
        if missing:
            waiting = "; ".join(self.spu.waiting_threads()) or "no thread waits"
            raise MachineFault(f"deadlock: every core is at rest but {', '.join(missing)} never came: {waiting}.")
        return {name: found[name] for name in self.outputs}

    def _core_report(self, index: int, processor: Processor) -> CoreReport:
        by_pc, reads, writes = {}, np.zeros(self.part.dm_banks, np.int64), np.zeros(self.part.dm_banks, np.int64)
        for step in _steps(processor):
            if events := step.events():
                by_pc[step.pc] = events
            bank_reads, bank_writes = step.bank_traffic()
            reads, writes = reads + bank_reads, writes + bank_writes
        return CoreReport(
            by_pc,
            dict(self._waiting[index]),
            tuple(int(count) for count in reads),
            tuple(int(count) for count in writes),
        )


def _steps(processor: Processor) -> list[Step]:
    return [step for step in processor.steps.values() if isinstance(step, Step)]


def _logical(padding: Any, records: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    if padding:
        return {name: int(padding[name]["fqir"]) for name in records}
    return {name: int(r["len_64b_words"]) * 64 // element_bits(name, r) for name, r in records.items()}


def element_bits(name: str, record: Mapping[str, Any]) -> int:
    """Element width of an I/O record."""
    precision = record.get("precision")
    if precision not in ELEMENT_BITS:
        raise ProgramError(
            f"metadata: precision of {name!r} must be one of {', '.join(ELEMENT_BITS)}, not {precision!r}."
        )
    return ELEMENT_BITS[precision]


def _pack(name: str, values: Int64Array, length: int, record: Mapping[str, Any]) -> npt.NDArray[np.uint64]:
    bits = element_bits(name, record)
    if values.shape != (length,):
        raise InputError(f"input {name!r}: a frame must have shape ({length},), not {values.shape}.")
    padded = np.zeros(int(record["len_64b_words"]) * 64 // bits, _NARROW[bits])
    padded[:length] = values
    return padded.view(np.uint64)


def _unpack(payload: npt.NDArray[np.uint64], length: int, record: Mapping[str, Any]) -> Int64Array:
    return payload.view(_NARROW[element_bits("output", record)])[:length].astype(np.int64)
