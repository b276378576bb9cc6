"""The chip on the native loop: the cores, threads, messages and faults of ``machine.spu.Spu``, in compiled code.

Python decodes the program, decodes weights when the loop asks for them, and makes the sentences of faults. Memories and
accumulators are the arrays of the NumPy machine, so everything that looks into those works as before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, SupportsIndex

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import UnsupportedError
from femtodriver.isa.limits import BASE_REGISTERS, GROUP_SIZE, MAX_MATRIX_ROWS
from femtodriver.machine.core import Message
from femtodriver.machine.data_layout import WORD_BYTES
from femtodriver.machine.execute_matrix import MatrixExecutor
from femtodriver.machine.executor import Executor
from femtodriver.machine.run_budget import RunBudget
from femtodriver.machine.run_report import WAITING
from femtodriver.machine.spu import Images, Processor, Spu
from femtodriver.native.flat_rows import ROW_FIELDS, flat_rows
from femtodriver.native.library import at, needed_library
from femtodriver.native.loop_counts import COUNT_FIELDS, counting_executors, empty_counts
from femtodriver.native.loop_faults import at_instruction, raise_fault
from femtodriver.native.loop_settings import SETTINGS, settings_of
from femtodriver.native.status import Status
from femtodriver.part import Part


@dataclass
class FrameBlock:
    """Frames to run, and where their results go; all arrays are C-contiguous. ``done``: how many have run.

    inputs: words of the messages that each frame begins with, uint64 (frames, words). outputs: those of the outputs,
    uint64 (frames, words). elapsed, latency: cycles, int64 (frames,). waiting: cycles of all frames, int64 (cores,
    ``WAITING``).
    """

    inputs: Words
    outputs: Words
    elapsed: Int64Array
    latency: Int64Array
    waiting: Int64Array
    done: int = 0

    @classmethod
    def of(cls, inputs: Words, output_words: int, cores: int) -> FrameBlock:
        """Frames with these inputs, and room for their results."""
        frames = len(inputs)
        return cls(
            np.ascontiguousarray(inputs),
            np.zeros((frames, output_words), np.uint64),
            np.zeros(frames, np.int64),
            np.zeros(frames, np.int64),
            np.zeros((cores, len(WAITING)), np.int64),
        )


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


class NativeSpu(Spu):
    """``Spu``, run by the loop. UnsupportedError where the loop is not there.

    ``lock``: calls from several threads run one after the other. It cannot be copied: the loop keeps a part of its
    state. A budget that looks at the clock is asked once, before the loop runs. ``narrow``: False makes all numbers
    have 64 bits, which is slower and gives the same.
    """

    narrow = True

    def __init__(self, images: Mapping[int, Images], part: Part, inst_counts: Mapping[int, int]) -> None:
        self._loop = needed_library().functions
        super().__init__(images, part, inst_counts)
        self.lock = threading.RLock()
        self.check_state = False
        self._posted: list[Message] = []
        banks = self._loop.femto_max_banks()
        self._cores = {index: _NativeCore(processor, banks) for index, processor in self.processors.items()}
        self._check_sizes()
        self._handle: int = self._loop.femto_new(at(settings_of(part, narrow=self.narrow)), len(self._cores))
        for index, core in self._cores.items():
            self._add(index, core)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._loop.femto_free(self._handle)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise UnsupportedError("native machine: it cannot be copied or pickled; make another one of the same program.")

    def reset(self) -> None:
        """See ``Spu.reset``."""
        with self.lock:
            super().reset()
            self._posted.clear()
            for core in self._cores.values():
                core.reset()
            self._loop.femto_reset(self._handle)

    def begin_frame(self, *, check_state: bool = False) -> None:
        """See ``Spu.begin_frame``."""
        super().begin_frame()
        self._posted.clear()
        self.check_state = check_state

    def post(self, core: int, pc: int, payload: Words, arrival: int = 0) -> None:
        """See ``Spu.post``."""
        self.check_target(core)
        self._posted.append(Message(arrival, core, pc, payload, from_host=True))

    def run(self, budget: RunBudget | None = None) -> int:
        """See ``Spu.run``."""
        budget = budget or RunBudget()
        budget.next_slice()
        with self.lock:
            records = [(sent.core, sent.target, len(sent.payload), sent.arrival) for sent in self._posted]
            payloads = [sent.payload for sent in self._posted]
            words = np.concatenate(payloads) if payloads else np.zeros(0, np.uint64)
            frames = FrameBlock.of(words[np.newaxis], 0, len(self._cores))
            self.expect(records, (), budget)
            self._posted.clear()
            self.run_frames(frames, budget)
            self.take_outputs()
        for processor, waiting in zip(self.processors.values(), frames.waiting.tolist(), strict=True):
            processor.waiting = dict(zip(WAITING, waiting, strict=True))
        return int(frames.elapsed[0])

    def expect(self, messages: Sequence[Sequence[int]], outputs: Sequence[Sequence[int]], budget: RunBudget) -> None:
        """What frames begin with from now on, and give, and may cost.

        ``messages``: core, PC, words and arrival of each. ``outputs``: mailbox and words of each; where a frame gives
        others, ``run_frames`` ends.
        """
        limits = budget.limits
        numbers = [limits.instructions, limits.elements, limits.words]
        self._loop.femto_expect(
            self._handle, at(_numbers(messages)), len(messages), at(_numbers(outputs)), len(outputs),
            at(_numbers([numbers])), self.check_state,
        )  # fmt: skip

    def run_frames(self, frames: FrameBlock, budget: RunBudget) -> bool:
        """Frames that are not done yet; whether they were as expected.

        It ends where Python must look at interrupts, and with a frame that gives other outputs, or leaves other
        dependency counts, than expected; that one is not among ``done``. ``budget``: that of ``expect``.
        MachineFault as ``run``.
        """
        info = np.zeros(8, np.int64)
        size = len(frames.inputs)
        given = at(frames.inputs), frames.inputs.shape[1], at(frames.outputs), frames.outputs.shape[1]
        times, about, again = (at(frames.elapsed), at(frames.latency), at(frames.waiting)), at(info), False
        while True:
            status = self._loop.femto_run(self._handle, frames.done, size, *given, *times, again, about)
            frames.done = int(info[6])
            if status != Status.DECODE:
                break
            self._decode(int(info[0]), int(info[2]))
            again = True
        if status not in (Status.DONE, Status.FRAME_END):
            raise_fault(self, budget, Status(status), info.tolist())
        return bool(status == Status.DONE)

    def take_outputs(self) -> None:
        """The outputs of the last frame, and the dependency counts after it, from the loop to ``outputs`` and the
        processors."""
        count = self._loop.femto_output_count(self._handle)
        heads = np.zeros((count, 4), np.int64)
        payload = np.zeros(self._loop.femto_outputs(self._handle, None, None, 0), np.uint64)
        self._loop.femto_outputs(self._handle, at(heads), at(payload), len(payload))
        self.outputs, place = [], 0
        for arrival, core, target, words in heads.tolist():
            self.outputs.append(Message(arrival, core, target, payload[place : place + words]))
            place += words
        for native in self._cores.values():
            native.processor.counts = native.dependency.tolist()

    def clear_counts(self) -> None:
        """Forget what was counted."""
        for core in self._cores.values():
            core.counts[:] = 0

    def counting(self, core: int) -> Iterable[Executor]:
        """What has counted on a core, in order of addresses."""
        native = self._cores[core]
        return counting_executors(native.decoded, native.counts, native.processor.core.memory.layout)

    def base_registers(self, core: int) -> list[int]:
        """The base registers of a core."""
        bases: list[int] = self._cores[core].bases.tolist()
        return bases

    def _decode(self, core: int, row: int) -> None:
        """Give the loop the weights of a matrix as they are in memory now."""
        native = self._cores[core]
        executor = native.processor.executors[native.decoded[row].pc]
        if not isinstance(executor, MatrixExecutor):
            raise TypeError(f"row {row}: must be that of a matrix.")
        executor.elements = 0
        with at_instruction(core, executor.pc):
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

    def _check_sizes(self) -> None:
        loop = self._loop
        exported = ("row_numbers", "count_numbers", "setting_numbers", "max_rows", "lanes")
        found = tuple(int(getattr(loop, f"femto_{name}")()) for name in exported)
        counts = len(COUNT_FIELDS) + 2 * loop.femto_max_banks()
        wanted = (len(ROW_FIELDS), counts, SETTINGS, MAX_MATRIX_ROWS, GROUP_SIZE)
        if found != wanted:
            raise RuntimeError(
                f"native machine: the compiled loop must have been built from this version ({wanted}, not {found}); "
                "build it again with: pip install ."
            )

    def _add(self, index: int, native: _NativeCore) -> None:
        core = native.processor.core
        self._loop.femto_add_core(
            self._handle, index, at(core.memory.words), at(core.acc), at(core.tables), at(native.bases),
            at(native.rows), len(native.rows), at(native.counts), native.code_words, at(native.initial),
            at(native.thread_pcs), len(native.initial), at(native.dependency),
        )  # fmt: skip
        written = partial(_written, self._loop.femto_written, self._handle, index)
        for number, row in enumerate(native.decoded):
            executor = native.processor.executors.get(row.pc)
            if isinstance(executor, MatrixExecutor):
                for first, end in executor.watched_words():
                    self._loop.femto_watch(self._handle, index, number, WORD_BYTES * first, WORD_BYTES * end)
                    core.memory.watch(first, end, written)


def _written(tell: Callable[[int, int, int, int], None], handle: int, core: int, first: int, end: int) -> bool:
    """Tell the loop of a store by Python. The loop itself knows what a reset must undo."""
    tell(handle, core, first, end)
    return False


def _numbers(rows: Iterable[Sequence[int]]) -> Int64Array:
    return np.array([*rows], np.int64).reshape(-1)
