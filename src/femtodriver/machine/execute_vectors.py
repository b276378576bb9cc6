"""Vector instructions, prepared for execution, and what they share with look-ups."""

from __future__ import annotations

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.errors import MachineFault
from femtodriver.isa import Clip, InterpolateInstruction, Kind, LookupInstruction, Operand, VectorInstruction, cycles
from femtodriver.machine.core import Core, Step
from femtodriver.machine.operand_streams import OperandStream, check_order

_ZERO = np.zeros(1, np.int64)


class StreamStep(Step):
    """What vector and look-up instructions share: operand streams, their order, their banks."""

    def __init__(
        self,
        core: Core,
        pc: int,
        instruction: VectorInstruction | LookupInstruction | InterpolateInstruction,
        lengths: dict[str, int],
    ) -> None:
        super().__init__(pc, instruction)
        self.length, self.lanes = instruction.length, core.part.lanes
        self.streams = {name: OperandStream(core, getattr(instruction, name), size) for name, size in lengths.items()}
        self.sources = [stream for name, stream in self.streams.items() if name != "dst"]
        self.readers = {name: stream.reader() for name, stream in self.streams.items() if name != "dst"}
        self.store = self.streams["dst"].writer()
        self.moving = any(stream.moving for stream in self.streams.values())
        self.busiest = 0
        if not self.moving:
            self.bank_reads, self.bank_writes = self._banks()
            self.busiest = _busiest(self.bank_reads + self.bank_writes)
            self.fixed |= {"dm_read": int(np.sum(self.bank_reads)), "dm_write": int(np.sum(self.bank_writes))}
        self.fixed["acc_read"] = sum(s.length for s in self.sources if s.operand.kind is Kind.ACC)
        self.fixed["acc_write"] = self.length if instruction.dst.kind is Kind.ACC else 0

    def _banks(self) -> tuple[Int64Array | int, Int64Array | int]:
        for source in self.sources:
            check_order(self.streams["dst"], source)
        reads: Int64Array | int = 0
        for source in self.sources:
            reads = reads + source.banks()
        return reads, self.streams["dst"].banks()

    def count_moving(self) -> int:
        """Bank accesses of an execution whose addresses depend on base registers; returns the busiest bank's."""
        reads, writes = self._banks()
        self.extra_bank_reads = self.extra_bank_reads + reads
        self.extra_bank_writes = self.extra_bank_writes + writes
        self.add("dm_read", int(np.sum(reads)))
        self.add("dm_write", int(np.sum(writes)))
        return _busiest(reads + writes)


class ResultStep(StreamStep):
    """A stream instruction whose result is shifted, clipped and stored: the last stage of the lanes."""

    def __init__(
        self, core: Core, pc: int, instruction: VectorInstruction | InterpolateInstruction, lengths: dict[str, int]
    ) -> None:
        super().__init__(core, pc, instruction, lengths)
        self.shift, self.rounded, self.clip = instruction.shift, bool(instruction.rounded), instruction.clip
        self.low, self.high = fixed.limits(instruction.bits)
        self.low_mask = low_mask(instruction.bits)

    def _cycles(self, busiest: int) -> int:
        """Cycles of an execution whose busiest bank has so many accesses."""
        raise NotImplementedError

    def finish(self, result: Int64Array) -> int:
        """Shift, clip, count and store; the cycles taken."""
        if self.shift:
            result = fixed.round_shift(result, self.shift, self.rounded)
        if self.clip == Clip.SATURATE:
            clipped = np.minimum(np.maximum(result, self.low), self.high)
            changed = np.count_nonzero(clipped != result)
            if changed:
                self.add("saturated", int(changed) * (self.length // clipped.size))
            result = clipped
        elif self.clip == Clip.LOW_BITS:
            result = result & self.low_mask
        self.store(result)
        if self.moving:
            taken = self._cycles(self.count_moving())
            self.add("cycles", taken)
            return taken
        return self.fixed["cycles"]


class VectorStep(ResultStep):
    """A ``VectorInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: VectorInstruction) -> None:
        meaning = instruction.spec.meaning
        if meaning is None:
            raise MachineFault(f"{instruction.spec.name}: has no vector meaning.")
        lengths = {"dst": instruction.length, "a": 1 if instruction.spread_a else instruction.length}
        if instruction.spec.reads > 1:
            lengths["b"] = 1 if instruction.spread_b else instruction.length
        super().__init__(core, pc, instruction, lengths)
        self.vector = instruction
        self.meaning = meaning
        self.read_a = self.readers["a"]
        self.read_b = self.readers.get("b", _no_operand)
        self.lane_passes = 1
        if instruction.spec.multiplies:
            widths = sorted((multiplier_bits(instruction.a), multiplier_bits(instruction.b)))
            self.lane_passes = cycles.passes(*widths)
            event, count = mac_event(*widths)
            self.fixed[event] = count * self.length
        self.fixed["alu"] = self.length
        self.fixed["cycles"] = 0 if self.moving else self._cycles(self.busiest)

    def _cycles(self, busiest: int) -> int:
        return cycles.vector(self.length, self.lanes, self.lane_passes, busiest)

    def run(self, core: Core) -> int:
        self.executions += 1
        instruction = self.vector
        a, b = self.read_a(), self.read_b()
        if instruction.shift_a:
            a = fixed.shift(a, instruction.shift_a)
        if instruction.shift_b:
            b = fixed.shift(b, instruction.shift_b)
        return self.finish(self.meaning(a, b))


def _no_operand() -> Int64Array:
    return _ZERO


def _busiest(banks: Int64Array | int) -> int:
    return int(np.max(banks))


def low_mask(bits: int) -> np.int64:
    """What keeps the low ``bits`` (1 to 64) of a value."""
    mask: np.int64 = np.int64((1 << bits) - 1 if bits < fixed.WORD_BITS else -1)
    return mask


def multiplier_bits(operand: Operand) -> int:
    """Width with which a multiplier takes an operand: its element width, or the immediate's own."""
    if operand.kind is Kind.IMM:
        return (operand.value if operand.value >= 0 else ~operand.value).bit_length() + 1
    return operand.bits


def mac_event(small: int, large: int) -> tuple[str, int]:
    """The event that a product of these widths counts as, and how many of it (wider products count as several)."""
    narrow, wide = cycles.LANE_BITS
    if large <= narrow:
        return "mac_8x8", 1
    if small <= narrow:
        return "mac_8x16", -(-large // wide)
    return "mac_16x16", -(-small // wide) * -(-large // wide)
