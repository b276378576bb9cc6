"""Recorded programs are read, and compared with the images or the container beside them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from femtodriver.errors import ProgramError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.recorded_program import read_program
from femtodriver.program.bus.write_recordings import write_io_records
from tests.program.test_digest import container, ours

FORMS = [".", "io_records", "io_records/apb_records", "io_records/setup.yaml"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder as the driver writes it."""
    data = ours()
    data.write_to_files(tmp_path / "meta_from_femtodriver")
    write_io_records(tmp_path / "io_records", {"0PROG": load_sequence(data)})
    (tmp_path / "io_records" / "m.femto").write_bytes(container(data))
    return tmp_path


def flip(path: Path, word: bytes) -> None:
    content = path.read_bytes()
    assert word in content
    path.write_bytes(content.replace(word, word[:-1] + b"%x" % (int(word[-1:], 16) ^ 1), 1))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(model: Path, form: str) -> None:
    assert sum(record.length for record in read_program(model / form)) > 100


@pytest.mark.parametrize("form", FORMS[:3])
@pytest.mark.parametrize("half", ["A", "D"])
def test_a_flipped_bit_of_the_pair_is_told(model: Path, form: str, half: str) -> None:
    path = model / "io_records" / "apb_records" / f"0PROG_{half}"
    flip(path, path.read_bytes().split()[100])
    with pytest.raises(ProgramError, match=r"apb_records: write 95 must be \w{8} to \w{8}, as in .*, not \w{8} to"):
        read_program(model / form)


@pytest.mark.parametrize("lost", ["meta_from_femtodriver", "io_records/m.femto"])
def test_one_neighbour_is_enough(model: Path, lost: str) -> None:
    path = model / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    read_program(model)
    recording = model / "io_records" / "apb_records" / "0PROG_D"
    flip(recording, recording.read_bytes().split()[60])
    with pytest.raises(ProgramError, match="One of them has changed"):
        read_program(model)


def test_a_recording_that_was_cut_is_told(model: Path) -> None:
    for half in "AD":
        path = model / "io_records" / "apb_records" / f"0PROG_{half}"
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ProgramError, match=r"must be 00000000 to 002fffec, as in .*, not none\."):
        read_program(model)


def test_a_damaged_neighbour_accuses_nobody(model: Path) -> None:
    image = model / "meta_from_femtodriver" / "test_core_0_instr_mem_initial_py_hex.txt"
    flip(image, image.read_bytes().split()[0])
    read_program(model)
    (model / "io_records" / "m.femto").write_bytes(b"f3mt0")
    read_program(model)


def test_key_and_salt_are_free(model: Path) -> None:
    write_io_records(model / "io_records", {"0PROG": load_sequence(ours(), key_index=9, salt=5)})
    read_program(model)


def test_recordings_alone_are_taken_as_they_are(model: Path, tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere"
    shutil.copytree(model / "io_records" / "apb_records", alone)
    flip(alone / "0PROG_D", (alone / "0PROG_D").read_bytes().split()[100])
    read_program(alone)


@pytest.mark.parametrize("content", ["x: []", "{}"])
def test_other_recordings_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(ProgramError, match=r"a\.yaml: must have the recording 0PROG, not "):
        read_program(tmp_path / "a.yaml")
    with pytest.raises(ProgramError, match=r"must be a folder with 0PROG_A and 0PROG_D, or a \.yaml"):
        read_program(tmp_path)
