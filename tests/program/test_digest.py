"""The digest of a program: every form that carries it shows every change, and says where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import ProgramError
from femtodriver.isa.limits import ISA_NAME
from femtodriver.program import archive
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, read_description
from femtodriver.program.digest import changed_parts, check_digest, digest_of, with_digest
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.program.encryption.program_cipher import decrypt_program, encrypt_program
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.femto.user_data import with_user_data
from femtodriver.program.femto.write_user_data import write_user_data
from femtodriver.program.plain_records import to_plain
from tests.program.program_samples import femto, rich_program

KEYRING = Keyring({0: bytes(range(16))})
TOLD: dict[str, Any] = {
    "schema": 1,
    "isa": ISA_NAME,
    "input_bits": {"a": 16, "b": 8},
    "output_bits": {"p": 32, "q": 16},
    "part": "spu001",
    "part_sha256": "ab" * 32,
    "part_geometry": {"cores": 2},
    "compiler": {"version": "0.1.0", "options": {}},
    "model": {"name": "m", "sha256": "cd" * 32},
}


def ours() -> CompiledData:
    """Two cores, every kind of memory but a ready queue, with a digest."""
    data = rich_program(second_bank=False)
    data.mems_per_core[1]["RQ"] = [np.zeros(0, np.uint64)]
    data.metadata[KEY] = TOLD
    data.metadata[KEY] = {**TOLD, "digest": to_plain(digest_of(data.metadata, data.mems_per_core))}
    return data


def container(data: CompiledData) -> bytes:
    return femto(data, userdata=write_user_data(data), encrypted=bool(data.metadata["encrypted"]))


def from_container(content: bytes) -> CompiledData:
    return with_user_data(CompiledData.from_femto(FemtoFile.parse(content, "x.femto"), "x.femto"), "x.femto")


def test_a_program_that_did_not_change_comes_back_in_every_form(tmp_path: Path) -> None:
    data = ours()
    data.write_to_files(tmp_path)
    for again in (
        CompiledData.read_from_files(tmp_path),
        CompiledData.read_from_zip(data.to_zip_bytes()),
        from_container(container(data)),
    ):
        assert again.metadata[KEY]["digest"] == data.metadata[KEY]["digest"]
        told = read_description(again.metadata, "x")
        assert told is not None
        assert told.digest == digest_of(data.metadata, data.mems_per_core)


def test_the_digest_names_every_bank_in_use() -> None:
    banks = digest_of(ours().metadata, ours().mems_per_core).banks
    assert list(banks) == [
        *("core 0 DM0", "core 0 TM0", "core 0 SB", "core 0 PB", "core 0 IM"),
        *("core 1 DM0", "core 1 IM"),
    ]
    assert {len(text) for text in banks.values()} == {16}


IMAGES = {
    "test_core_0_data_mem_initial_py_hex.txt": "DM0 of core 0",
    "test_core_0_table_mem_initial_py_hex.txt": "TM0 of core 0",
    "test_core_0_sboard_initial_py_hex.txt": "SB of core 0",
    "test_core_0_progbuf_initial_py_hex.txt": "PB of core 0",
    "test_core_0_instr_mem_initial_py_hex.txt": "IM of core 0",
    "test_core_1_instr_mem_initial_py_hex.txt": "IM of core 1",
}


def flipped(content: bytes) -> bytes:
    """One hex digit of the first line changed in its lowest bit."""
    end = content.index(b"\n") - 1
    return content[:end] + b"%x" % (int(content[end : end + 1], 16) ^ 1) + content[end + 1 :]


@pytest.mark.parametrize("name", IMAGES)
def test_a_flipped_bit_names_file_and_bank(tmp_path: Path, name: str) -> None:
    data = ours()
    data.write_to_files(tmp_path)
    (tmp_path / name).write_bytes(flipped((tmp_path / name).read_bytes()))
    sentence = f"{name}: the words in {IMAGES[name]} must be those that its digest was made of, but have changed"
    with pytest.raises(ProgramError, match=sentence):
        CompiledData.read_from_files(tmp_path)
    files = archive.read_zip(data.to_zip_bytes())
    with pytest.raises(ProgramError, match=f"archive: {sentence}"):
        CompiledData.read_from_zip(archive.write_zip({**files, name: flipped(files[name])}))


@pytest.mark.parametrize("memory", ["sboard", "progbuf"])
def test_an_image_that_was_cut_short_is_noticed(tmp_path: Path, memory: str) -> None:
    """Sizes of these are not in the metadata."""
    ours().write_to_files(tmp_path)
    path = tmp_path / f"test_core_0_{memory}_initial_py_hex.txt"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(ProgramError, match=f"{path.name}: the words in .. of core 0 must be those"):
        CompiledData.read_from_files(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(ProgramError, match=f"{path.name}: the words in .. of core 0 must be those"):
        CompiledData.read_from_files(tmp_path)


def test_a_flipped_bit_of_a_container_names_the_bank() -> None:
    content = container(ours())
    file = FemtoFile.parse(content)
    for (core, bank), words in file.banks.items():
        changed = words.copy()
        changed[-1] ^= 2
        file.banks[core, bank] = changed
        with pytest.raises(ProgramError, match=rf"^x\.femto: the words in {bank} of core {core} must be those"):
            from_container(file.serialize())
        file.banks[core, bank] = words
    assert from_container(file.serialize()).metadata[KEY]["digest"]


RECORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "entry pc": lambda metadata: metadata["inputs"]["a"].update(pc_val=8),
    "mailbox": lambda metadata: metadata["outputs"]["q"].update(mailbox_id=5),
    "width": lambda metadata: metadata["outputs"]["q"].update(precision="STD"),
    "usable": lambda metadata: metadata["fqir_input_padding"]["a"].update(fqir=6),
    "name": lambda metadata: metadata.update(inputs={"A": metadata["inputs"]["a"], "b": metadata["inputs"]["b"]}),
    "declared width": lambda metadata: metadata[KEY].update(input_bits={"a": 12, "b": 8}),
    "geometry": lambda metadata: metadata[KEY].update(part_geometry={"cores": 4}),
    "digest": lambda metadata: metadata[KEY]["digest"].update(records="0" * 64),
}


@pytest.mark.parametrize("change", RECORDS)
def test_changed_records_are_noticed(change: str) -> None:
    data = ours()
    RECORDS[change](data.metadata)
    with pytest.raises(ProgramError, match="sizes, inputs, outputs and origin of the program must be those"):
        check_digest(data.metadata, data.mems_per_core, "x")


def test_every_part_that_changed_is_named() -> None:
    data = ours()
    data.mems_per_core[0]["DM"][0][3] ^= np.uint64(1 << 40)
    data.mems_per_core[1]["IM"][0][0] ^= np.uint64(1)
    data.metadata["inputs"]["a"]["pc_val"] = 9
    found = list(changed_parts(data.metadata, data.mems_per_core, "x"))
    assert [text.split(" must be")[0] for text in found] == [
        "x: sizes, inputs, outputs and origin of the program",
        "x: the words in DM0 of core 0",
        "x: the words in IM of core 1",
    ]


def test_words_that_are_not_used_do_not_count() -> None:
    data = ours()
    data.mems_per_core[1]["IM"][0][10] ^= np.uint64(1)  # of 12, 9 are used
    assert list(changed_parts(data.metadata, data.mems_per_core, "x")) == []


def test_programs_without_a_digest_pass(tmp_path: Path) -> None:
    data = ours()
    del data.metadata[KEY]["digest"]
    data.mems_per_core[0]["DM"][0][0] ^= np.uint64(1)
    data.write_to_files(tmp_path)
    assert "digest" not in CompiledData.read_from_files(tmp_path).metadata[KEY]
    assert "digest" not in from_container(container(data)).metadata[KEY]
    assert with_digest(data.metadata, data.mems_per_core) is data.metadata


@pytest.mark.parametrize("entry", [5, {}, {"records": 5}, {"records": "", "banks": {"x": 5}}])
def test_a_malformed_digest_is_told(entry: object) -> None:
    data = ours()
    data.metadata[KEY]["digest"] = entry
    with pytest.raises(ProgramError, match="x: femtodriver: digest: "):
        check_digest(data.metadata, data.mems_per_core, "x")


def test_encrypted_words_have_a_digest_of_their_own() -> None:
    data = ours()
    secret = encrypt_program(data, KEYRING, 0, 5)
    assert secret.metadata[KEY]["digest"] != data.metadata[KEY]["digest"]
    again = from_container(container(secret))
    assert decrypt_program(again, KEYRING).metadata[KEY]["digest"] == data.metadata[KEY]["digest"]
    secret.mems_per_core[1]["IM"][0][0] ^= np.uint64(1)
    with pytest.raises(ProgramError, match="the words in IM of core 1 must be those"):  # without any key
        from_container(container(secret))


def test_changing_a_program_on_purpose() -> None:
    data = ours()
    data.mems_per_core[0]["DM"][0][0] ^= np.uint64(1)
    metadata = with_digest(data.metadata, data.mems_per_core)
    check_digest(metadata, data.mems_per_core, "x")


def test_a_program_changed_in_memory_is_written_with_the_digest_of_its_words(tmp_path: Path) -> None:
    with Femtodriver() as driver:
        folder, _, _ = driver.compile("LOOPBACK", output_dir=tmp_path)
    changed = CompiledData.read_from_files(folder)
    changed.mems_per_core[0]["IM"][0][0] ^= np.uint64(1 << 40)
    again = CompiledData.read_from_zip(changed.to_zip_bytes())
    assert again.mems_per_core[0]["IM"][0].tolist() == changed.mems_per_core[0]["IM"][0].tolist()
