"""Mutated files against every reader of the program room: each is read or refused, nothing else, and soon.

    python -m tests.program.program_fuzz 1000000 [seed]

The run prints how many mutants were read and refused per reader, the slowest one, and the peak memory.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from femtodriver.errors import FemtoError
from femtodriver.program import archive
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_apb_files, read_recordings
from femtodriver.program.bus.write_recordings import recording_yaml
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.images import read_hex, write_hex
from tests.program.program_samples import femto, golden_program, rich_program

_PIECES = (
    *(b"", b"\x00", b"\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\n", b"0x", b"-1", b"99999999999999999999"),
    *(
        b"!!python/object:x ",
        b"&a ",
        b"*a",
        b"[",
        b"{",
        b"- ",
        b": ",
        b"? ",
        b"<<: ",
        b"'",
        b'"',
        b"\t",
        b"1e999",
        b"\xc3",
    ),
    *(b"metadata.yaml", b"../", b"PK\x01\x02", b"PK\x05\x06", b"1:30", b"0b1", b"null", b".inf", b"\xef\xbb\xbf", b"%"),
)


@dataclass
class Tally:
    """What happened to the mutants of one reader."""

    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    messages: set[str] = field(default_factory=set)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """One to four small changes: bits, bytes, numbers, pieces inserted, cut, doubled or swapped."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        span = rng.choice((1, 1, 2, 4, 16, 64))
        kind = rng.randrange(7)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 2:
            changed[at : at + span] = rng.choice(_PIECES)
        elif kind == 3:
            changed[at:at] = rng.choice(_PIECES)
        elif kind == 4:
            del changed[at : at + span * rng.choice((1, 1, 8))]
        elif kind == 5:
            changed[at:at] = changed[at : at + span]
        else:
            other = rng.randrange(len(changed) + 1)
            changed[at : at + span] = changed[other : other + span]
    return bytes(changed)


def _use(data: CompiledData) -> None:
    """What users do with a program that was read: write it again in every form."""
    data.to_zip_bytes()
    load_sequence(data)
    femto(data)


def _femto(data: bytes) -> None:
    file = FemtoFile.parse(data)
    _use(CompiledData.from_femto(file))


def _zip(data: bytes) -> None:
    _use(CompiledData.read_from_zip(data))


def _hex(data: bytes) -> None:
    read_hex(data)


def _recording(data: bytes) -> None:
    read_recordings(data)


def _apb(data: bytes) -> None:
    half = len(data) // 2
    read_apb_files(data[:half], data[half:])


def _member(name: str, files: dict[str, bytes]) -> Callable[[bytes], None]:
    """A reader of archives whose file ``name`` is replaced."""
    return lambda content: _zip(archive.write_zip({**files, name: content}))


def readers() -> dict[str, tuple[Callable[[bytes], None], bytes]]:
    """Name -> (reader, a good file)."""
    rich, small = rich_program(second_bank=False), golden_program()
    files = archive.read_zip(rich.to_zip_bytes())
    image = "test_core_0_sboard_initial_py_hex.txt"
    found: dict[str, tuple[Callable[[bytes], None], bytes]] = {
        "femto A": (_femto, femto(rich, "A")),
        "femto B-packed": (_femto, femto(rich, "B-packed", userdata=b'{"a": 1}')),
        "femto B-aligned": (_femto, femto(small, "B-aligned", userdata=b"opaque")),
        "zip": (_zip, small.to_zip_bytes()),
        "metadata": (_member("metadata.yaml", files), files["metadata.yaml"]),
        "image": (_member(image, files), files[image]),
        "hex": (_hex, write_hex(rich.image(0, "IM"))),
        "recording": (
            _recording,
            recording_yaml({"0PROG": load_sequence(small), "RHS": ()}).encode(),
        ),
        "0PROG": (_apb, b"00000018\n00000028\n00000000\n00000000\n"),
    }
    return found


def run(count: int, seed: int = 0) -> dict[str, Tally]:
    """``count`` mutants, shared among the readers. Any exception but a FemtoError passes through."""
    rng = random.Random(seed)
    tallies: dict[str, Tally] = {}
    table = readers()
    for index in range(count):
        name = list(table)[index % len(table)]
        reader, good = table[name]
        tally = tallies.setdefault(name, Tally())
        data = mutate(rng, good)
        started = time.perf_counter()
        try:
            reader(data)
            tally.read += 1
        except FemtoError as error:
            tally.refused += 1
            tally.messages.add(str(error)[:80])
        except BaseException:
            sys.stderr.write(f"mutant {index} of seed {seed}, {name}: {data!r}\n")
            raise
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - started)
    return tallies


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for label, result in run(wanted, int(sys.argv[2]) if len(sys.argv) > 2 else 0).items():
        slow = f"slowest {1000 * result.slowest_s:.0f} ms"
        print(f"{label:16} read {result.read:8} refused {result.refused:8} {slow}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
