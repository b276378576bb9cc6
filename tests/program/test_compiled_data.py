"""CompiledData: directory, archive and memory hold the same program; damage is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings

from femtodriver.errors import ProgramError, UsageError
from femtodriver.program import archive
from femtodriver.program.compiled_data import CompiledData
from tests.program.program_samples import golden_program, programs, rich_program, words

TREE = [
    "metadata.yaml",
    "test_core_0_data_mem_initial_py_hex.txt",
    "test_core_0_table_mem_initial_py_hex.txt",
    "test_core_0_sboard_initial_py_hex.txt",
    "test_core_0_rqueue_initial_py_hex.txt",
    "test_core_0_progbuf_initial_py_hex.txt",
    "test_core_0_instr_mem_initial_py_hex.txt",
    "test_core_0_rqueue_len_initial.txt",
]


def _same(first: CompiledData, second: CompiledData) -> bool:
    return first.to_zip_bytes() == second.to_zip_bytes()


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(programs())
def test_archives_keep_the_program(data: CompiledData) -> None:
    again = CompiledData.read_from_zip(data.to_zip_bytes())
    assert again.metadata == data.metadata
    assert _orders(again.metadata) == _orders(data.metadata)
    for core, memories in data.mems_per_core.items():
        for memory, groups in memories.items():
            assert np.array_equal(again.image(core, memory), groups[0])
            assert again.image(core, memory).dtype == np.uint64
    assert _same(again, data)


def _orders(metadata: dict[str, Any]) -> list[list[Any]]:
    return [list(metadata)] + [list(value) for value in metadata.values() if isinstance(value, dict)]


def test_directories_keep_the_program(tmp_path: Path) -> None:
    data = rich_program()
    data.write_to_files(tmp_path / "meta")
    again = CompiledData.read_from_files(tmp_path / "meta")
    assert _same(again, data)
    assert again.files == {"notes.txt": "für Menschen\n", "blob.bin": b"\xff\x00\x01"}
    again.to_zip_file(tmp_path / "x.zip")
    assert _same(CompiledData.read_from_zip(tmp_path / "x.zip"), data)
    assert (tmp_path / "x.zip").read_bytes() == data.to_zip_bytes()


def test_the_files_of_a_program() -> None:
    files = archive.read_zip(golden_program().to_zip_bytes())
    assert list(files) == TREE
    assert files[TREE[1]] == b"1111222233334444\n"
    assert (files[TREE[2]], files[TREE[4]], files[TREE[7]]) == (b"", b"", b"0\n")
    assert yaml.safe_load(files["metadata.yaml"]) == golden_program().metadata
    assert b"!!" not in files["metadata.yaml"]


def test_bit_groups_and_short_names_are_read() -> None:
    files = archive.read_zip(golden_program().to_zip_bytes())
    del files[TREE[6]], files[TREE[7]]
    files["test_core_0_instr_mem_bitgroup1_initial_py_hex.txt"] = b"7f"
    files["test_core_0_instr_mem_bitgroup0_initial_py_hex.txt"] = b"0102030405060708\n"
    data = CompiledData.read_from_zip(archive.write_zip(files))
    assert [group.tolist() for group in data.mems_per_core[0]["IM"]] == [[0x0102030405060708], [0x7F]]
    assert _same(CompiledData.read_from_zip(data.to_zip_bytes()), data)
    with pytest.raises(ProgramError, match="core 0: IM must be one image, not 2 bit groups"):
        data.image(0, "IM")
    short = {"metadata.yaml": files["metadata.yaml"], "c0_DM_hex.txt": b"1111222233334444", "c0_rqueue_len.txt": b"0"}
    short |= {"c0_IM_hex.txt": b"102030405060708\n", "c0_SB_bitgroup0_hex.txt": b"aaaa0000bbbb0001"}
    assert _same(CompiledData.read_from_zip(archive.write_zip(short)), golden_program())


def test_files_by_name() -> None:
    data = rich_program()
    data.files["a.json"] = json.dumps({"b": [1]})
    data.files["deep.json"] = "[" * 100_000
    assert data.read_json("a.json") == {"b": [1]}
    assert data.read_txt("notes.txt") == "für Menschen\n"
    assert data.read_yaml("metadata.yaml")["encrypted"] is False
    assert data.read_txt("test_core_1_rqueue_len_initial.txt") == "2\n"
    for call, kind, sentence in (
        (lambda: data.read_txt("none"), UsageError, "file: must be one of this program's .*, not 'none'"),
        (lambda: data.read_txt("blob.bin"), ProgramError, "blob.bin: must be text in UTF-8"),
        (lambda: data.read_json("notes.txt"), ProgramError, "notes.txt: must be JSON: "),
        (lambda: data.read_json("deep.json"), ProgramError, "deep.json: values must be nested at most 32 deep"),
    ):
        with pytest.raises(kind, match=sentence):
            call()


def test_another_metadata_file() -> None:
    data = golden_program()
    data.files["other.yaml"] = data.read_txt("metadata.yaml") + "note: kept\n"
    data.set_metadata_file("other.yaml")
    assert data.metadata["note"] == "kept"
    data.files["bad.yaml"] = data.read_txt("metadata.yaml").replace("0: 1\n", "0: 2\n")
    with pytest.raises(ProgramError, match=r"bad\.yaml: the .. image of core 0 must have at least 2 words, not 1"):
        data.set_metadata_file("bad.yaml")
    assert data.metadata["note"] == "kept"


def test_writing_removes_images_of_an_earlier_program(tmp_path: Path) -> None:
    rich_program().write_to_files(tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    golden_program().write_to_files(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*TREE, "mine.txt", "notes.txt", "blob.bin"])


def test_the_same_program_gives_the_same_bytes() -> None:
    assert rich_program().to_zip_bytes() == rich_program().to_zip_bytes()


def _with(name: str, content: bytes | None) -> bytes:
    files = archive.read_zip(golden_program().to_zip_bytes())
    files.pop(name, None)
    if content is not None:
        files[name] = content
    return archive.write_zip(files)


META = golden_program().read_txt("metadata.yaml")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("metadata.yaml", None, "the file metadata.yaml is missing; this is not a compiled program"),
        ("metadata.yaml", b"", "metadata.yaml: must be a mapping, not None"),
        ("metadata.yaml", b"a: !!python/tuple []", "metadata.yaml: line 1: the tag .* must not be used"),
        (TREE[1], b"xyz\n", f"{TREE[1]}: line 1: must be one hexadecimal number, not 'xyz'"),
        (TREE[1], b"", "the DM image of core 0 must have at least 1 words, not 0"),
        (TREE[6], None, "the IM image of core 0 must have at least 1 words, not 0"),
        (TREE[7], b"three\n", "must be one decimal number, not 'three'"),
        (TREE[7], b"3\n", "must be at most 0, the words of that image, not 3"),
        ("test_core_99_sboard_initial_py_hex.txt", b"", "the core must be below 16, the bit group below 8"),
        ("c0_DM_hex.txt", b"", "c0_DM_hex.txt: core 0's DM image must be there once"),
        ("c1_IM_bitgroup1_hex.txt", b"", r"core 1's IM bit groups must be 0, 1, \.\.\., not \[1\]"),
    ],
)
def test_damaged_programs_are_refused(name: str, content: bytes | None, sentence: str) -> None:
    with pytest.raises(ProgramError, match=f"^archive: .*{sentence}|^archive: {sentence}"):
        CompiledData.read_from_zip(_with(name, content))


def test_missing_places(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the directory must exist"):
        CompiledData.read_from_files(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="the file must exist"):
        CompiledData.read_from_zip(tmp_path / "none.zip")
    with pytest.raises(ProgramError, match="the file must exist"):
        CompiledData.read_from_femtofile(tmp_path / "none.femto")
    (tmp_path / "x").write_text("")
    with pytest.raises(ProgramError, match="the directory cannot be read: Not a directory"):
        CompiledData.read_from_files(tmp_path / "x")
    with pytest.raises(ProgramError, match=r"the file metadata\.yaml is missing"):
        CompiledData.read_from_files(tmp_path)


def test_file_names_must_be_plain() -> None:
    data = golden_program()
    data.files["../evil"] = "x"
    with pytest.raises(ProgramError, match=r"a file name must be plain, without folders, not '\.\./evil'"):
        data.to_zip_bytes()


def test_empty_and_single_word_images() -> None:
    data = golden_program()
    data.mems_per_core[0]["TM"] = []
    again = CompiledData.read_from_zip(data.to_zip_bytes())
    assert again.image(0, "TM").tolist() == []
    assert again.image(5, "TM").tolist() == []
    assert again.image(0, "SB").tolist() == words(0xAAAA0000BBBB0001).tolist()
