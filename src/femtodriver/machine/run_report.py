"""What a run of the machine reports: counts only, as plain frozen data. Energy is computed elsewhere.

Every event is counted where it happens, per core and per instruction address, so that a source map
can sum them per layer and the sums equal the totals.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Why a thread cannot start yet.
STALLS = ("message", "dependency")
# Why a core waits, in the order of the native loop. One that has nothing left to do in a frame is idle, for no layer.
WAITING = (*STALLS, "idle")

# name -> what one event is. The order is the order of every table that lists them.
EVENTS: dict[str, str] = {
    "cycles": "core cycle in which an instruction was in flight",
    "instructions": "instruction issued",
    "im_read": "64-bit instruction word fetched",
    "dm_read": "64-bit data memory word read",
    "dm_write": "64-bit data memory word written",
    "tm_read": "16-bit table memory word read",
    "acc_read": "accumulator element read",
    "acc_write": "accumulator element written",
    "alu": "element through an adder, comparator or shifter of one lane",
    "mac_8x8": "multiplication, both operands of at most 8 bits (executed)",
    "mac_8x16": "multiplication, 8-bit by 16-bit; by wider ones counts as several (executed)",
    "mac_16x16": "multiplication, 16-bit by 16-bit; wider ones count as several (executed)",
    "matrix_dense": "multiplications of the dense matrix: all rows times all columns",
    "matrix_stored": "multiplications of the stored weights: rows of kept groups",
    "matrix_executed": "multiplications executed: stored weights times live activations",
    "index_group": "kept group whose place was decoded from the sparse index",
    "activation": "activation scanned by a matrix instruction",
    "activation_live": "activation scanned and not zero",
    "saturated": "element clipped by a saturation",
    "thread_switch": "thread taken from the ready queue or woken by a message",
    "wait_message": "core cycle without work before a thread starts here: its message was under way",
    "wait_dependency": "core cycle without work before a thread starts here: a signal that it needs was under way",
    "message": "message sent to another core",
    "message_word": "64-bit word sent to another core, headers included",
    "host_message": "message exchanged with the host",
    "host_word": "64-bit word exchanged with the host, headers included",
}


@dataclass(frozen=True)
class FrameCycles:
    """How many frames took how many cycles. What depends on the order of the frames is not kept.

    cycles: the different numbers of cycles, ascending.
    frames: how many frames took each of them, at least one.
    """

    cycles: tuple[int, ...] = ()
    frames: tuple[int, ...] = ()

    @classmethod
    def of(cls, cycles: Iterable[int]) -> FrameCycles:
        """The distribution of frames that took these cycles, one number for each frame."""
        return cls.counted(Counter(cycles))

    @classmethod
    def counted(cls, frames: Mapping[int, int]) -> FrameCycles:
        """The distribution from the number of frames by cycles."""
        ordered = sorted((int(cycles), int(count)) for cycles, count in frames.items())
        return cls(tuple(cycles for cycles, _ in ordered), tuple(count for _, count in ordered))

    @property
    def count(self) -> int:
        """The number of frames."""
        return sum(self.frames)

    @property
    def total(self) -> int:
        """The cycles of all frames together."""
        return sum(cycles * count for cycles, count in zip(self.cycles, self.frames, strict=True))

    @property
    def mean(self) -> float:
        """Cycles of a frame, on average; there must be at least one frame, as for the figures that follow."""
        return self.total / self.count

    @property
    def least(self) -> int:
        """Cycles of the fastest frame."""
        return self.cycles[0]

    @property
    def most(self) -> int:
        """Cycles of the slowest frame."""
        return self.cycles[-1]

    def percentile(self, share: float) -> int:
        """Cycles that a share of the frames, 0 to 1, does not exceed.

        It is a frame that happened: the nearest one above, as NumPy's percentile has it with the method "higher".
        """
        place = math.ceil(share * (self.count - 1))
        for cycles, count in zip(self.cycles, self.frames, strict=True):
            if place < count:
                return cycles
            place -= count
        return self.most


@dataclass(frozen=True)
class CoreReport:
    """Counts of one core over the whole run.

    ``by_pc[pc][event]`` counts events of the instruction at word address ``pc``; only nonzero entries are present.
    ``waiting`` has cycles per cause over all frames: "message" (a thread's message is under way), "dependency" (the
    last signal that a thread waits for is under way from another core), "idle" (nothing left in this frame while
    other cores work).
    For every frame: busy + waiting = elapsed cycles.
    """

    by_pc: Mapping[int, Mapping[str, int]]
    waiting: Mapping[str, int]
    bank_reads: tuple[int, ...]
    bank_writes: tuple[int, ...]

    def total(self, event: str) -> int:
        """Sum of one event over all instructions."""
        return sum(events.get(event, 0) for events in self.by_pc.values())


@dataclass(frozen=True)
class RunReport:
    """Counts of a run.

    ``frame_cycles``: inputs in the input buffer to all cores at rest; busy + waiting of each core add up to its total.
    ``latency_cycles``: inputs in the input buffer to the last output word in the output buffer.
    ``input_words``, ``output_words``: 64-bit words that the link to the host carries in each frame, headers included.
    """

    frame_cycles: FrameCycles
    latency_cycles: FrameCycles
    cores: tuple[CoreReport, ...]
    input_words: int = 0
    output_words: int = 0

    @property
    def frames(self) -> int:
        """Number of frames run since reset of the counters."""
        return self.frame_cycles.count
