"""Programs of the vendor's kind: encrypted, of an unknown instruction set. Converted as they are, never interpreted."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import CompiledData, Femtodriver, FemtoFile
from femtodriver.cli import main
from femtodriver.errors import ProgramError
from femtodriver.program.femto.femto_records import (
    FemtoCore,
    FemtoHeader,
    FemtoModel,
    FemtoSequence,
    FemtoSpu,
    FemtoVector,
)
from femtodriver.program.memory_map import OPEN_SPU

STEMS = {"DM": "data_mem", "TM": "table_mem", "SB": "sboard", "RQ": "rqueue", "PB": "progbuf", "IM": "instr_mem"}
SIZES = {"DM": 8192, "TM": 2048}
# The worked example of the load sequence: program_files.md 4.1.
EXAMPLE = """
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


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder; no settings from outside."""
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vector(**values: Any) -> dict[str, Any]:
    return {"core": 0, "len_64b_words": 2, "dtype": "V_D", "precision": "DBL", **values}


def hex_text(words: Any, digits: int = 16) -> str:
    return "".join(f"{int(word):0{digits}x}\n" for word in words)


def small(path: str) -> None:
    """The content of the golden vectors as an archive, with single-word and empty images."""
    metadata = {
        "data_bank_sizes": {0: {0: 1}},
        "table_bank_sizes": {0: {0: 0}},
        "inst_counts": {0: 1},
        "inputs": {"x": vector(pc_val=3)},
        "outputs": {"%x.4": vector(mailbox_id=1, len_64b_words=1)},
    }
    files = {f"test_core_0_{stem}_initial_py_hex.txt": "" for stem in STEMS.values()}
    files["test_core_0_data_mem_initial_py_hex.txt"] = "1111222233334444\n"
    files["test_core_0_sboard_initial_py_hex.txt"] = "aaaa0000bbbb0001\n"
    files["test_core_0_instr_mem_initial_py_hex.txt"] = "0102030405060708\n"
    files["test_core_0_rqueue_len_initial.txt"] = "0\n"
    write(path, metadata, files)


def large(path: str) -> dict[tuple[int, str], np.ndarray]:
    """Two cores, eight data banks and four table banks in full-length images of random words; what is to be sent."""
    rng = np.random.default_rng(11)
    sizes: dict[str, dict[int, dict[int, int]]] = {
        "DM": {0: {0: 8192, 1: 700, 3: 1, 7: 8192}, 1: {bank: 10 * bank for bank in range(8)}},
        "TM": {0: {0: 1024, 3: 2048}, 1: {2: 5}},
    }
    counts = {0: 4096, 1: 63}
    files, wanted = {}, {}
    for core in (0, 1):
        for memory, stem in STEMS.items():
            length = {"DM": 65536, "TM": 8192, "IM": 4096, "RQ": 0}.get(memory, 64 if core == 0 else 2)
            words = rng.integers(0, 1 << 64, length, dtype=np.uint64)
            files[f"test_core_{core}_{stem}_initial_py_hex.txt"] = hex_text(
                words, {"TM": 4, "SB": 3, "PB": 4}.get(memory, 16)
            )
            for bank, used in sizes.get(memory, {}).get(core, {}).items():
                wanted[core, f"{memory}{bank}"] = words[SIZES[memory] * bank :][:used]
            if memory not in SIZES:
                wanted[core, memory] = words[: counts[core]] if memory == "IM" else words
        files[f"test_core_{core}_rqueue_len_initial.txt"] = "0\n"
    metadata = {
        "data_bank_sizes": sizes["DM"],
        "table_bank_sizes": sizes["TM"],
        "inst_counts": counts,
        "inputs": {"%a": vector(pc_val=700), "b": vector(core=1, pc_val=3, precision="STD")},
        "outputs": {"y": vector(mailbox_id=2), "z": vector(core=1, mailbox_id=0)},
        "fqir_input_padding": {"%a": {"fqir": 5, "fasmir": 8}, "b": {"fqir": 16, "fasmir": 16}},
        "fqir_output_padding": {"y": {"fqir": 8, "fasmir": 8}, "z": {"fqir": 7, "fasmir": 8}},
        "made_by": {"tool": "somebody", "version": [1, 2]},
    }
    write(path, metadata, files, {"log.txt": "whatever\n"})
    return {place: words for place, words in wanted.items() if len(words)}


def write(path: str, metadata: dict[str, Any], files: dict[str, str], more: dict[str, str] | None = None) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.yaml", yaml.safe_dump(metadata, sort_keys=False))
        for name, text in {**files, **(more or {})}.items():
            archive.writestr(name, text)


def sent(folder: str) -> list[tuple[int, int]]:
    """Address and word of every line of ``0PROG_A`` and ``0PROG_D``."""
    place = Path(folder, "io_records", "apb_records")
    addresses, words = ((place / f"0PROG_{letter}").read_text().splitlines() for letter in "AD")
    return [(int(address, 16), int(word, 16)) for address, word in zip(addresses, words, strict=True)]


def banks_sent(folder: str) -> dict[tuple[int, str], np.ndarray]:
    found: dict[tuple[int, str], list[int]] = {}
    for address, word in sent(folder):
        if address >= OPEN_SPU.base:
            core, bank, offset = OPEN_SPU.locate(address)
            halves = found.setdefault((core, bank.name), [])
            assert offset == 4 * len(halves)
            halves.append(word)
    return {place: np.array(halves, "<u4").view("<u8") for place, halves in found.items()}


def test_the_worked_example() -> None:
    small("demo.zip")
    assert main(["demo.zip"]) == 0
    lines = [tuple(int(word, 16) for word in line.split()) for line in EXAMPLE.split("\n") if line]
    assert sent("model_datas/demo") == lines
    records = {path.name for path in Path("model_datas/demo/io_records").iterdir()}
    assert records == {"apb_records", "setup.yaml", "setup_hex.yaml", "setup_hex.txt", "demo.femto"}
    file = FemtoFile.import_file("model_datas/demo/io_records/demo.femto")
    assert (file.spu.key_index, file.spu.part, file.model.user_data) == (0, 1, b"")
    assert [(vector.kind, vector.parameter) for vector in file.model.vectors] == [("input", 3), ("output", 1)]


@pytest.mark.slow
def test_two_cores_with_many_banks() -> None:
    wanted = large("big.zip")
    assert main(["big.zip"]) == 0
    found = banks_sent("model_datas/big")
    assert found.keys() == wanted.keys()
    for place, words in wanted.items():
        assert np.array_equal(found[place], words), place
    file = FemtoFile.import_file("model_datas/big/io_records/big.femto")
    assert file.notes == ()
    assert file.banks.keys() == wanted.keys()
    for place, words in wanted.items():
        assert np.array_equal(file.banks[place].view("<u8"), words), place
    metadata = yaml.safe_load(Path("model_datas/big/meta_from_zipfile/metadata.yaml").read_text())
    assert metadata["made_by"] == {"tool": "somebody", "version": [1, 2]}
    assert "encrypted" not in metadata
    # The same from the container and from the folder.
    assert main(["model_datas/big/io_records/big.femto", "--output-dir", "second"]) == 0
    assert main(["model_datas/big", "--output-dir", "third"]) == 0
    assert sent("second/big") == sent("third/big") == sent("model_datas/big")
    for folder in ("second", "third"):
        again = Path(folder, "big", "io_records", "big.femto").read_bytes()
        assert again == Path("model_datas/big/io_records/big.femto").read_bytes()


@pytest.mark.parametrize("runners", ["fasmir", "fasmir,dummy"])
@pytest.mark.parametrize("form", ["zip", "femto", "folder"])
def test_simulating_it_is_refused_with_the_reason(capsys: pytest.CaptureFixture[str], form: str, runners: str) -> None:
    small("demo.zip")
    assert main(["demo.zip", "--output-dir", "first"]) == 0
    model = {"zip": "demo.zip", "femto": "first/demo/io_records/demo.femto", "folder": "first/demo"}[form]
    capsys.readouterr()
    assert main([model, "--runners", runners]) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        f"femtodrive: error: {model}: is not a program for the open SPU (its instruction set is not"
    )
    assert "it counts as encrypted by its maker" in error
    assert error.count("\n") == 1
    assert not Path("model_datas").exists()


def test_a_keyring_does_not_touch_it() -> None:
    small("demo.zip")
    Path("keys.toml").write_text(f'0 = "{"00" * 16}"')
    Path("keys.toml").chmod(0o600)
    assert main(["demo.zip", "--output-dir", "first"]) == 0
    assert main(["demo.zip", "--output-dir", "second", "--keyring", "keys.toml"]) == 0
    assert main(["demo.zip", "--output-dir", "third", "--noencrypt"]) == 0
    assert sent("first/demo") == sent("second/demo") == sent("third/demo")
    with pytest.raises(ProgramError, match="is not a program for the open SPU"):
        Femtodriver(keyring="keys.toml").run("demo.zip", runners="fasmir")


@pytest.mark.parametrize(
    ("words", "environment", "index", "salt"),
    [
        ([], {}, 0, 0),
        (["--encryption-key-index", "9"], {"FS_ENCRYPTION_KEY_IDX": "3"}, 9, 0),
        ([], {"FS_ENCRYPTION_KEY_IDX": "3", "FS_ENCRYPTION_SALT": "123456789abcdef0"}, 3, 0x123456789ABCDEF0),
    ],
)
def test_its_key_index_and_salt_are_those_that_are_given(
    monkeypatch: pytest.MonkeyPatch, words: list[str], environment: dict[str, str], index: int, salt: int
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    small("demo.zip")
    assert main(["demo.zip", *words]) == 0
    registers = [word for address, word in sent("model_datas/demo") if address < 0x30]
    assert registers == [index, *(salt >> 16 * part & 0xFFFF for part in range(4))]
    assert FemtoFile.import_file("model_datas/demo/io_records/demo.femto").spu.key_index == index


def test_a_container_of_the_vendors_kind_stays_as_it_is() -> None:
    """Two cores, packed profile, a producer and a type of its own, odd lengths."""
    rng = np.random.default_rng(3)
    vectors = (FemtoVector(0, "input", 1, 16, 200, 256, 17), FemtoVector(1, "output", 0, 8, 64, 64, 2))
    model = FemtoModel(3, "clara", "2.1.0", vectors, (FemtoSequence(0, (0,), (1,)),), user_data=b"\x00opaque\xff")
    spu = FemtoSpu(1, 4, 180, (FemtoCore(0, 1), FemtoCore(1, 1)))
    file = FemtoFile(FemtoHeader("B-packed", "1.999.999"), model, spu)
    for core, bank, count in (
        (0, "DM0", 16384),
        (0, "IM", 8192),
        (0, "SB", 128),
        (1, "DM7", 2),
        (1, "TM3", 124),
        (1, "IM", 2),
    ):
        file.fill_memory(core, bank, rng.integers(0, 1 << 32, count))
    Path("clara.femto").write_bytes(file.serialize())
    with Femtodriver() as fd:
        _, written, size = fd.compile("clara.femto")
        assert Path(written).read_bytes() == Path("clara.femto").read_bytes()
        assert size == Path("clara.femto").stat().st_size
        found = banks_sent("model_datas/clara")
        assert {place: words.tolist() for place, words in found.items()} == {
            place: words.view("<u8").tolist() for place, words in file.banks.items()
        }
        assert sent("model_datas/clara")[0] == (0x18, 4)
        with pytest.raises(ProgramError, match=r"clara\.femto: is not a program for the open SPU"):
            fd.simulate(fd.generate_audio_inputs(), 0.016)
        assert fd.compiled_data is not None
        again = CompiledData.read_from_files("model_datas/clara/meta_from_femtofile")
        assert again.metadata["encryption_key_index"] == 4
