"""Containers: round trips, what reading keeps, what damaged files and unfit programs are told."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_samples import femto, golden_program, programs, rich_program, vector, words

from femtodriver.errors import FemtoError, InputError, ProgramError, UsageError
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_from_program import femto_from_compiled, vector_names
from femtodriver.program.femto.femto_records import (
    FemtoCore,
    FemtoHeader,
    FemtoModel,
    FemtoSequence,
    FemtoSpu,
    FemtoVector,
    model_type_code,
    model_type_name,
    version_code,
    version_text,
)
from femtodriver.program.femto.femtofile import FemtoFile


def _trimmed(sizes: dict) -> dict:
    trimmed = {core: {bank: size for bank, size in banks.items() if size} for core, banks in sizes.items()}
    return {core: banks for core, banks in trimmed.items() if banks}


def _assert_same_program(data: CompiledData, again: CompiledData) -> None:
    """The same words in the used part of every memory, the same records under the names of the container."""
    for key in ("data_bank_sizes", "table_bank_sizes"):
        assert _trimmed(again.metadata[key]) == _trimmed(data.metadata[key])
    assert again.metadata["inst_counts"] == data.metadata["inst_counts"]
    for core in data.mems_per_core:
        for memory in ("SB", "RQ", "PB"):
            assert np.array_equal(again.image(core, memory), data.image(core, memory))
        count = data.metadata["inst_counts"][core]
        assert np.array_equal(again.image(core, "IM"), data.image(core, "IM")[:count])
        for memory, stride, key in (("DM", 8192, "data_bank_sizes"), ("TM", 2048, "table_bank_sizes")):
            for bank, size in data.metadata[key].get(core, {}).items():
                part = slice(bank * stride, bank * stride + size)
                assert np.array_equal(again.image(core, memory)[part], data.image(core, memory)[part])


@settings(max_examples=40, deadline=None)
@given(programs(), st.sampled_from(["B-packed", "B-aligned"]), st.binary(max_size=600))
def test_layout_b_keeps_the_program(data: CompiledData, layout: str, userdata: bytes) -> None:
    written = femto(data, layout, userdata=userdata)
    file = FemtoFile.parse(written)
    assert file.serialize() == written
    assert file.notes == ()
    again = CompiledData.from_femto(file)
    _assert_same_program(data, again)
    assert again.metadata.get("userdata", b"") == userdata
    inputs, outputs = vector_names(data)
    for names, key in ((inputs, "inputs"), (outputs, "outputs")):
        restored = {names[number]: record for number, record in again.metadata[key].items()}
        expected = {name: {**record, "dtype": "V"} for name, record in data.metadata[key].items()}
        assert restored == expected
        padding = again.metadata[f"fqir_{key[:-1]}_padding"]
        assert {names[number]: record for number, record in padding.items()} == data.metadata[
            f"fqir_{key[:-1]}_padding"
        ]


@settings(max_examples=25, deadline=None)
@given(programs(layout="A"))
def test_layout_a_keeps_what_it_has_room_for(data: CompiledData) -> None:
    written = femto(data, "A")
    file = FemtoFile.parse(written)
    assert (file.layout, file.notes) == ("A", ())
    assert file.serialize() == written
    again = CompiledData.from_femto(file)
    _assert_same_program(data, again)
    for key, parameter in (("inputs", "pc_val"), ("outputs", "mailbox_id")):
        expected = sorted(data.metadata[key].values(), key=lambda record: record[parameter])
        assert list(again.metadata[key].values()) == expected
        assert list(again.metadata[key]) == [str(i) for i in range(len(expected))]


@settings(max_examples=25, deadline=None)
@given(programs())
def test_a_container_of_a_container_is_the_same(data: CompiledData) -> None:
    written = femto(data, name="x", model_type="custom")
    again = CompiledData.from_femto(FemtoFile.parse(written))
    assert femto(again, name="x", model_type="custom") == written


def test_sequences_list_all_vectors() -> None:
    assert FemtoFile.parse(femto(rich_program())).model.sequences == (FemtoSequence(0, (0, 1), (2, 3)),)
    data = golden_program()
    data.metadata["inputs"] = {f"i{k}": vector(pc_val=k) for k in range(5)}
    del data.metadata["fqir_input_padding"], data.metadata["fqir_output_padding"]
    assert FemtoFile.parse(femto(data, "A")).model.sequences == (
        FemtoSequence(0, (0, 1), (5,)),
        FemtoSequence(1, (2, 3), ()),
        FemtoSequence(2, (4,), ()),
    )


def test_inputs_are_numbered_by_pc_and_outputs_by_mailbox() -> None:
    assert vector_names(rich_program()) == ({"0": "b", "1": "a"}, {"2": "q", "3": "p"})


def test_the_key_index_says_whether_a_program_is_encrypted() -> None:
    for layout in ("A", "B-packed", "B-aligned"):
        read = [
            CompiledData.from_femto(FemtoFile.parse(femto(golden_program(**metadata), layout, **options))).metadata
            for metadata, options in (
                ({}, {}),
                ({"encrypted": False}, {}),
                ({}, {"encrypted": False, "key_index": 3}),
                ({"encrypted": True, "encryption_key_index": 5}, {}),
                ({"encrypted": False}, {"encrypted": True, "key_index": 31}),
            )
        ]
        found = [(metadata["encrypted"], metadata.get("encryption_key_index")) for metadata in read]
        assert found == [(True, 0), (False, None), (False, None), (True, 5), (True, 31)]


def test_four_cores_travel_as_an_unknown_part() -> None:
    data = CompiledData(
        {
            "data_bank_sizes": {3: {7: 2}},
            "table_bank_sizes": {},
            "inst_counts": dict.fromkeys(range(4), 1),
            "inputs": {"x": vector(core=3, pc_val=0)},
            "outputs": {"y": vector(core=2, mailbox_id=0)},
        },
        {core: {"DM": [np.arange(7 * 8192 + 2, dtype=np.uint64)], "IM": [words(core)]} for core in range(4)},
    )
    file = FemtoFile.parse(femto(data))
    assert (file.spu.part, file.spu.used_cores) == (255, (0, 1, 2, 3))
    assert file.banks[3, "DM7"].tolist() == [57344, 0, 57345, 0]
    _assert_same_program(data, CompiledData.from_femto(file))
    with pytest.raises(ProgramError, match="Layout A: cores must be at most 2, not 4; write Layout B instead"):
        femto(data, "A")


def test_two_planes_of_instructions_come_back_as_bit_groups() -> None:
    file = FemtoFile(spu=FemtoSpu(4, 3, 250, tuple(FemtoCore(i, int(i == 0)) for i in range(4))))
    plane = np.zeros(8192, np.uint32)
    plane[:6] = 1, 0, 2, 0, 3, 0
    file.fill_memory(0, "IM", np.concatenate([plane, [7, 0, 8, 0, 9, 0]]))
    data = CompiledData.read_from_zip(CompiledData.from_femto(FemtoFile.parse(file.serialize())).to_zip_bytes())
    assert [group.tolist() for group in data.mems_per_core[0]["IM"]] == [[1, 2, 3], [7, 8, 9]]
    again = FemtoFile.parse(femto_from_compiled(data, name="x", producer="p", clock_mhz=250))
    assert (again.spu.part, again.spu.key_index) == (4, 3)
    assert np.array_equal(again.banks[0, "IM"], file.banks[0, "IM"])


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


def test_eight_bit_lengths_in_int16_units_are_understood() -> None:
    def metadata(usable: int, padded: int) -> dict:
        file = FemtoFile(model=FemtoModel(vectors=(FemtoVector(0, "input", 0, 8, usable, padded, 0),)))
        file.fill_memory(0, "IM", [1, 0])
        return CompiledData.from_femto(FemtoFile.parse(file.serialize())).metadata["inputs"]["0"]

    assert metadata(16, 16)["len_64b_words"] == 2
    assert metadata(15, 8)["len_64b_words"] == 2  # 2.6.0 without an IOSpec: words x 4
    with pytest.raises(ProgramError, match="the padded length must be at least 17, the usable one, not 8"):
        metadata(17, 8)


def test_parameters_are_inputs() -> None:
    model = FemtoModel(vectors=(FemtoVector(4, "parameter", 0, 16, 3, 4, 9),))
    file = FemtoFile(model=model)
    file.fill_memory(0, "IM", [1, 0])
    metadata = CompiledData.from_femto(FemtoFile.parse(file.serialize())).metadata
    assert metadata["inputs"]["4"]["pc_val"] == 9
    assert metadata["outputs"] == {}


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
        ((0, "SB", [[1]]), InputError, "data must be a 1-D array of integers, not 2-D"),
        ((0, "SB", [0.5]), InputError, "data must be a 1-D array of integers, not 1-D of float64"),
    ],
)
def test_fill_memory_refuses(arguments: tuple, kind: type[FemtoError], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        FemtoFile().fill_memory(*arguments)


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


def test_odd_banks_cannot_become_a_program() -> None:
    file = FemtoFile()
    file.fill_memory(0, "DM1", [1, 2, 3])
    with pytest.raises(ProgramError, match="DM1 of core 0: the number of 32-bit words must be even, not 3"):
        CompiledData.from_femto(FemtoFile.parse(file.serialize()))


def test_a_container_without_a_used_core_is_no_program() -> None:
    with pytest.raises(ProgramError, match=r"inst_counts: the cores must be 0, 1, \.\.\. without gaps"):
        CompiledData.from_femto(FemtoFile.parse(FemtoFile().serialize()))


def test_only_core_one_used() -> None:
    file = FemtoFile()
    file.fill_memory(1, "IM", [5, 6])
    data = CompiledData.from_femto(FemtoFile.parse(file.serialize()))
    assert data.metadata["inst_counts"] == {0: 0, 1: 1}
    assert data.image(1, "IM").tolist() == [6 << 32 | 5]


def _program(**changes: object) -> CompiledData:
    data = golden_program(**changes)
    del data.metadata["fqir_input_padding"], data.metadata["fqir_output_padding"]
    return data


@pytest.mark.parametrize(
    ("data", "options", "kind", "sentence"),
    [
        (golden_program(), {"layout": "C"}, UsageError, "layout: must be one of A, B-packed, B-aligned, not 'C'"),
        (golden_program(), {"key_index": 32}, UsageError, r"key index: must be in 0\.\.\.31, not 32"),
        (golden_program(), {"clock_mhz": 70000}, ProgramError, r"spu: a number must be in 0\.\.\.65535"),
        (golden_program(), {"layout": "A", "clock_mhz": 301}, ProgramError, r"clock \(MHz\) must be at most 300"),
        (golden_program(), {"layout": "A", "userdata": b"{}"}, ProgramError, "bytes of user data must be at most 0"),
        (
            golden_program(),
            {"userdata": bytes(65100)},
            ProgramError,
            "at most 65024 bytes, not .* shorten the user data",
        ),
        (golden_program(), {"userdata": bytes(70000)}, ProgramError, "is the user data too long"),
        (
            _program(inputs={"x": vector(pc_val=1 << 24)}),
            {},
            ProgramError,
            r"input 'x': its PC or mailbox must be below 2\^24 in a \.femto, not 16777216",
        ),
        (
            _program(inputs={"x": vector(16384, pc_val=1)}),
            {},
            ProgramError,
            r"input 'x': must have at most 65535 elements in a \.femto, not 65536",
        ),
        (
            _program(inputs={f"x{k}": vector(pc_val=k) for k in range(8)}),
            {"layout": "A"},
            ProgramError,
            "Layout A: vectors must be at most 8, not 9; write Layout B instead",
        ),
        (
            _program(inputs={f"x{k}": vector(pc_val=k) for k in range(255)}),
            {},
            ProgramError,
            "Layout B: vectors must be at most 255, not 256",
        ),
    ],
)
def test_programs_that_do_not_fit_the_container(
    data: CompiledData, options: dict, kind: type[FemtoError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        femto(data, **options)


def test_model_types_and_versions() -> None:
    texts = ("wwd", "GSC", "SLU", "ainr", "clara", "kws", "else")
    assert [model_type_code(text, "A") for text in texts] == [10, 20, 30, 40, 0, 0, 0]
    assert [model_type_code(text, "B-packed") for text in texts] == [1, 1, 2, 3, 3, 1, 10]
    assert [model_type_name(code, "A") for code in (40, 7)] == ["AINR", "unknown"]
    assert [model_type_name(code, "B-aligned") for code in (3, 0xFFFF, 7)] == ["AINR", "invalid", "custom"]
    assert [version_code(text) for text in ("1.0", "2.6.0", "1.999.999", "v1", "", "300.1")] == [
        0x100,
        0x206,
        0x100,
        0x100,
        0x100,
        0x100,
    ]
    assert version_text(version_code("12.34")) == "12.34"
