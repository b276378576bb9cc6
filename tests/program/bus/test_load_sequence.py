"""Load sequences: order, registers, bursts, and programs that cannot be loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.errors import FemtoError, ProgramError, UsageError
from femtodriver.program.bus.load_sequence import chip_init, load_sequence
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.bus.write_recordings import apb_files
from femtodriver.program.compiled_data import CompiledData
from tests.program.program_samples import golden_program, rich_program, words

WORKED_EXAMPLE = """\
00000018 00000000
00000028 00000000
00000024 00000000
00000020 00000000
0000001c 00000000
00000064 00005098
00000064 00011098
00000034 00005098
00000034 00011098
00100000 33334444
00100004 11112222
001c0000 bbbb0001
001c0004 aaaa0000
001f0000 05060708
001f0004 01020304
"""


def _lines(records: tuple[Transaction, ...]) -> str:
    addresses, data = apb_files(records)
    return "".join(f"{a} {d}\n" for a, d in zip(addresses.split(), data.split(), strict=True))


def test_the_worked_example_of_the_specification() -> None:
    assert _lines(load_sequence(golden_program())) == WORKED_EXAMPLE


def test_what_is_not_apb() -> None:
    first = [(r.msgtype, r.start_addr, r.end_addr, r.vals) for r in chip_init()]
    assert first == [
        ("host", 0, 1, (0,)),
        ("spu_top", 8, 12, (0x40,)),
        ("spu_top", 0, 4, (0x800,)),
        ("spu_top", 0, 4, (0,)),
    ]
    assert [r.vals for r in load_sequence(golden_program())[:4]] == [vals for *_, vals in first]


def test_pll_programming() -> None:
    pll = [(r.direction, r.start_addr, r.vals) for r in chip_init(program_pll=True)][1:-3]
    assert pll == [
        ("w", 0x0C, (60,)),
        ("w", 0x10, (0,)),
        ("w", 0x14, (121,)),
        ("w", 0x18, (0,)),
        ("w", 0x08, (1,)),
        ("w", 0x08, (0,)),
        ("r", 0x1C, ()),
    ]


def test_key_and_salt() -> None:
    text = _lines(load_sequence(golden_program(), key_index=31, salt=0x1111222233334444))
    assert text.splitlines()[:5] == [
        "00000018 0000001f",
        "00000028 00004444",
        "00000024 00003333",
        "00000020 00002222",
        "0000001c 00001111",
    ]


def test_key_and_salt_of_the_metadata() -> None:
    stored = {"encrypted": True, "encryption_key_index": 7, "encryption_key_salt": 0xABCD}
    text = _lines(load_sequence(golden_program(**stored)))
    assert text.splitlines()[:2] == ["00000018 00000007", "00000028 0000abcd"]
    text = _lines(load_sequence(golden_program(**stored), key_index=1, salt=2))
    assert text.splitlines()[:2] == ["00000018 00000001", "00000028 00000002"]


def test_banks_of_two_cores_in_order() -> None:
    data = rich_program()
    records = [record for record in load_sequence(data) if record.msgtype == "apb"]
    powered = [record.start_addr for record in records if 0x34 <= record.start_addr < 0x9C]
    assert powered == [0x64, 0x64, 0x34, 0x34, 0x38, 0x38, 0x54, 0x54, 0x98, 0x98, 0x68, 0x68]
    bursts = [(record.start_addr, record.length) for record in records if record.start_addr >= 0x100000]
    assert bursts == [
        (0x100000, 140),
        (0x110000, 6),
        (0x180000, 10),
        (0x1C0000, 8),
        (0x1E0000, 8),
        (0x1F0000, 80),
        (0x200000, 2),
        (0x2D0000, 4),
        (0x2F0000, 18),
        (0x1FFFE8, 2),
        (0x2FFFE8, 2),
    ]
    assert [record.vals for record in records[-2:]] == [(0, 0), (2, 0)]
    second = next(record for record in records if record.start_addr == 0x110000)
    assert list(second.vals[::2]) == [int(word) & 0xFFFFFFFF for word in data.image(0, "DM")[8192:8195]]


def test_the_unused_tail_of_an_image_is_not_sent() -> None:
    data = golden_program()
    data.mems_per_core[0]["IM"] = [np.arange(4096, dtype=np.uint64)]
    data.mems_per_core[0]["DM"] = [np.full(65536, 0x1111222233334444, np.uint64)]
    assert len(_lines(load_sequence(data)).splitlines()) == 15


@pytest.mark.parametrize(
    ("program", "options", "kind", "sentence"),
    [
        (golden_program(), {"key_index": 32}, UsageError, r"key index: must be in 0\.\.\.31, not 32"),
        (golden_program(), {"salt": 1 << 64}, UsageError, r"salt: must be below 2\^64"),
        (golden_program(), {"salt": -1}, UsageError, r"salt: must be below 2\^64"),
        (rich_program(), {"encrypted": True}, ProgramError, "core 1: the ready queue of an encrypted program must be"),
        (golden_program(data_bank_sizes={0: {0: 2}}), {}, ProgramError, "the DM image of core 0 must have at least 2"),
        (
            golden_program(femto={"part": 4}),
            {},
            ProgramError,
            "must be one for the memory map of the SPU-001",
        ),
        (CompiledData(), {}, ProgramError, "metadata: the key 'data_bank_sizes' is missing"),
    ],
)
def test_programs_that_cannot_be_loaded(
    program: CompiledData, options: dict[str, Any], kind: type[FemtoError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        load_sequence(program, **options)


@pytest.mark.parametrize(
    ("memory", "count", "sentence"),
    [
        ("SB", 65, "SB of core 0 must have at most 64 words on open SPU, not 65"),
        ("IM", 4097, "IM of core 0 must have at most 4096 words on open SPU, not 4097"),
        ("DM", 8193, "DM0 of core 0 must have at most 8192 words on open SPU, not 8193"),
        ("TM", 2049, "TM0 of core 0 must have at most 2048 words on open SPU, not 2049"),
    ],
)
def test_images_that_do_not_fit_the_map(memory: str, count: int, sentence: str) -> None:
    data = golden_program()
    data.mems_per_core[0][memory] = [np.ones(count, np.uint64)]
    key = {"IM": "inst_counts", "DM": "data_bank_sizes", "TM": "table_bank_sizes"}.get(memory)
    if key == "inst_counts":
        data.metadata[key] = {0: count}
    elif key:
        data.metadata[key] = {0: {0: count}}
    with pytest.raises(ProgramError, match=f"program: {sentence}"):
        load_sequence(data)


def test_power_up_follows_the_order_of_the_metadata() -> None:
    data = golden_program(data_bank_sizes={0: {1: 1, 0: 1}})
    data.mems_per_core[0]["DM"] = [np.ones(8193, np.uint64)]
    powered = [r.start_addr for r in load_sequence(data) if r.start_addr in (0x34, 0x38)]
    assert powered == [0x38, 0x38, 0x34, 0x34]
    assert words(1).dtype == np.uint64
