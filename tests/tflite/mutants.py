"""Damaged copies of good TFLite files, for finding anything but "loaded" and "refused".

The suite tries twenty thousand; for a long run:  python -m tests.tflite.mutants 300000
"""

from __future__ import annotations

import contextlib
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from femtodriver.errors import ModelError
from femtodriver.fqir.reference import Reference
from femtodriver.tflite.import_network import import_network
from tests.tflite.measure_reader import outcome
from tests.tflite.sample_models import samples
from tests.tflite.tflite_writer import write

INTERESTING = (0, 1, -1, 2, 4, 127, 128, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40)


def seeds() -> list[bytes]:
    """Good files that between them contain all that is understood."""
    return [write(table) for table in samples().values()]


def mutant(source: random.Random, data: bytes) -> bytes:
    """The bytes with one to three small damages; the lengths of most stay, so that offsets keep their meaning."""
    found = bytearray(data)
    for _ in range(source.randint(1, 3)):
        _damage(source, found)
    return bytes(found)


def _damage(source: random.Random, found: bytearray) -> None:
    change: Callable[[random.Random, bytearray, int], None]
    (change,) = source.choices((_flip, _number, _copy, _cut, _insert), (40, 40, 16, 2, 2))
    change(source, found, source.randrange(len(found)) if found else 0)


def _flip(source: random.Random, found: bytearray, at: int) -> None:
    if found:
        found[at] ^= 1 << source.randrange(8)


def _number(source: random.Random, found: bytearray, at: int) -> None:
    """One of the numbers at which sizes, counts and types begin or end."""
    size = source.choice((1, 2, 4, 4, 8))
    at -= at % size
    number = source.choice((*INTERESTING, source.randrange(64))) & ((1 << 64) - 1)
    piece = struct.pack("<Q", number)[:size]
    found[at : at + size] = piece[: len(found) - at]


def _copy(source: random.Random, found: bytearray, at: int) -> None:
    """Four bytes of the file at another place: offsets that lead to the wrong kind of thing."""
    start = source.randrange(max(len(found) // 4, 1)) * 4
    at -= at % 4
    piece = found[start : start + 4]
    found[at : at + len(piece)] = piece[: max(len(found) - at, 0)]


def _cut(source: random.Random, found: bytearray, at: int) -> None:
    del found[at:]


def _insert(source: random.Random, found: bytearray, at: int) -> None:
    found[at:at] = bytes(source.choice((1, 2, 4, 16)))


def run(count: int, seed: int, good: Sequence[bytes]) -> Counter[str]:
    """How many mutants were loaded and refused; every sixteenth of the loaded ones is made a network of."""
    source, verdicts = random.Random(seed), Counter[str]()
    for _ in range(count):
        data = mutant(source, source.choice(good))
        verdict, _ = outcome(data)
        verdicts[verdict] += 1
        if verdict == "loaded" and verdicts[verdict] % 16 == 0:
            _to_network(data)
    return verdicts


def _to_network(data: bytes) -> None:
    with contextlib.suppress(ModelError):
        Reference(import_network(data, "net"))


if __name__ == "__main__":
    from tests.tflite.real_models import real_models

    chosen = [*seeds(), *real_models().values()]
    print(dict(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1, chosen)))
