"""Mutated client traffic against the board's side of a connection: answered, ignored or noted, nothing else, and soon.

    python -m tests.device.board_fuzz 1000000 [seed]

The run prints how many mutants there were of each kind, what the board noted, the slowest mutant and the memory.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from femtodriver.device.virtual import program_engine
from femtodriver.device.virtual.output_queue import MOST_WORDS
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_side import MOST_MESSAGE, Connection
from femtodriver.device.zcu104.entries import Code, axis_fields, entries, to_bytes
from femtodriver.machine.run_budget import RunLimits
from femtodriver.program.bus.load_sequence import load_sequence
from tests.device.networks import PART, compiled

PROGRAMS = ("identity", "accumulator", "two_in_three_out")
# Building a machine takes milliseconds: whole sessions are rare, traffic with a loaded board is the rule.
SESSION_EVERY = 50
# A mutated program may loop forever; the limit of a real board would make a fuzz run of it wait for seconds.
INSTRUCTIONS = 3000
_CODES = {"apb": Code.APB_WRITE, "spu_top": Code.TOP_WRITE, "host": Code.HOST_WRITE}
_SMALL = (0, 1, 2, 4, 5, 7, 8, 31, 32, 63, 64, 255, 0x1F, 0x34, 0x40, 0x64, 0x800, 0x5098, 0x11098, 0xFFFF)
_NUMBERS = (*_SMALL, 0x100000, 0x1C0000, 0x1F0000, 0x1FFFE8, 0x2F0000, 0xFFFFFFF, 0x10000000, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass
class Tally:
    """What happened."""

    mutants: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    frames: int = 0
    slowest_s: float = 0.0
    most_waiting: int = 0


def loading(name: str) -> bytes:
    """What a client sends to load a program."""
    parts = []
    for record in load_sequence(compiled(name)):
        step = 1 if record.msgtype == "host" else 4
        addresses = record.start_addr + step * np.arange(record.length)
        parts.append(to_bytes(entries(_CODES[record.msgtype], addresses, np.array(record.vals, np.uint32))))
    return b"".join(parts)


def frame(name: str) -> bytes:
    """What a client sends for a frame."""
    info = compiled(name).info()
    parts = []
    for record in info.inputs:
        words = np.zeros(2 + 2 * record.words, np.uint32)
        words[:2] = record.core, record.pc_val
        words[2:] = np.arange(2 * record.words)
        parts.append(entries(Code.AXIS_WRITE, axis_fields(len(words)), words))
    wanted = sum(record.words + 1 for record in info.outputs)
    parts += [entries(Code.TOP_READ, [0x24], 0), entries(Code.AXIS_READ, [wanted], 0)]
    parts += [entries(Code.APB_READ, 0x100000 + 4 * np.arange(8), 0)]
    return b"".join(to_bytes(part) for part in parts)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """One to four changes: bits, whole numbers, entries that vanish, repeat or change places, a cut anywhere."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        kind = rng.randrange(7)
        at = 8 * rng.randrange(len(changed) // 8 + 1)
        if kind == 0 and changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at + 4 : at + 8] = rng.choice(_NUMBERS).to_bytes(4, "little")
        elif kind == 2:
            head = rng.randrange(16) << 28 | rng.choice(_NUMBERS) & 0xFFFFFFF
            changed[at : at + 4] = head.to_bytes(4, "little")
        elif kind == 3:
            del changed[at : at + 8 * rng.choice((1, 1, 2, 8))]
        elif kind == 4:
            changed[at:at] = changed[at : at + 8 * rng.choice((1, 2, 8, 64))]
        elif kind == 5:
            del changed[rng.randrange(len(changed) + 1) :]
        else:
            changed[at:at] = rng.randbytes(rng.choice((1, 4, 8, 16, 64)))
    return bytes(changed)


class Target:
    """A board with a program, and the client's good traffic."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.board = VirtualBoard(PART)
        self.load, self.frame = loading(name), frame(name)
        self.reload()

    def reload(self) -> None:
        """A fresh connection and a loaded board."""
        self.connection = Connection(self.board)
        self.connection.feed(self.load)

    def feed(self, rng: random.Random, data: bytes) -> int:
        """Feed in random pieces; the bytes of the answers."""
        answered = 0
        while data:
            size = rng.choice((1, 7, 8, 13, 64, 512, 65536))
            answered += len(self.connection.feed(data[:size]))
            data = data[size:]
        return answered


def run(count: int, seed: int = 0) -> Tally:
    """``count`` mutants. Any exception passes through; AssertionError when the board keeps more than it may."""
    rng = random.Random(seed)
    tally = Tally()
    limits, program_engine.LIMITS = program_engine.LIMITS, RunLimits(instructions=INSTRUCTIONS)
    try:
        targets = [Target(name) for name in PROGRAMS]
        for index in range(count):
            _one(rng, targets[index % len(targets)], index, tally)
    finally:
        program_engine.LIMITS = limits
    for target in targets:
        tally.noted.update(target.board.violations.counts)
        tally.frames += target.board.frames
    return tally


def _one(rng: random.Random, target: Target, index: int, tally: Tally) -> None:
    session = rng.randrange(SESSION_EVERY) == 0
    data = mutate(rng, target.load + target.frame if session else target.frame)
    tally.mutants["session" if session else "frame"] += 1
    started = time.perf_counter()
    try:
        tally.answered += target.feed(rng, data)
        if session or rng.randrange(20) == 0:
            target.connection.end()
            target.reload()
    except BaseException:
        sys.stderr.write(f"mutant {index} of {target.name}: {data.hex()}\n")
        raise
    tally.slowest_s = max(tally.slowest_s, time.perf_counter() - started)
    tally.most_waiting = max(tally.most_waiting, target.board.outbox.words)
    assert target.board.outbox.words <= MOST_WORDS
    assert target.connection._message._count <= MOST_MESSAGE or not target.connection._message._parts
    assert len(target.board.violations.recent) <= 200


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    begun = time.perf_counter()
    result = run(wanted, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{wanted} mutants in {time.perf_counter() - begun:.0f} s: {dict(result.mutants)}")
    print(f"noted {dict(result.noted)}; {result.frames} frames ran; {result.answered} bytes of answers")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"slowest {1000 * result.slowest_s:.0f} ms; peak {peak} MB")
