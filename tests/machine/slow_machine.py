"""A second machine, written from docs/isa.md alone: one element at a time, Python integers, no NumPy.

It shares the decoder with the first one and nothing else. It runs the instructions of one core that need no router.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

LANES = 8
BANKS = 8


class Fault(Exception):
    """The program breaks a rule."""


def wrap(value: int, bits: int = 64) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def shift(value: int, amount: int) -> int:
    return wrap(value << amount) if amount >= 0 else value >> -amount


def round_shift(value: int, amount: int, rounded: int) -> int:
    if rounded and amount < 0:
        value = wrap(value + (1 << (-amount - 1)))
    return shift(value, amount)


def saturate(value: int, bits: int) -> int:
    return min(max(value, -(1 << (bits - 1))), (1 << (bits - 1)) - 1)


def passes(one: int, other: int) -> int:
    def count(width: int, lane: int) -> int:
        return (width + lane - 1) // lane

    return min(count(one, 8) * count(other, 16), count(one, 16) * count(other, 8))


def scaled(a: int, b: int) -> int:
    a = wrap(a, 24)
    fraction, doublings = 2**30 + b % 2**30, b // 2**30 % 4
    nearest = wrap(a * fraction + 2**30) // 2**31
    return wrap(nearest * 2**doublings - (nearest < 0))


MEANING: dict[str, Any] = {
    "vpass": lambda a, b: a,
    "vadd": lambda a, b: wrap(a + b),
    "vsub": lambda a, b: wrap(a - b),
    "vmul": lambda a, b: wrap(a * b),
    "vmax": max,
    "vmin": min,
    "vgt": lambda a, b: int(a > b),
    "vge": lambda a, b: int(a >= b),
    "veq": lambda a, b: int(a == b),
    "vand": lambda a, b: int(bool(a) and bool(b)),
    "vor": lambda a, b: int(bool(a) or bool(b)),
    "vxor": lambda a, b: int(bool(a) != bool(b)),
    "vscale": scaled,
}


class Slow:
    """One core: ``data`` is data memory in address order, ``tables`` the table banks."""

    def __init__(self, data: bytes | bytearray, tables: list[list[int]], bank_words: int, rows: int) -> None:
        self.data = bytearray(data)
        self.tables = tables
        self.bank_words = bank_words
        self.acc = [0] * (rows * LANES)
        self.bases = [0] * 8
        self.count: Counter[str] = Counter()
        self.reads = [0] * BANKS
        self.writes = [0] * BANKS
        self.stream: Any = None  # the instruction before, if it streams elements

    # Operands

    def address(self, operand: Any) -> int:
        return int(operand.value + (self.bases[operand.base] if operand.base else 0))

    def span(self, operand: Any, length: int) -> tuple[int, int]:
        """First and end byte; a fault when misaligned or outside."""
        first, size = self.address(operand), operand.bits // 8
        if first % size or first < 0 or first + length * size > len(self.data):
            raise Fault("address")
        return first, first + length * size

    def check(self, operand: Any, length: int) -> None:
        if operand.in_memory:
            self.span(operand, length)
        elif operand.kind.name == "ACC" and operand.value * LANES + length > len(self.acc):
            raise Fault("row")

    def get(self, operand: Any, index: int) -> int:
        if operand.in_memory:
            size = operand.bits // 8
            first = self.address(operand) + index * size
            return int.from_bytes(self.data[first : first + size], "little", signed=True)
        if operand.kind.name == "ACC":
            return wrap(self.acc[operand.value * LANES + index], operand.bits)
        return int(operand.value)

    def put(self, operand: Any, index: int, value: int) -> None:
        if operand.in_memory:
            size = operand.bits // 8
            first = self.address(operand) + index * size
            self.data[first : first + size] = wrap(value, operand.bits).to_bytes(size, "little", signed=True)
        else:
            self.acc[operand.value * LANES + index] = value

    def check_destination(self, operand: Any, length: int) -> None:
        if operand.kind.name == "IMM" or (operand.kind.name == "ACC" and operand.bits != 64):
            raise Fault("destination")
        self.check(operand, length)

    def check_order(self, dst: Any, length: int, source: Any, count: int) -> None:
        """A source of several elements must be read before it is overwritten."""
        if count == 1:
            return
        if dst.in_memory and source.in_memory:
            (to, to_end), (of, of_end) = self.span(dst, length), self.span(source, count)
            if to < of_end and of < to_end and (dst.bits != source.bits or to > of):
                raise Fault("overlap")
        elif dst.kind.name == source.kind.name == "ACC":
            to, of = dst.value * LANES, source.value * LANES
            if to < of + count and of < to + length and to > of:
                raise Fault("overlap")

    # Banks

    def words(self, operand: Any, length: int) -> Counter[int]:
        """Accesses per bank of an operand: each word that it touches, once."""
        if not operand.in_memory:
            return Counter()
        first, end = self.span(operand, length)
        return self.word_banks({byte // 8 for byte in range(first, end)})

    def word_banks(self, words: Any) -> Counter[int]:
        return Counter(2 * (word // (2 * self.bank_words)) + word % 2 for word in words)

    def charge(self, reads: Counter[int], writes: Counter[int]) -> int:
        """Count bank accesses; those of the busiest bank."""
        for bank in range(BANKS):
            self.reads[bank] += reads[bank]
            self.writes[bank] += writes[bank]
        self.count["dm_read"] += sum(reads.values())
        self.count["dm_write"] += sum(writes.values())
        return max((reads + writes).values(), default=0)

    def _ahead(self, i: Any) -> int:
        """Cycles that a stream starts before the last result of the one before it is written."""
        matrix = self.stream.spec.name == "mac"
        if i.spec.name == "mac":
            sources = [(i.x, i.columns)]
        else:
            spread = getattr(i, "spread_a", 0), getattr(i, "spread_b", 0)
            read = [i.a] + ([i.b] if hasattr(i, "b") and i.spec.name != "vpass" else [])
            sources = [(operand, 1 if one else i.length) for operand, one in zip(read, spread, strict=False)]
            sources += [(i.dst, i.length)] if i.spec.name == "vmac" else []
        for source, count in sources:
            if matrix or not (source.in_memory and self.stream.dst.in_memory):
                continue
            if source.base or self.stream.dst.base:
                return 1
            dst, length = self.stream.dst, self.stream.length
            if self._pairs(source, count) & self._pairs(dst, length):
                return 1
        return 2

    def _pairs(self, operand: Any, length: int) -> set[int]:
        last = operand.value + length * operand.bits // 8 - 1
        return {byte // (16 * self.bank_words) for byte in range(operand.value, last + 1)}

    # Instructions

    def step(self, instruction: Any) -> int | None:
        """Execute; the PC of a branch that is taken."""
        self.count["instructions"] += 1
        self.count["im_read"] += instruction.words
        kind = instruction.format_name.lower()
        branch, cycles = getattr(self, f"_{kind}")(instruction)
        streams = kind in ("vector", "lookup", "interpolate", "matrix")
        self.count["cycles"] += cycles - (self._ahead(instruction) if streams and self.stream else 0)
        self.stream = instruction if streams else None
        return int(branch) if branch is not None else None

    def _vector(self, i: Any) -> tuple[None, int]:
        sources = [(i.a, 1 if i.spread_a else i.length)]
        if i.spec.name != "vpass":
            sources.append((i.b, 1 if i.spread_b else i.length))
        if i.spec.name == "vmac":
            kinds = [operand.kind.name for operand in (i.dst, i.a, i.b)]
            if kinds[0] != "ACC" or kinds[1:] == ["ACC", "ACC"]:
                raise Fault("accumulation")
            self.count["acc_read"] += i.length
        self._streams(i, sources)
        values = [[self.get(operand, 0)] if count == 1 else None for operand, count in sources]
        for index in range(i.length):
            a, b = (self._value(sources, values, side, index) for side in (0, 1))
            a, b = shift(a, i.shift_a), shift(b, i.shift_b)
            if i.spec.name == "vmac":
                self.put(i.dst, index, wrap(self.get(i.dst, index) + a * b))
                continue
            result = MEANING[i.spec.name](a, b)
            self.put(i.dst, index, self._clip(i, round_shift(result, i.shift, i.rounded)))
        lane_passes = 1
        if i.spec.name in ("vmul", "vmac", "vscale"):
            first = min(self._width(i.a), 24) if i.spec.name == "vscale" else self._width(i.a)
            one, other = sorted((first, self._width(i.b)))
            lane_passes = passes(one, other)
            self._multiplications(one, other, i.length)
        return None, 3 + self._stream_cycles(i, sources, lambda count: -(-count // LANES) * lane_passes)

    def _value(self, sources: Any, values: Any, side: int, index: int) -> int:
        if side >= len(sources):
            return 0
        return int(values[side][0]) if values[side] else self.get(sources[side][0], index)

    def _streams(self, i: Any, sources: Any) -> int:
        for operand, count in sources:
            self.check(operand, count)
        self.check_destination(i.dst, i.length)
        reads: Counter[int] = Counter()
        for operand, count in sources:
            self.check_order(i.dst, i.length, operand, count)
            reads += self.words(operand, count)
            self.count["acc_read"] += count if operand.kind.name == "ACC" else 0
        self.count["acc_write"] += i.length if i.dst.kind.name == "ACC" else 0
        self.count["alu"] += i.length
        return self.charge(reads, self.words(i.dst, i.length))

    def _stream_cycles(self, i: Any, sources: Any, steps: Any) -> int:
        """Cycles of a stream of rows, without the start; ``steps``: those of the lanes for a number of elements."""
        writes = [(i.dst, i.length)] if i.dst.in_memory else []
        reads = [(operand, count) for operand, count in sources if operand.in_memory]
        edges = {0, i.length}
        for operand, count in reads + writes:
            size, pair = operand.bits // 8, 16 * self.bank_words
            pairs = [(self.address(operand) + size * index) // pair for index in range(count)]
            edges |= {index - index % LANES for index in range(1, count) if pairs[index] != pairs[index - 1]}
        row = (i.length - 1) // LANES * LANES
        last = max(self._busy(writes, row, i.length), self._busy(writes, row - LANES, row) if row else 1)
        a_row, total = steps(min(i.length, LANES)), last - 1
        for first, end in pairwise(sorted(edges)):
            lanes, busy = steps(end - first), self._busy(reads + writes, first, end, least=0)
            if first == 0:
                one, two = self._busy(reads, 0, LANES), self._busy(reads, 0, 2 * LANES)
                lanes += max(one - 1, two - a_row - 1)
                busy += one - 1
            if end == i.length:
                busy += a_row - 1
            total += max(lanes, busy)
        return total

    def _busy(self, streams: Any, first: int, end: int, least: int = 1) -> int:
        """Words of the busiest bank that hold these elements of the streams."""
        banks: Counter[int] = Counter()
        for operand, count in streams:
            size, start = operand.bits // 8, self.address(operand)
            there = range(first, min(end, count)) if count > 1 or first == 0 else ()
            banks += self.word_banks({(start + size * index + byte) // 8 for index in there for byte in range(size)})
        return max(least, *banks.values(), 0)

    def _width(self, operand: Any) -> int:
        if operand.kind.name != "IMM":
            return int(operand.bits)
        return next(bits for bits in range(1, 65) if wrap(operand.value, bits) == operand.value)

    def _multiplications(self, one: int, other: int, count: int) -> None:
        if other <= 8:
            self.count["mac_8x8"] += count
        elif one <= 8:
            self.count["mac_8x16"] += count * ((other + 15) // 16)
        else:
            self.count["mac_16x16"] += count * ((one + 15) // 16) * ((other + 15) // 16)

    def _lookup(self, i: Any) -> tuple[None, int]:
        ways, entries = 1 << i.ways, 1 << i.bits
        if i.bank + ways > len(self.tables) or i.table + entries > len(self.tables[0]):
            raise Fault("table")
        self._streams(i, [(i.a, i.length)])
        first = self.get(i.a, 0)
        for index in range(i.length):
            address = shift(first if i.length == 1 else self.get(i.a, index), i.shift_a)
            clipped = saturate(address, i.bits)
            self.count["saturated"] += clipped != address
            entry = self.tables[i.bank + index % ways][i.table + clipped + entries // 2]
            self.put(i.dst, index, entry)
        self.count["tm_read"] += i.length
        return None, 4 + self._stream_cycles(i, [(i.a, i.length)], lambda count: (-(-count // ways) + 1) // 2)

    def _interpolate(self, i: Any) -> tuple[None, int]:
        if i.a.bits != 16:
            raise Fault("argument")
        ways = 1 << i.ways
        for row, bank in ((i.offset, i.offset_bank), (i.slope, i.slope_bank)):
            if bank + ways > len(self.tables) or row + 256 > len(self.tables[0]):
                raise Fault("table")
            if any(
                copy[row : row + 256] != self.tables[bank][row : row + 256] for copy in self.tables[bank : bank + ways]
            ):
                raise Fault("copies")
        self._streams(i, [(i.a, i.length)])
        for index in range(i.length):
            line, place = divmod(self.get(i.a, index), 256)
            product = self.tables[i.slope_bank][i.slope + 128 + line] * place // 256
            offset = self.tables[i.offset_bank][i.offset + 128 + line]
            total = wrap(shift(product, i.shift_a) + shift(offset, i.shift_b))
            self.put(i.dst, index, self._clip(i, round_shift(total, i.shift, i.rounded)))
        self.count["tm_read"] += 2 * i.length
        self.count["mac_8x16"] += i.length
        starts = (i.offset_bank, i.slope_bank)
        shared = max(Counter(bank + number for bank in starts for number in range(ways)).values())
        return None, 5 + self._stream_cycles(i, [(i.a, i.length)], lambda count: (-(-count // ways) * shared + 1) // 2)

    def _clip(self, i: Any, value: int) -> int:
        if i.clip in (1, 3):
            self.count["saturated"] += saturate(value, i.bits) != value
            value = saturate(value, i.bits)
            return 0 if i.clip == 3 and value < 0 else value
        return value & ((1 << i.bits) - 1) if i.clip == 2 and i.bits < 64 else value

    def _matrix(self, i: Any) -> tuple[None, int]:
        bits, groups = 4 << i.width, -(-i.rows // LANES)
        if not i.x.in_memory or (i.acc + i.repeat * groups) * LANES > len(self.acc):
            raise Fault("matrix")
        first, end = self.span(i.x, i.columns * i.repeat)
        scan = {byte // 8 for byte in range(first, end)}
        size = 4 if i.form == 3 else 8
        kept, mask_words, known, steps = self._kept(i, i.columns * groups)
        units = self._stored_units(i, kept, mask_words)
        if i.form == 3:
            mask_words, known, steps = self._with_codes(i, kept, mask_words, known, steps)
        self._inside(i.weights, i.weights + (sum(map(len, units)) * size * bits + 63) // 64)
        reads = self.word_banks(scan)
        place, taken, time, found = 0, 0, 0, 0
        lane_passes = passes(max(bits, 8), i.x.bits)
        if i.fresh:
            self.acc[i.acc * LANES : (i.acc + i.repeat * groups) * LANES] = [0] * (i.repeat * groups * LANES)
        for turn in range(i.repeat * i.columns):
            again, column = divmod(turn, i.columns)
            if not column:
                place = 0
                reads += self.word_banks(mask_words)
            x = self.get(i.x, turn)
            numbers = range(column * groups, (column + 1) * groups)
            mine = [output for number in numbers for output in units[number]]
            outputs = [max(min(size, i.rows - output), 0) for output in mine]
            self.count["matrix_stored"] += sum(outputs)
            touched: set[int] = set()
            if x:
                for number, output in enumerate(mine):
                    start = 64 * i.weights + (place + number) * size * bits
                    self._unit(i, 8 * groups * again + output, outputs[number], start, bits, x)
                    touched |= {start // 64, (start + size * bits - 1) // 64}
                scanned = (first + turn * i.x.bits // 8) // 8 - first // 8
                for number in filter(kept.__getitem__, numbers):
                    time = max(time, scanned, known[number] + again * steps) + lane_passes
                    taken += 1
                found += len(mine)
            place += len(mine)
            reads += self.word_banks(touched)
            self.count["activation_live"] += x != 0
        self.count["activation"] += i.columns * i.repeat
        self.count["matrix_dense"] += i.columns * i.repeat * i.rows
        self.count["acc_read"] += 8 * taken
        self.count["acc_write"] += 8 * taken
        self.count["index_group"] += found if i.form else 0
        meet = i.form and self.word_banks({i.mask}) == self.word_banks({first // 8})
        return None, 4 + bool(meet) + max(time, len(scan), i.repeat * steps, self.charge(reads, Counter()))

    def _inside(self, first: int, end: int) -> None:
        if 8 * end > len(self.data):
            raise Fault("weights")

    def _kept(self, i: Any, total: int) -> tuple[list[int], list[int], list[int], int]:
        """A bit for each group, the words of the mask that are read for it, the step that brings it, and all steps."""
        if i.form == 0:
            return [1] * total, [], [0] * total, 0
        count = (total + 7) // 8
        if i.form != 2:
            self._inside(0, i.mask + (count + 7) // 8)
            mask = list(self.data[8 * i.mask : 8 * i.mask + count])
            words = list(range(i.mask, i.mask + (count + 7) // 8))
            known, steps = [number // 8 for number in range(count)], len(words)
        else:
            head = (count + 7) // 8
            self._inside(0, i.mask + (head + 7) // 8)
            there = [self.data[8 * i.mask + number // 8] >> number % 8 & 1 for number in range(count)]
            end = head + sum(there)
            self._inside(0, i.mask + (end + 7) // 8)
            stored = iter(self.data[8 * i.mask + head : 8 * i.mask + end])
            mask = [next(stored) if bit else 0 for bit in there]
            words = list(range(i.mask, i.mask + (head + 7) // 8))
            words += range(i.mask + head // 8, i.mask + (end + 7) // 8) if any(there) else []
            known, last = [0] * count, 0
            for number in range(count):
                if there[number]:
                    last = known[number] = max(last + 1, number // 64 + 1)
            steps = max((head + 7) // 8, last + 1)
        bits = [mask[number // 8] >> number % 8 & 1 for number in range(total)]
        return bits, words, [known[number // 8] for number in range(total)], steps

    def _stored_units(self, i: Any, kept: list[int], flag_words: list[int]) -> list[list[int]]:
        """For each group the first outputs of the units that are stored of it."""
        groups = -(-i.rows // LANES)
        first = [LANES * (number % groups) for number in range(len(kept))]
        if i.form != 3:
            return [[output] if bit else [] for output, bit in zip(first, kept, strict=True)]
        start, found, units = 64 * (i.mask + len(flag_words)), 0, []
        self._inside(0, (start + 2 * sum(kept) + 63) // 64)
        for output, bit in zip(first, kept, strict=True):
            place = start + 2 * found
            code = self.data[place // 8] >> place % 8 & 3 if bit else 0
            units.append([output + 4 * half for half in (0, 1) if code >> half & 1])
            found += bit
        return units

    def _with_codes(
        self, i: Any, kept: list[int], words: list[int], known: list[int], steps: int
    ) -> tuple[list[int], list[int], int]:
        """Words, steps of each group and all steps of a mask whose flags are followed by codes, 32 to a word."""
        later, found = [], 0
        for bit, step in zip(kept, known, strict=True):
            later.append(max(step, found // 32))
            found += bit
        codes = (found + 31) // 32
        return [*words, *range(i.mask + len(words), i.mask + len(words) + codes)], later, max(steps, codes)

    def _unit(self, i: Any, output: int, count: int, start: int, bits: int, x: int) -> None:
        """Add ``count`` weights from bit ``start`` on, those of consecutive outputs, times one activation."""
        for number in range(count):
            bit = start + number * bits
            raw = int.from_bytes(self.data[bit // 8 : bit // 8 + max(bits // 8, 1)], "little")
            row = i.acc * LANES + output + number
            self.acc[row] = wrap(self.acc[row] + wrap(raw >> bit % 8, bits) * x)
            self.count["matrix_executed"] += 1
            one, other = sorted((max(bits, 8), i.x.bits))
            self._multiplications(one, other, 1)

    def _control(self, i: Any) -> tuple[int | None, int]:
        if i.spec.name == "jump":
            return i.target, 2
        if i.register == 0:
            raise Fault("register")
        moves = {
            "setb": 0,
            "addb": self.bases[i.register],
            "movb": self.bases[i.source],
            "loop": self.bases[i.register] - 1,
        }
        self.bases[i.register] = wrap(moves[i.spec.name] + i.value, 20)
        taken = i.spec.name == "loop" and self.bases[i.register] != 0
        return (i.target, 2) if taken else (None, 1)

    def _element(self, i: Any) -> tuple[int | None, int]:
        if not i.a.in_memory or (i.spec.name == "ldb" and i.register == 0):
            raise Fault("element")
        self.check(i.a, 1)
        self.charge(self.words(i.a, 1), Counter())
        value = shift(self.get(i.a, 0), i.shift_a)
        if i.spec.name == "ldb":
            self.bases[i.register] = wrap(value, 20)
            return None, 3
        return (i.target, 5) if (value == 0) == (i.spec.name == "bez") else (None, 3)
