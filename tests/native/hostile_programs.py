"""Programs of several cores that nobody means: random instructions that disturb their own weights and each other."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from femtodriver.errors import AssemblyError
from femtodriver.isa import ISA
from femtodriver.machine.decode_rows import decode_rows
from femtodriver.machine.rows import FaultRow
from femtodriver.part import Part
from tests.machine.machine_bench import SMALL4, image
from tests.machine.test_machine import Program

_VECTORS = ("vpass", "vadd", "vsub", "vmul", "vmax", "vgt", "veq", "vxor", "vmac")
_LENGTHS = (1, 2, 7, 8, 9, 17, 64, 65)
_SHIFTS = (0, 0, 0, -1, 8, -31, -33, 31, 63, -64)


def hostile_part(rng: random.Random) -> Part:
    """A part of four cores, small in another way each time."""
    return replace(
        SMALL4, dm_banks=rng.choice((2, 4, 8, 16)), acc_rows=rng.choice((2, 8, 20)), router_words=rng.choice((4, 256))
    )


def hostile_program(rng: random.Random, part: Part) -> Program:
    """One to four cores; a message of one word wakes core 0 at PC 0. There may be an output that never comes."""
    mems = {index: _images(rng, part) for index in range(rng.randint(1, part.cores))}
    record = {"core": 0, "len_64b_words": 1, "dtype": "V_D", "precision": "DBL"}
    metadata = {
        **{name: {index: {} for index in mems} for name in ("data_bank_sizes", "table_bank_sizes")},
        "inst_counts": {index: len(images["IM"][0]) for index, images in mems.items()},
        "inputs": {"x": {**record, "pc_val": 0 if rng.random() < 0.97 else (1 << 32) - 1}},
        "outputs": {"y": {**record, "mailbox_id": 0}} if rng.random() < 0.2 else {},
    }
    return Program(metadata, mems)


def _images(rng: random.Random, part: Part) -> dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.uint64]]]]:
    words = list(ISA.parse("recv address=0 length=1").encode())
    starts = [0, len(words)]
    tables = np.full((part.tm_banks, part.tm_bank_words), rng.randrange(-99, 99), np.int64)
    for _ in range(rng.randint(6, 60)):
        try:
            encoded = list(ISA.parse(_line(rng, part, rng.choice(starts))).encode())
        except AssemblyError:
            continue
        refused = any(isinstance(row, FaultRow) for row in decode_rows(encoded, part, tables).values())
        if not refused or rng.random() < 0.01:
            words += encoded
            starts.append(len(words))
    words += ISA.parse("end").encode()
    return {
        "DM": [image(rng.randbytes(8 * part.dm_words), part)],
        "TM": [tables.reshape(-1).astype(np.int16).view(np.uint16).astype(np.uint64)],
        "IM": [np.array(words, np.uint64)],
        "SB": [np.array([1, 2], np.uint64)],
        "PB": [np.array([rng.choice(starts), rng.choice((*starts, 400))], np.uint64)],
        "RQ": [np.zeros(0, np.uint64)],
    }


def _memory(rng: random.Random, part: Part) -> str:
    bits, end = rng.choice((8, 16, 32)), 8 * part.dm_words
    address = rng.choice((rng.randrange(end), rng.randrange(64), end - bits)) // (bits // 8) * (bits // 8)
    return f"[{rng.choice(('', '', 'b1+', 'b2+'))}{address}]:i{bits}"


def _source(rng: random.Random, part: Part) -> str:
    return rng.choice((_memory(rng, part), _memory(rng, part), "a0", "a1:i16", f"#{rng.randint(-300, 300)}"))


def _line(rng: random.Random, part: Part, target: int) -> str:
    """An instruction as text. ``target``: where it goes to if it goes somewhere."""
    register, word, shift = rng.randint(1, 2), rng.randrange(part.dm_words), f"shift_a={rng.choice(_SHIFTS)}"
    stream = f"length={rng.choice(_LENGTHS)} {shift}"
    to = rng.choice((_memory(rng, part), f"a{rng.choice((0, 1, part.acc_rows - 1))}"))
    result = (
        f"shift={rng.choice(_SHIFTS)} rounded={rng.randint(0, 1)} clip={rng.randint(0, 3)} bits={rng.randint(1, 64)}"
    )
    product = f"columns={rng.choice(_LENGTHS)} rows={rng.choice(_LENGTHS[:-2])} weights={rng.randrange(part.dm_words)}"
    return rng.choice(
        (
            f"{rng.choice(_VECTORS)} {to}, {_source(rng, part)}, {_source(rng, part)} {stream} {result}",
            f"lut {to}, {_source(rng, part)} {stream} bits={rng.choice((1, 4, 8))} ways={rng.randint(0, 2)}",
            f"interp {to}, {_memory(rng, part)} {stream} {result} slope=44 slope_bank=1",
            f"mac {_memory(rng, part)} acc={rng.randrange(part.acc_rows)} {product} mask={word} "
            f"width={rng.randint(0, 2)} form={rng.randint(0, 3)} fresh={rng.randint(0, 1)} repeat={rng.randint(1, 3)}",
            f"{rng.choice(('recv', 'send', 'out'))} address={8 * word} length={rng.choice((0, 1, 1, 30))} "
            f"core={rng.choice((0, 1, 1, 9))} target={target}",
            f"signal core={rng.randint(0, 1)} thread={rng.choice((0, 1, 1, 5))}",
            f"setb register={register} value={rng.choice((8, 16, rng.randrange(300), -8))}",
            f"addb register={register} value={rng.choice((8, -8))}",
            f"loop register={register} target={target}",
            f"{rng.choice(('ldb', 'bez', 'bnz'))} {_memory(rng, part)} {shift} target={target} register={register}",
        )
    )
