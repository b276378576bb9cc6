"""The tree of files that a compilation writes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.compiler.compiler_options import Options
from femtodriver.errors import InputError, ProgramError
from femtodriver.output import model_folder
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_recordings
from femtodriver.program.bus.write_recordings import apb_files


def tree(folder: str | Path = "model_datas") -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


COMPARED = ("comparison.yaml", "inputs.npz", "outputs.npz")
IMAGES = ("data_mem", "instr_mem", "progbuf", "rqueue", "sboard", "table_mem")


def test_the_layout(fd: Femtodriver) -> None:
    fd.run("LOOPBACK", runners="fqir,fasmir")
    assert tree() == sorted(
        [
            *(f"LOOPBACK/comparison/{name}" for name in COMPARED),
            "LOOPBACK/io_records/LOOPBACK.femto",
            "LOOPBACK/io_records/apb_records/0PROG_A",
            "LOOPBACK/io_records/apb_records/0PROG_D",
            "LOOPBACK/io_records/setup.yaml",
            "LOOPBACK/io_records/setup_hex.txt",
            "LOOPBACK/io_records/setup_hex.yaml",
            "LOOPBACK/iospec.yaml",
            "LOOPBACK/meta_from_femtodriver/metadata.yaml",
            *(f"LOOPBACK/meta_from_femtodriver/test_core_0_{name}_initial_py_hex.txt" for name in IMAGES),
            "LOOPBACK/meta_from_femtodriver/test_core_0_rqueue_len_initial.txt",
            *(f"LOOPBACK/outputs/{name}.npz" for name in ("fasmir", "fqir", "inputs")),
            "LOOPBACK/metrics.txt",
            "LOOPBACK/metrics.yaml",
        ]
    )


def test_metadata_is_plain_yaml_with_records_and_description(fd: Femtodriver) -> None:
    meta_dir, _, _ = fd.compile("LOOPBACK")
    metadata = yaml.safe_load(Path(meta_dir, "metadata.yaml").read_text())
    assert metadata["inputs"]["x"]["len_64b_words"] == 4
    assert metadata["fqir_output_padding"]["%x.4"] == {"fqir": 16, "fasmir": 16}
    assert metadata["encrypted"] is False
    told = metadata["femtodriver"]
    assert told["part"] == "spu001"
    assert len(told["part_sha256"]) == len(told["model"]["sha256"]) == 64
    assert told["compiler"]["options"] == Options().table()
    assert told["isa"] == "open-spu/3"
    assert told["layers"][0]["op"] == "copy"


def test_program_files_hold_the_load_sequence(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    assert fd.compiled_data is not None
    sequence = load_sequence(fd.compiled_data)
    records = Path("model_datas/LOOPBACK/io_records")
    assert read_recordings(records / "setup.yaml") == {"0PROG": sequence}
    addresses, words = apb_files(sequence)
    assert (records / "apb_records" / "0PROG_A").read_text() == addresses
    assert (records / "apb_records" / "0PROG_D").read_text() == words


def test_odd_names_stay_inside_the_output_folder(fd: Femtodriver) -> None:
    made = [fd.compile("LOOPBACK", model_name=name)[1] for name in ("../up", "a/b", "a%2Fb", "%x.4", "é" * 200)]
    assert len(set(made)) == len(made)
    assert [path.name for path in Path().iterdir()] == ["model_datas"]
    for femto in made:
        assert Path(femto).parent.parent.parent == Path("model_datas")


def everything() -> dict[str, bytes]:
    return {name: Path("model_datas", name).read_bytes() for name in tree()}


@pytest.mark.parametrize("place", ["femto", "metrics", "metadata"])
def test_a_full_disk_leaves_the_old_tree(fd: Femtodriver, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    fd.run("LOOPBACK", runners="fasmir")
    before = everything()
    original = os.replace
    wanted = {"femto": ".femto", "metrics": "metrics.yaml", "metadata": "metadata.yaml"}[place]

    def full(source: str, target: str) -> None:
        if str(target).endswith(wanted):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(source, target)

    sentence = r"^model_datas/LOOPBACK/[a-z].*: cannot be written: No space left on device\.$"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(ProgramError, match=sentence):
            fd.run("LOOPBACK", runners="fasmir", seed=9)
    assert everything() == before
    assert os.listdir("model_datas") == ["LOOPBACK"]


def test_bad_input_leaves_the_old_tree(fd: Femtodriver) -> None:
    fd.run("LOOPBACK", runners="fasmir")
    before = everything()
    rows = np.zeros((2, 16), int)
    rows[1, 15] = 40000
    with pytest.raises(InputError, match="frame 1, element 15"):
        fd.run("LOOPBACK", runners="fqir,fasmir", input_file={"x": rows})
    assert everything() == before


def test_an_interrupted_run_leaves_the_old_tree(fd: Femtodriver) -> None:
    fd.run("LOOPBACK", runners="fasmir")
    before = everything()

    def interrupt(runner: str, done: int, frames: int) -> None:
        raise KeyboardInterrupt

    fd.progress = interrupt
    with pytest.raises(KeyboardInterrupt):
        fd.run("LOOPBACK", runners="fqir,fasmir")
    assert everything() == before
    assert os.listdir("model_datas") == ["LOOPBACK"]


def test_an_unwritable_place_is_found_before_the_run(fd: Femtodriver) -> None:
    Path("file").write_text("mine")
    fd.progress = lambda *step: pytest.fail("it ran")
    for place in ("file", "file/deeper"):
        with pytest.raises(ProgramError, match=rf"{place}/LOOPBACK: cannot be written"):
            fd.run("LOOPBACK", runners="fqir", output_dir=place)
    assert Path("file").read_text() == "mine"


def test_files_of_others_in_the_models_folder_stay(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    for name in ("notes.txt", "meta_from_femtocrux", "my_plot.png"):
        (Path("model_datas/LOOPBACK") / name).write_text("mine")
    fd.compile("LOOPBACK")
    for name in ("notes.txt", "meta_from_femtocrux", "my_plot.png"):
        assert (Path("model_datas/LOOPBACK") / name).read_text() == "mine"


def test_what_we_call_ours_is_what_we_write(fd: Femtodriver) -> None:
    fd.run("LOOPBACK", runners="fasmir")
    written = {path.name for path in Path("model_datas/LOOPBACK").iterdir()}
    assert written <= model_folder.RESULTS | model_folder.OWN_METAS


def test_ir_is_dumped_even_where_compilation_ends(fd: Femtodriver, tmp_path: Path) -> None:
    fd.compile("LOOPBACK", dump_ir=tmp_path / "ir" / "deep")
    names = sorted(path.name for path in (tmp_path / "ir" / "deep").iterdir())
    assert names[0] == "00-fqir.txt"
    assert names[-1].endswith(".fasmir")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ProgramError, match="file: the directory cannot be made"):
        fd.compile("LOOPBACK", dump_ir=tmp_path / "file")
