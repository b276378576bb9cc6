"""The machine on the native loop: the program, numbers and faults of ``machine.machine.Machine``, in compiled code.

``NativeSpu`` is the chip; here, inputs become words, words become outputs, and the counts of the loop a report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NoReturn, SupportsIndex

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import InputError, UnsupportedError
from femtodriver.machine.executor import Executor
from femtodriver.machine.machine import Machine, Program, pack, pack_frame
from femtodriver.machine.memory import ELEMENT_TYPES
from femtodriver.machine.run_budget import RunBudget, RunLimits
from femtodriver.machine.run_report import WAITING, RunReport
from femtodriver.machine.spu import Processor
from femtodriver.native.native_spu import FrameBlock, NativeSpu
from femtodriver.part import Part


class NativeMachine(Machine):
    """``Machine``, many frames in one call of the loop. UnsupportedError where the loop is not there.

    Calls from several threads run one after the other. It cannot be copied: the loop keeps a part of its state.
    """

    batch = 512
    spu: NativeSpu
    spu_type = NativeSpu

    def __init__(
        self, program: Program, part: Part, limits: RunLimits | None = None, *, check_state: bool = False
    ) -> None:
        super().__init__(program, part, limits, check_state=check_state)
        self.spu.check_state = check_state
        messages = [(record.core, record.pc_val, record.words, 0) for record in self.inputs.values()]
        outputs = [(record.mailbox_id, record.words) for record in self.outputs.values()]
        self.spu.expect(messages, outputs, RunBudget(self.limits))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise UnsupportedError("native machine: it cannot be copied or pickled; make another one of the same program.")

    def reset(self) -> None:
        """See ``Machine.reset``."""
        with self.spu.lock:
            super().reset()
            self.spu.clear_counts()

    def reset_memories(self) -> None:
        """Memories back to the images; counts go on."""
        self.spu.reset()

    def base_registers(self, core: int) -> list[int]:
        """See ``Machine.base_registers``."""
        return self.spu.base_registers(core)

    def step(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """See ``Machine.step``."""
        for name in self.inputs:
            if name not in inputs:
                raise InputError(f"input {name!r}: must be given in every frame.")
        packed = [pack_frame(record, inputs[name]) for name, record in self.inputs.items()]
        words = np.concatenate(packed) if packed else np.zeros(0, np.uint64)
        return {name: values[0] for name, values in self._run(words[np.newaxis]).items()}

    def run(self, inputs: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
        """See ``Machine.run``."""
        packed = [pack(record, inputs[name]) for name, record in self.inputs.items()]
        return self._run(packed[0] if len(packed) == 1 else np.concatenate(packed, axis=1))

    def report(self) -> RunReport:
        """See ``Machine.report``."""
        with self.spu.lock:
            return super().report()

    def _counting(self, index: int, processor: Processor) -> Iterable[Executor]:
        return self.spu.counting(index)

    def _run(self, inputs: Words) -> dict[str, Int64Array]:
        """``inputs``: the words of all inputs, shape (frames, words)."""
        with self.spu.lock:
            return self._unpacked(self._run_words(inputs))

    def _run_words(self, inputs: Words) -> Words:
        """The words of all outputs, shape (frames, words)."""
        words = sum(record.words for record in self.outputs.values())
        frames, budget = FrameBlock.of(inputs, words, len(self.spu.processors)), RunBudget(self.limits)
        try:
            while frames.done < len(inputs):
                if not self.spu.run_frames(frames, budget):
                    frames.outputs[frames.done] = self._unusual_outputs()
                    frames.done += 1
        finally:
            self._keep_times(frames)
        return frames.outputs

    def _keep_times(self, frames: FrameBlock) -> None:
        _tally(self._frame_cycles, frames.elapsed[: frames.done])
        _tally(self._latency_cycles, frames.latency[: frames.done])
        for index, row in zip(self.spu.processors, frames.waiting.tolist(), strict=True):
            for cause, cycles in zip(WAITING, row, strict=True):
                self._waiting[index][cause] += cycles

    def _unpacked(self, made: Words) -> dict[str, Int64Array]:
        found, place = {}, 0
        for name, record in self.outputs.items():
            payload = np.ascontiguousarray(made[:, place : place + record.words])
            values = payload.view(ELEMENT_TYPES[record.bits]).reshape(len(made), -1)
            found[name] = values[:, : record.usable].astype(np.int64)
            place += record.words
        return found

    def _unusual_outputs(self) -> Words:
        """The outputs of a frame that ended unusually, or the fault that this is."""
        self.spu.take_outputs()
        self.finish_frame()
        latest = {message.target: message.payload for message in self.spu.outputs}
        parts = [latest[record.mailbox_id] for record in self.outputs.values()]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def _tally(frames: Counter[int], cycles: Int64Array) -> None:
    """Add to the number of frames by cycles; frames mostly take the same few, so that NumPy counts them faster."""
    found, counts = np.unique(cycles, return_counts=True)
    for value, count in zip(found.tolist(), counts.tolist(), strict=True):
        frames[value] += count
