"""How fast single instructions of the native loop are: vectors of 64 elements, and ``mac`` beside the host's BLAS."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from femtodriver.isa import ISA
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import Part, load_part

VECTORS = {
    "vadd i16 = i16 + i16, saturated": "vadd [0x8{at:03x}]:i16, [0x0]:i16, [0x100]:i16 length=64 clip=1 bits=16",
    "vmul i16 = i16 * i16, rounded": (
        "vmul [0x8{at:03x}]:i16, [0x0]:i16, [0x100]:i16 length=64 shift=-15 rounded=1 clip=1 bits=16"
    ),
    "vpass i16 = acc, rounded": "vpass [0x8{at:03x}]:i16, a{acc}, #0 length=64 shift=-8 rounded=1 clip=1 bits=16",
    "vadd acc = acc + i16": "vadd a{acc}, a{acc}, [0x100]:i16 length=64",
    "vmul acc = i16 * i16": "vmul a{acc}, [0x0]:i16, [0x100]:i16 length=64",
}
INSTRUCTIONS, PRODUCTS, SIZE = 512, 16, 512
# In which numbers the host does such products without rounding a sum, by the bits of the activations.
EXACT = {8: ("float32", "float64", "int32"), 16: ("float64", "int64")}


@dataclass
class OneCore:
    """A program of one core that a message of one word wakes."""

    metadata: dict[str, Any]
    mems_per_core: dict[int, Any]


def one_core(lines: list[str], data: bytes, part: Part) -> OneCore:
    """``data``: the first bytes of data memory."""
    words = [word for line in ("recv address=0 length=1", *lines, "end") for word in ISA.parse(line).encode()]
    memory = np.zeros(part.dm_words, np.uint64)
    memory.view(np.uint8)[: len(data)] = np.frombuffer(data, np.uint8)
    # The words of a pair of banks take turns in memory; in the image one bank follows the other.
    image = memory.reshape(-1, part.dm_bank_words, 2).swapaxes(1, 2).reshape(-1)
    record = {"core": 0, "pc_val": 0, "len_64b_words": 1, "dtype": "V_D", "precision": "DBL"}
    metadata: dict[str, Any] = {
        "data_bank_sizes": {0: {}},
        "table_bank_sizes": {0: {}},
        "inst_counts": {0: len(words)},
        "inputs": {"x": record},
        "outputs": {},
    }
    nothing = np.zeros(0, np.uint64)
    tables = np.zeros(part.tm_banks * part.tm_bank_words, np.uint64)
    images = {"DM": [image], "TM": [tables], "IM": [np.array(words, np.uint64)]}
    return OneCore(metadata, {0: {**images, "SB": [nothing], "PB": [nothing], "RQ": [nothing]}})


def nanoseconds(work: Callable[[], object], times: int, rounds: int = 7) -> float:
    """CPU time of one of the ``times`` things that ``work`` does: the median of rounds."""
    work()
    found = []
    for _ in range(rounds):
        start = time.process_time_ns()
        repeats = 0
        while repeats == 0 or time.process_time_ns() - start < 20_000_000:
            work()
            repeats += 1
        found.append((time.process_time_ns() - start) / repeats / times)
    return statistics.median(found)


def machine_of(lines: list[str], data: bytes) -> Callable[[], object]:
    """A function that runs these instructions in each of 16 frames."""
    part = load_part()
    machine = NativeMachine(one_core(lines, data, part), part)
    frames = {"x": np.tile(np.array([3, -5, 7, 11]), (16, 1))}
    return lambda: machine.run(frames)


def vector_rows() -> Iterator[tuple[str, float]]:
    """Name and nanoseconds of each kind of vector instruction."""
    data = np.random.default_rng(0).integers(-3000, 3000, 1024).astype(np.int16).tobytes()
    for name, text in VECTORS.items():
        lines = [text.format(at=128 * (n % 8), acc=8 * (n % 4)) for n in range(INSTRUCTIONS)]
        yield name, nanoseconds(machine_of(lines, data), 16 * INSTRUCTIONS)


def matrix_rows() -> Iterator[tuple[str, float]]:
    """Name and MAC/ns of our products, and of the host's exact ones of the same shape."""
    numbers = np.random.default_rng(0)
    weights = numbers.integers(-128, 128, (SIZE, SIZE))
    for bits in (8, 16):
        x = numbers.integers(1, 1 << (bits - 1), SIZE)
        element = np.dtype(f"int{bits}")
        data = x.astype(element).tobytes().ljust(2048, b"\0") + weights.astype(np.int8).tobytes()
        line = f"mac [0x0]:i{bits} acc=0 columns={SIZE} rows={SIZE} weights=256 width=1 fresh=1"
        taken = nanoseconds(machine_of([line] * PRODUCTS, data), 16 * PRODUCTS)
        yield f"mac, 8-bit weights, {bits}-bit activations", SIZE * SIZE / taken
        for kind in EXACT[bits]:
            matrix, vector = np.ascontiguousarray(weights.T.astype(kind)), x.astype(kind)
            taken = nanoseconds(partial(np.matmul, matrix, vector), 1)
            yield f"NumPy, {bits}-bit activations as {kind}, exact too", SIZE * SIZE / taken
