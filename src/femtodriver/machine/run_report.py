"""What a run of the machine reports: counts only, as plain frozen data. Energy is computed elsewhere.

Every event is counted where it happens, per core and per instruction address, so that a source map
can sum them per layer and the sums equal the totals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    "message": "message sent to another core",
    "message_word": "64-bit word sent to another core, headers included",
    "host_message": "message exchanged with the host",
    "host_word": "64-bit word exchanged with the host, headers included",
}


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
    """Counts of a run of ``len(frame_cycles)`` frames.

    ``frame_cycles``: inputs in the input buffer to all cores at rest; busy + waiting of each core add up to their sum.
    ``latency_cycles``: inputs in the input buffer to the last output word in the output buffer.
    ``input_words``, ``output_words``: 64-bit words that the link to the host carries in each frame, headers included.
    """

    frame_cycles: tuple[int, ...]
    latency_cycles: tuple[int, ...]
    cores: tuple[CoreReport, ...]
    input_words: int = 0
    output_words: int = 0

    @property
    def frames(self) -> int:
        """Number of frames run since reset of the counters."""
        return len(self.frame_cycles)
