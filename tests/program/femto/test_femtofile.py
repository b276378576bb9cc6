"""Containers: what reading keeps, files and banks, and what damaged files are told."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import FemtoError, InputError, ProgramError, UsageError
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_records import (
    CORE_OFF,
    CORE_ON,
    FemtoCore,
    FemtoHeader,
)
from femtodriver.program.femto.femtofile import FemtoFile
from tests.program.program_samples import femto, golden_program, rich_program


def test_big_endian_files_keep_their_byte_order() -> None:
    for layout in ("A", "B-packed"):
        little = FemtoFile.parse(femto(rich_program(), layout))
        big = FemtoFile(FemtoHeader(layout, little.header.producer, byte_order=2), little.model, little.spu)
        big.banks = little.banks
        read = FemtoFile.parse(big.serialize())
        assert (read.header.byte_order, read.notes) == (2, ())
        assert read.serialize() == big.serialize() != little.serialize()
        assert CompiledData.from_femto(read).to_zip_bytes() == CompiledData.from_femto(little).to_zip_bytes()


def test_names_are_cut_at_a_code_point() -> None:
    for layout, most in (("A", 16), ("B-aligned", 32)):
        read = FemtoFile.parse(femto(golden_program(), layout, name="ä" * 9 + "xä" * 9))
        assert len(read.model.name.encode()) <= most
        assert ("ä" * 9 + "xä" * 9).startswith(read.model.name)
        assert len(read.model.name.encode()) >= most - 1


def test_unusual_content_is_kept_and_noted() -> None:
    data = bytearray(femto(golden_program(), userdata=b"opaque"))
    data[74:78] = b"\x01\x02\x03\x04"
    data[98 + 30] = 0  # filler
    file = FemtoFile.parse(bytes(data))
    assert file.header.checksum == 0x04030201
    assert file.notes == (
        "written again, the file would differ, first at offset 0x80",
        "the checksum is 0x4030201; writers store 0",
    )


def test_layouts_that_there_are_not() -> None:
    with pytest.raises(UsageError, match="layout: must be one of A, B-packed, B-aligned, not 'C'"):
        FemtoFile(FemtoHeader("C"))
    with pytest.raises(UsageError, match="layout: must be one of A, B-packed, B-aligned, not 'C'"):
        FemtoFile().converted("C")


@pytest.mark.parametrize("first", ["A", "B-packed", "B-aligned"])
@pytest.mark.parametrize("second", ["A", "B-packed", "B-aligned"])
def test_the_model_type_keeps_its_meaning_in_another_layout(first: str, second: str) -> None:
    codes = {"A": 40, "B-packed": 3, "B-aligned": 3}
    there = FemtoFile.parse(femto(golden_program(), first, model_type="AINR")).converted(second)
    assert (there.layout, there.model.type_code) == (second, codes[second])
    assert FemtoFile.parse(there.serialize()).model.type_code == codes[second]


def test_all_problems_of_the_banks_are_collected() -> None:
    damaged = _patched("B-aligned", (0x147, b"\x00"), (0x151, b"\x00"))
    problems: list[str] = []
    FemtoFile.parse(damaged, "x", problems)
    assert problems[:1] == ["x: DM0 of core 0 must not be off, because pages carry words for it."]
    with pytest.raises(ProgramError, match="x: DM0 of core 0 must not be off"):
        FemtoFile.parse(damaged, "x")


def test_export_and_import(tmp_path: Path) -> None:
    file = FemtoFile()
    file.fill_memory(1, "DM3", [1, 2, 3, 4])
    path, size = file.export_file(tmp_path / "new", "model")
    assert (path, size) == (str(tmp_path / "new" / "model.femto"), Path(path).stat().st_size)
    again = FemtoFile.import_file(path)
    assert again.banks[1, "DM3"].tolist() == [1, 2, 3, 4]
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["model.femto"]
    with pytest.raises(ProgramError, match=r"export_file: a file name must be plain, without folders, not '\.\./x'"):
        file.export_file(tmp_path, "../x")


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        ((2, "DM0", [0]), UsageError, r"the core must be one of \[0, 1\], not 2"),
        ((0, "DM8", [0]), UsageError, "the bank must be one of DM0, .* IM, not 'DM8'"),
        ((0, "SB", np.zeros(129, int)), InputError, "SB holds at most 128 32-bit words, not 129"),
        ((0, "SB", [1 << 32]), InputError, r"words must be in 0\.\.\.2\^32-1"),
        ((0, "SB", [-1]), InputError, r"words must be in 0\.\.\.2\^32-1"),
        ((0, "SB", [5, -1]), InputError, r"words must be in 0\.\.\.2\^32-1"),
        ((0, "SB", np.ma.masked_array([1, 2], [False, True])), InputError, "must be a plain array, not a masked one"),
        ((0, "SB", [[1]]), InputError, "data must be a 1-D array of integers, not 2-D"),
        ((0, "SB", [0.5]), InputError, "data must be a 1-D array of integers, not 1-D of float64"),
    ],
)
def test_fill_memory_refuses(arguments: tuple[Any, ...], kind: type[FemtoError], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        FemtoFile().fill_memory(*arguments)


def test_fill_memory_takes_every_32_bit_word() -> None:
    file = FemtoFile()
    file.fill_memory(0, "SB", [0, (1 << 32) - 1])
    assert file.banks[0, "SB"].tolist() == [0, (1 << 32) - 1]


def test_fill_memory_switches_on_what_is_off_and_nothing_else() -> None:
    file = FemtoFile()
    other = 2  # what a file of somebody else may say
    file.spu = replace(file.spu, cores=(FemtoCore(0, other), FemtoCore(1, CORE_OFF)))
    file.fill_memory(0, "SB", [1])
    assert [core.status for core in file.spu.cores] == [other, CORE_OFF]
    file.fill_memory(1, "SB", [1])
    assert [core.status for core in file.spu.cores] == [other, CORE_ON]


@pytest.mark.parametrize(
    ("inputs", "outputs", "told"),
    [((0,), (1,), False), ((0, 1), (), False), ((0,), (9,), True), ((9,), (1,), True), ((), (), False)],
)
def test_a_sequence_of_unknown_vectors_is_noted(inputs: tuple[int, ...], outputs: tuple[int, ...], told: bool) -> None:
    file = FemtoFile.parse(femto(golden_program()))
    (sequence,) = file.model.sequences
    assert {vector.id for vector in file.model.vectors} >= {0, 1}
    file.model = replace(file.model, sequences=(replace(sequence, inputs=inputs, outputs=outputs),))
    again = FemtoFile.parse(file.serialize())
    assert again.notes == ((f"sequence {sequence.id} names vectors that do not exist",) if told else ())


def _patched(layout: str, *patches: tuple[int, bytes]) -> bytes:
    data = bytearray(femto(golden_program(), layout))
    for offset, value in patches:
        data[offset : offset + len(value)] = value
    return bytes(data)


def u16(value: int) -> bytes:
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


DAMAGED = {
    "empty": (b"", r"offset 0x0: a \.femto file must start with f3mt0 or femtosense_model, not b''"),
    "foreign": (b"PK\x03\x04", "must start with f3mt0 or femtosense_model"),
    "short": (b"f3mt0\x01", "offset 0x0: 256 bytes must be there, but the file ends at 0x6"),
    "magic only": (b"f3mt0", "offset 0x5: 1 bytes must be there"),
    "chunk": (_patched("B-aligned", (6, u16(512))), "offset 0x6: the chunk size must be 256, not 512"),
    "model offset": (_patched("B-aligned", (80, u16(255))), "offset 0x50: the model-config offset must be 256"),
    "model size": (_patched("B-aligned", (78, u16(60))), "offset 0x54: the SPU-config offset must be 316, not 308"),
    "page offset": (_patched("B-aligned", (90, u32(0x80000000))), "offset 0x5a: the page-area offset must be 512"),
    "page size": (_patched("B-aligned", (86, u32(0xFFFFFF00))), "offset 0x62: the reference offset must be"),
    "page count": (_patched("B-aligned", (0x102, u16(9))), "offset 0x56: the page-area size must be 2304, not 768"),
    "cut": (_patched("B-aligned")[:-256], "offset 0x5e: the size of the file must be 1280, not 1024"),
    "trailing": (_patched("B-aligned") + b"x", "offset 0x5e: the size of the file must be 1280, not 1281"),
    "vectors": (_patched("B-aligned", (0x104, u16(60000))), "offset 0x10a: the sequence section must start at"),
    "vector table": (_patched("B-aligned", (0x106, u16(3))), "the vector table must start at 0x110 or later"),
    "user data": (_patched("B-aligned", (0x10C, u16(5))), "the end of the model config must start at 0x139"),
    "vector type": (_patched("B-aligned", (0x111, b"\x03")), "offset 0x111: the vector type must be 0, 1 or 2, not 3"),
    "precision": (_patched("B-aligned", (0x113, b"\x0c")), "offset 0x113: the precision must be 8 or 16 bits"),
    "vector id": (_patched("B-aligned", (0x11C, b"\x00")), "offset 0x11c: the vector id 0 must appear once"),
    "sequence size": (_patched("B-aligned", (0x128, u16(99))), "offset 0x128: sequence 0 must lie inside"),
    "sequence ids": (_patched("B-aligned", (0x12D, b"\x09")), "the vector ids of sequence 0 must lie inside"),
    "part": (_patched("B-aligned", (0x134, b"\x09")), "offset 0x134: the part number must be one of"),
    "key": (_patched("B-aligned", (0x135, b"\x21")), r"offset 0x135: the key index must be in 0\.\.\.32, not 33"),
    "core record": (_patched("B-aligned", (0x13C, u16(900))), "core record 0 must lie inside the SPU config"),
    "core twice": (_patched("B-aligned", (0x160, b"\x00")), "the core must be in 0...1 and appear once, not 0"),
    "descriptors": (_patched("B-aligned", (0x144, b"\xff")), "the 255 bank descriptors must lie inside the record"),
    "bank off": (_patched("B-aligned", (0x147, b"\x00")), "DM0 of core 0 must not be off, because pages carry words"),
    "core off": (_patched("B-aligned", (0x143, b"\x00")), "core 0 must be on, because pages carry words for its DM0"),
    "page id": (_patched("B-aligned", (0x300, u16(2))), "offset 0x300: the page id must be 1, not 2"),
    "page words": (_patched("B-aligned", (0x302, u16(63))), r"offset 0x302: a page must hold 1\.\.\.62 words, not 63"),
    "empty page": (_patched("B-aligned", (0x302, u16(0))), r"a page must hold 1\.\.\.62 words, not 0"),
    "no bank": (_patched("B-aligned", (0x304, u32(0x1B4000))), "the address 0x001b4000 must lie in a memory bank"),
    "hole": (_patched("B-aligned", (0x304, u32(0x1C0008))), "the offset in SB of core 0 must be 0, not 8"),
    "text": (_patched("B-aligned", (26, b"\xff\xfe")), "offset 0x1a: the text must be UTF-8"),
    "A cut": (_patched("A")[:200], "offset 0x0: 256 bytes must be there, but the file ends at 0xc8"),
    "A chain": (_patched("A", (31, u16(9))), "offset 0x1f: the SPU-config offset must be 176, not 9"),
    "A pages": (_patched("A", (0x34, u16(4))), "offset 0x25: the page-area size must be 1024, not 768"),
    "A missing page": (_patched("A")[:-256], "offset 0x25: the size of the file must be 1024, not 768"),
    "A slots": (_patched("A", (0x48, b"\xff" * 9)), "offset 0x48: used slots must come before unused ones"),
    "A type": (_patched("A", (0x49, b"\x09")), "offset 0x49: the vector type must be 0, 1 or 2, not 9"),
    "A core": (_patched("A", (0xB4, b"\x02")), "offset 0xb4: the core must be 0 or 1 and appear once, not 2"),
    "A off": (_patched("A", (0xB7, b"\x00")), "DM0 of core 0 must not be off"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_are_refused_with_the_place(case: str) -> None:
    data, sentence = DAMAGED[case]
    with pytest.raises(ProgramError, match=f"^femto file: .*{sentence}"):
        FemtoFile.parse(data)
