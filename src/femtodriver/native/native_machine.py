"""The machine on the native loop: the program, numbers and faults of ``machine.machine.Machine``, in compiled code.

Python decodes the program, decodes weights when the loop asks for them, makes the sentences of faults and the report.
Memories and accumulators are the arrays of the NumPy machine, so everything that looks into those works as before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import NoReturn, SupportsIndex

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import InputError, MachineFault, UnsupportedError
from femtodriver.isa import cycles
from femtodriver.isa.limits import (
    BASE_REGISTER_BITS,
    BASE_REGISTERS,
    GROUP_SIZE,
    INTERPOLATION_ADDRESS_BITS,
    MAX_MATRIX_ROWS,
)
from femtodriver.machine.core import BASE_POISON, POISON, Message
from femtodriver.machine.data_layout import WORD_BYTES
from femtodriver.machine.execute_matrix import MatrixExecutor
from femtodriver.machine.executor import Executor
from femtodriver.machine.machine import Machine, Program, pack, pack_frame
from femtodriver.machine.memory import ELEMENT_TYPES
from femtodriver.machine.operand_checks import check_order
from femtodriver.machine.router import Router
from femtodriver.machine.rows import StreamRow
from femtodriver.machine.run_budget import MESSAGE_WORDS, SLICE_INSTRUCTIONS, RunBudget, RunLimits
from femtodriver.machine.run_report import RunReport
from femtodriver.machine.spu import Processor
from femtodriver.native.flat_rows import ROW_FIELDS, flat_rows
from femtodriver.native.library import at, needed_library
from femtodriver.native.loop_counts import COUNT_FIELDS, counting_executors, empty_counts
from femtodriver.native.status import Status
from femtodriver.part import Part


@dataclass(frozen=True)
class _Settings:
    """``Settings`` of ``loop.cpp``."""

    lanes: int
    banks: int
    bank_words: int
    acc_elements: int
    table_words: int
    message_latency: int
    router_words: int
    base_bits: int = BASE_REGISTER_BITS
    base_registers: int = BASE_REGISTERS
    line_bits: int = INTERPOLATION_ADDRESS_BITS
    control: int = cycles.CONTROL
    branch_taken: int = cycles.BRANCH_TAKEN
    thread_switch: int = cycles.THREAD_SWITCH
    start_vector: int = cycles.START_VECTOR
    start_matrix: int = cycles.START_MATRIX
    table_ports: int = cycles.TABLE_PORTS
    slice: int = SLICE_INSTRUCTIONS
    message_cost: int = MESSAGE_WORDS
    max_instructions: int = 0
    max_elements: int = 0
    max_words: int = 0
    check_state: bool = False
    poison: int = POISON
    base_poison: int = BASE_POISON


class _NativeCore:
    """The arrays that the loop shares with one processor."""

    def __init__(self, processor: Processor, banks: int) -> None:
        self.processor = processor
        self.decoded = list(processor.rows.values())
        self.rows = flat_rows(self.decoded)
        self.counts = empty_counts(len(self.decoded), banks)
        self.bases = np.zeros(BASE_REGISTERS, np.int64)
        self.initial = np.array(processor.initial_counts, np.int64)
        self.thread_pcs = np.array(processor.thread_pcs, np.int64)
        self.dependency = self.initial.copy()
        self.code_words = max((row.next_pc for row in self.decoded), default=0)

    def reset(self) -> None:
        """Registers and dependency counts as at the beginning."""
        self.bases[:] = 0
        self.dependency[:] = self.initial

    def executor_at(self, pc: int) -> Executor:
        """What stands at a PC."""
        return self.processor.executors[pc]


class NativeMachine(Machine):
    """``Machine``, many frames in one call of the loop. UnsupportedError where the loop is not there.

    Calls from several threads run one after the other. It cannot be copied: the loop keeps a part of its state.
    """

    batch = 256

    def __init__(
        self, program: Program, part: Part, limits: RunLimits | None = None, *, check_state: bool = False
    ) -> None:
        super().__init__(program, part, limits, check_state=check_state)
        self._loop = loaded = needed_library().functions
        self._one_call = threading.RLock()
        self._cores = {
            index: _NativeCore(processor, loaded.femto_max_banks()) for index, processor in self.spu.processors.items()
        }
        self._check_sizes()
        self._handle = self._make()

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._loop.femto_free(self._handle)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise UnsupportedError("native machine: it cannot be copied or pickled; make another one of the same program.")

    def reset(self) -> None:
        """See ``Machine.reset``."""
        with self._one_call:
            super().reset()
            for core in self._cores.values():
                core.counts[:] = 0
            self._restart()

    def reset_memories(self) -> None:
        """Memories back to the images; counts go on."""
        with self._one_call:
            self.spu.reset()
            self._restart()

    def _restart(self) -> None:
        for core in self._cores.values():
            core.reset()
        self._loop.femto_reset(self._handle)

    def base_registers(self, core: int) -> list[int]:
        """See ``Machine.base_registers``."""
        bases: list[int] = self._cores[core].bases.tolist()
        return bases

    def step(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """See ``Machine.step``."""
        for name in self.inputs:
            if name not in inputs:
                raise InputError(f"input {name!r}: must be given in every frame.")
        packed = [pack_frame(record, inputs[name]) for name, record in self.inputs.items()]
        words = np.concatenate(packed) if packed else np.zeros(0, np.uint64)
        return {name: values[0] for name, values in self._run(1, words).items()}

    def run(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """See ``Machine.run``."""
        frames = len(next(iter(inputs.values())))
        packed = [pack(record, inputs[name]) for name, record in self.inputs.items()]
        return self._run(frames, np.concatenate(packed, axis=1))

    def report(self) -> RunReport:
        """See ``Machine.report``."""
        with self._one_call:
            return super().report()

    def _counting(self, index: int, processor: Processor) -> Iterable[Executor]:
        core = self._cores[index]
        return counting_executors(core.decoded, core.counts, processor.core.memory.layout)

    def _run(self, frames: int, inputs: Words) -> dict[str, Int64Array]:
        """``inputs``: the words of all inputs, frame by frame."""
        with self._one_call:
            return self._unpacked(self._run_words(frames, inputs))

    def _run_words(self, frames: int, inputs: Words) -> Words:
        """The words of all outputs, frame by frame."""
        words = sum(record.words for record in self.outputs.values())
        made = np.zeros((frames, words), np.uint64)
        elapsed, latency = np.zeros(frames, np.int64), np.zeros(frames, np.int64)
        waiting = np.zeros((len(self._cores), len(_CAUSES)), np.int64)
        info = np.zeros(8, np.int64)
        first, again = 0, False
        given = at(inputs), inputs.size // max(frames, 1), at(made), words, at(elapsed), at(latency), at(waiting)
        about = at(info)
        try:
            while first < frames:
                status = self._loop.femto_run(self._handle, first, frames, *given, again, about)
                first, again = int(info[6]), False
                if status == Status.DECODE:
                    self._decode(int(info[0]), int(info[2]))
                    again = True
                elif status == Status.FRAME_END:
                    made[first] = self._finish_frame()
                    first += 1
                elif status != Status.DONE:
                    self._raise(Status(status), [int(number) for number in info])
        finally:
            self._keep_times(elapsed[:first], latency[:first], waiting)
        return made

    def _keep_times(self, elapsed: Int64Array, latency: Int64Array, waiting: Int64Array) -> None:
        self._frame_cycles.update(elapsed.tolist())
        self._latency_cycles.update(latency.tolist())
        for index, row in zip(self._cores, waiting.tolist(), strict=True):
            for cause, count in zip(_CAUSES, row, strict=True):
                self._waiting[index][cause] += count

    def _unpacked(self, made: Words) -> dict[str, Int64Array]:
        found, place = {}, 0
        for name, record in self.outputs.items():
            payload = np.ascontiguousarray(made[:, place : place + record.words])
            values = payload.view(ELEMENT_TYPES[record.bits]).reshape(len(made), -1)
            found[name] = values[:, : record.usable].astype(np.int64)
            place += record.words
        return found

    def _finish_frame(self) -> Words:
        """The outputs of a frame that ended unusually, or the fault that this is."""
        count = self._loop.femto_output_count(self._handle)
        heads = np.zeros((count, 4), np.int64)
        payload = np.zeros(self._loop.femto_outputs(self._handle, None, None, 0), np.uint64)
        self._loop.femto_outputs(self._handle, at(heads), at(payload), len(payload))
        self._tell_counts()
        messages, place = [], 0
        for arrival, core, target, words in heads.tolist():
            messages.append(Message(arrival, core, target, payload[place : place + words]))
            place += words
        self.spu.outputs = messages
        self.finish_frame()
        latest = {message.target: message.payload for message in messages}
        parts = [latest[record.mailbox_id] for record in self.outputs.values()]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)

    def _tell_counts(self) -> None:
        for core in self._cores.values():
            core.processor.counts = core.dependency.tolist()

    def _decode(self, core: int, row: int) -> None:
        """Give the loop the weights of a matrix as they are in memory now."""
        executor = self._cores[core].executor_at(self._cores[core].decoded[row].pc)
        if not isinstance(executor, MatrixExecutor):
            raise TypeError(f"row {row}: must be that of a matrix.")
        executor.elements = 0
        with _at_instruction(core, executor.pc):
            weights = executor.decode()
        pipeline = weights.pipeline
        arrays = [
            np.ascontiguousarray(values, np.int64)
            for values in (weights.values, weights.cost, weights.total, weights.mask_banks)
        ]
        steps = [np.ascontiguousarray(values) for values in (pipeline.columns, pipeline.busy, pipeline.known)]
        self._loop.femto_set_matrix(
            self._handle, core, row, *map(at, arrays), weights.mask_steps, *map(at, steps), len(pipeline.columns),
            pipeline.element_bytes, executor.elements, at(_numbers(weights.bytes)),
        )  # fmt: skip
        executor.weights = None  # the loop has its own now

    def _raise(self, status: Status, info: Sequence[int]) -> None:
        """MachineFault for what has stopped the loop, in the words of the NumPy machine."""
        core, pc, *numbers = info
        if status is Status.NO_CORE:
            self.spu.post(core, 0, np.zeros(0, np.uint64))
        elif status is Status.NO_THREAD:
            self.spu.processors[core].lower(numbers[0], (0, 0, 0))
        elif status is Status.ROUTER:
            raise Router(self.part.router_words).overflow(core, numbers[0])
        else:
            with _at_instruction(core, pc):
                self._fault(status, self._cores[core], pc, numbers)
        raise RuntimeError(f"native machine: status {status.name} must be a fault on the NumPy machine, too.")

    def _fault(self, status: Status, native: _NativeCore, pc: int, numbers: Sequence[int]) -> None:
        budget, core, row = RunBudget(self.limits), native.processor.core, native.executor_at(pc).decoded
        if status is Status.INSTRUCTIONS:
            budget.instructions = self.limits.instructions
            budget.next_slice()
        elif status is Status.ELEMENTS:
            budget.spend(0, self.limits.elements + 1, 0, 0)
        elif status is Status.WORDS:
            budget.spend(0, 0, 0, self.limits.words + 1)
        elif status is Status.ADDRESS:
            address, length, bits = numbers[:3]
            core.memory.layout.elements(address, length, bits)
        elif status is Status.ORDER and isinstance(row, StreamRow):
            side, to, of = numbers[:3]
            check_order(row.dst, to, row.sources[side], of, self.part.lanes)
        else:
            length = numbers[1]
            core.message = Message(0, 0, 0, np.zeros(length, np.uint64)) if status is Status.MESSAGE_LENGTH else None
            native.executor_at(pc).run(core)

    def _check_sizes(self) -> None:
        loop = self._loop
        exported = ("row_numbers", "count_numbers", "setting_numbers", "max_rows", "lanes")
        found = tuple(int(getattr(loop, f"femto_{name}")()) for name in exported)
        counts = len(COUNT_FIELDS) + 2 * loop.femto_max_banks()
        wanted = (len(ROW_FIELDS), counts, len(_Settings.__dataclass_fields__), MAX_MATRIX_ROWS, GROUP_SIZE)
        if found != wanted:
            raise RuntimeError(
                f"native machine: the compiled loop must have been built from this version ({wanted}, not {found}); "
                "build it again with: pip install ."
            )

    def _make(self) -> int:
        part = self.part
        settings = _Settings(
            lanes=part.lanes,
            banks=part.dm_banks,
            bank_words=part.dm_bank_words,
            acc_elements=part.acc_rows * part.lanes,
            table_words=part.tm_bank_words,
            message_latency=part.message_latency,
            router_words=part.router_words,
            max_instructions=self.limits.instructions,
            max_elements=self.limits.elements,
            max_words=self.limits.words,
            check_state=self.check_state,
        )
        records = _numbers([(r.core, r.pc_val, r.words) for r in self.inputs.values()])
        mailboxes = _numbers([(r.mailbox_id, r.words) for r in self.outputs.values()])
        handle: int = self._loop.femto_new(
            at(_numbers([list(asdict(settings).values())])), at(records), len(self.inputs), at(mailboxes),
            len(self.outputs), len(self._cores),
        )  # fmt: skip
        for index, core in self._cores.items():
            self._add(handle, index, core)
        return handle

    def _add(self, handle: int, index: int, native: _NativeCore) -> None:
        core = native.processor.core
        self._loop.femto_add_core(
            handle, index, at(core.memory.words), at(core.acc), at(core.tables), at(native.bases), at(native.rows),
            len(native.rows), at(native.counts), native.code_words, at(native.initial), at(native.thread_pcs),
            len(native.initial), at(native.dependency),
        )  # fmt: skip
        for number, row in enumerate(native.decoded):
            executor = native.processor.executors.get(row.pc)
            if isinstance(executor, MatrixExecutor):
                for first, end in executor.watched_words():
                    self._loop.femto_watch(handle, index, number, WORD_BYTES * first, WORD_BYTES * end)


_CAUSES = ("message", "dependency", "idle")


@contextmanager
def _at_instruction(core: int, pc: int) -> Iterator[None]:
    try:
        yield
    except MachineFault as fault:
        raise MachineFault(f"core {core} pc {pc}: {fault}") from None


def _numbers(rows: Sequence[Sequence[int]]) -> Int64Array:
    return np.array(rows, np.int64).reshape(-1)
