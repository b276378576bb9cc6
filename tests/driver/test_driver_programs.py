"""Programs that were compiled before: from a ``.femto``, an archive or a folder; ours run, foreign ones convert."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import CompiledData, Femtodriver, FemtoFile
from femtodriver.errors import FemtoError, InputError, ProgramError, UsageError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.model.build_model import build
from femtodriver.model.load_model import Source
from femtodriver.model.model_encryption import Encryption
from femtodriver.output.model_folder import write_all
from femtodriver.program.digest import with_digest

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
ALONE = """
import sys
import numpy as np
from femtodriver import Femtodriver
with Femtodriver() as fd:
    fd.compile(sys.argv[1])
    with np.load(sys.argv[2]) as archive:
        inputs = fd.generate_audio_inputs(dict(archive))
    results, metrics = fd.simulate(inputs, 0.016)
    np.savez(sys.argv[3], **results["outputs"]["fasmir"])
assert not {"torch", "fmot", "scipy"} & set(sys.modules)
"""


HALVES_FEMTO = "halves/io_records/halves.femto"


def check_alone(fd: Femtodriver, model: Any, frames: int) -> None:
    """The .femto, moved elsewhere, in a fresh process, gives the bits that the graph gives here."""
    _, femto, _ = fd.compile(model, model_name="model")
    inputs = fd.generate_audio_inputs(n_frames=frames, seed=7)
    wanted = fd.execute_runner("fqir", inputs)[0]["outputs"]["fqir"]
    alone = Path("alone")
    alone.mkdir()
    shutil.copy(femto, alone / "other.femto")
    np.savez("inputs.npz", **inputs)  # type: ignore[arg-type]
    shutil.rmtree("model_datas")
    command = [sys.executable, "-c", ALONE, "other.femto", "../inputs.npz", "../outputs.npz"]
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    with np.load("outputs.npz") as made:
        assert set(made.files) == set(wanted)
        for name, rows in wanted.items():
            assert np.array_equal(made[name], rows)
    assert (alone / "model_datas/other/io_records/other.femto").read_bytes() == (alone / "other.femto").read_bytes()


@pytest.mark.slow
def test_a_femto_alone_in_a_fresh_process_gives_the_same_bits(fd: Femtodriver) -> None:
    check_alone(fd, SPOTTER, 10)


@pytest.mark.slow
def test_names_of_several_variables_survive_the_container(fd: Femtodriver, corpus: Path) -> None:
    check_alone(fd, corpus / "zoo" / "multi_io_double" / "graph.pt", 5)


def test_the_container_carries_no_source_map_but_names_and_part(fd: Femtodriver) -> None:
    _, femto, _ = fd.compile(SPOTTER)
    file = FemtoFile.import_file(femto)
    told = json.loads(file.model.user_data)
    assert set(told) == {
        "schema", "isa", "part", "part_sha256", "part_geometry", "compiler", "model", "digest", "inputs", "outputs",
        "input_forms", "output_forms",
    }  # fmt: skip
    assert told["isa"] == "open-spu/3"
    assert told["inputs"] == [{"id": "0", "name": "features", "bits": 16}]
    assert told["model"]["name"] == "keyword_spotter"
    assert file.model.name == "keyword_spotter"
    assert file.spu.key_index == 32  # not encrypted


def real_halves() -> Network:
    """z = x: frames of two rows and three columns, which stand for halves."""
    x, z = (Tensor(name, "fqint16", (2, 3), quanta=-1.0) for name in "xz")
    frame = Graph("ARITH", (x,), (z,), (), (Node("", "copy", {"x": x}, (z,)),))
    return Network("halves", Graph("MAIN", (x,), (z,), (), (), {"ARITH": frame}), frame, None)


def written_halves() -> CompiledData:
    """The program of ``real_halves`` in a folder, a container and an archive."""
    built = Encryption().applied(build(Source("halves", "halves", "meta_from_femtodriver", real_halves())))
    write_all(".", built)
    built.data.to_zip_file("halves.zip")
    return built.data


@pytest.mark.parametrize("path", ["halves", "halves/meta_from_femtodriver", "halves.zip", HALVES_FEMTO])
def test_a_program_takes_the_inputs_that_its_network_takes(fd: Femtodriver, path: str) -> None:
    written_halves()
    fd.compile(path, output_dir="again")
    rows = np.arange(12).reshape(2, 2, 3)
    for inputs in (rows, rows.reshape(2, 6)):
        made = fd.generate_audio_inputs({"x": inputs / 2}, scale="real")
        assert made["x"].tolist() == rows.reshape(2, 6).tolist()
    results, _ = fd.simulate({"x": rows})
    assert results["outputs"]["fasmir"]["z"].tolist() == rows.reshape(2, 6).tolist()
    with np.load(f"again/{fd.modelname}/outputs/fasmir.npz") as archive:
        assert float(archive["quanta/z"]) == -1.0
    with pytest.raises(InputError, match=r"must have the shape \(frames, 6\) or \(frames, 2, 3\), not \(2, 3, 2\)"):
        fd.simulate({"x": rows.reshape(2, 3, 2)})


def test_programs_from_before_take_one_axis_and_no_real_numbers(fd: Femtodriver) -> None:
    data = written_halves()
    told = {**data.metadata["femtodriver"], "schema": 1}
    del told["input_forms"], told["output_forms"]
    metadata = with_digest({**data.metadata, "femtodriver": told}, data.mems_per_core)
    CompiledData(metadata, data.mems_per_core, data.files).to_zip_file("old.zip")
    fd.compile("old.zip")
    rows = np.arange(12).reshape(2, 2, 3)
    with pytest.raises(InputError, match=r"must have the shape \(frames, 6\), not \(2, 2, 3\)"):
        fd.simulate({"x": rows})
    with pytest.raises(UsageError, match="the program does not state the quanta of this input"):
        fd.generate_audio_inputs(rows.reshape(2, 6) / 2, scale="real")
    assert fd.simulate({"x": rows.reshape(2, 6)})[0]["outputs"]["fasmir"]["z"].tolist() == rows.reshape(2, 6).tolist()


def test_axes_that_contradict_the_length_are_refused(fd: Femtodriver) -> None:
    data = written_halves()
    told = {**data.metadata["femtodriver"], "input_forms": {"x": {"shape": [4, 2]}}}
    metadata = with_digest({**data.metadata, "femtodriver": told}, data.mems_per_core)
    CompiledData(metadata, data.mems_per_core, data.files).to_zip_file("odd.zip")
    with pytest.raises(ProgramError, match=r"odd\.zip: femtodriver: the axes of 'x' must have 6 elements in all"):
        fd.compile("odd.zip")


def outputs_of(fd: Femtodriver) -> Any:
    inputs = fd.generate_audio_inputs(n_frames=4)
    return fd.execute_runner("fasmir", inputs)[0]["outputs"]["fasmir"]["output.0"]


@pytest.mark.slow
def test_every_form_of_a_program_gives_the_same_bits(fd: Femtodriver) -> None:
    meta_dir, femto, _ = fd.compile(SPOTTER, output_dir="first")
    assert fd.compiled_data is not None
    fd.compiled_data.to_zip_file("program.zip")
    wanted = outputs_of(fd)
    forms: list[tuple[Any, str, str]] = [
        ("program.zip", "program", "meta_from_zipfile"),
        (femto, "keyword_spotter", "meta_from_femtofile"),
        ("first/keyword_spotter", "keyword_spotter", "meta_from_femtodriver"),
        (Path(meta_dir), "keyword_spotter", "meta_from_femtodriver"),
    ]
    for model, name, meta_name in forms:
        again = fd.compile(model, output_dir="second")
        assert again[0] == f"second/{name}/{meta_name}"
        assert np.array_equal(outputs_of(fd), wanted)
        assert fd.fqir is None
        with pytest.raises(UsageError, match="runner fqir: the model must be a network"):
            fd.create_runner("fqir")
        # Whatever way it took, the program stays the same.
        again_data = CompiledData.read_from_files(again[0])
        for core, memories in fd.compiled_data.mems_per_core.items():
            for memory, groups in memories.items():
                assert all(map(np.array_equal, groups, again_data.mems_per_core[core][memory])), memory


def test_layers_are_told_where_the_program_still_knows_them(fd: Femtodriver) -> None:
    _, femto, _ = fd.compile("LOOPBACK", output_dir="first")
    for model, layers in (("first/LOOPBACK", True), (femto, False)):
        fd.compile(model, output_dir="second")
        document = yaml.safe_load(fd.simulate(fd.generate_audio_inputs(), 0.016)[1])
        assert (document["layers"][0]["op"] == "copy") is layers
        assert document["model"]["name"] == "LOOPBACK"
        assert document["model"]["sha256"] is not None


def test_running_the_container_beside_its_images_keeps_them(fd: Femtodriver) -> None:
    _, femto, _ = fd.compile("LOOPBACK")
    fd.run(femto, runners="fasmir")
    names = {path.name for path in Path("model_datas/LOOPBACK").iterdir()}
    assert {"meta_from_femtodriver", "meta_from_femtofile", "metrics.yaml"} <= names
    fd.compile(SPOTTER, model_name="LOOPBACK")
    names = {path.name for path in Path("model_datas/LOOPBACK").iterdir()}
    assert names == {"meta_from_femtodriver", "io_records", "iospec.yaml"}


def test_the_current_folder_can_be_the_model(fd: Femtodriver, monkeypatch: pytest.MonkeyPatch) -> None:
    fd.compile("LOOPBACK", output_dir="first")
    monkeypatch.chdir("first/LOOPBACK")
    assert fd.compile(".", output_dir="../../second")[0] == "../../second/LOOPBACK/meta_from_femtodriver"


def foreign(folder: Path) -> CompiledData:
    """A program of somebody else: our container, unknown instructions, encrypted."""
    words = np.arange(1, 9, dtype=np.uint64) << np.uint64(40)
    record = {"core": 0, "len_64b_words": 4, "dtype": "V_D", "precision": "DBL"}
    metadata = {
        "data_bank_sizes": {0: {0: 8}},
        "table_bank_sizes": {0: {}},
        "inst_counts": {0: 8},
        "inputs": {"a": {**record, "pc_val": 3}},
        "outputs": {"b": {**record, "mailbox_id": 1}},
        "vendor_key": [1, 2],
    }
    data = CompiledData(metadata, {0: {"DM": [words], "IM": [words]}})
    data.to_zip_file(folder / "foreign.zip")
    return data


def test_foreign_programs_are_converted_and_not_simulated(fd: Femtodriver, tmp_path: Path) -> None:
    foreign(tmp_path)
    meta_dir, femto, _ = fd.compile("foreign.zip")
    assert meta_dir == "model_datas/foreign/meta_from_zipfile"
    assert Path("model_datas/foreign/io_records/apb_records/0PROG_A").stat().st_size > 0
    assert yaml.safe_load(Path(meta_dir, "metadata.yaml").read_text())["vendor_key"] == [1, 2]
    for call in (lambda: fd.create_runner("fasmir"), lambda: fd.simulate({}, 0.016)):
        with pytest.raises(ProgramError, match=r"foreign\.zip: is not a program for the open SPU"):
            call()
    with pytest.raises(ProgramError, match="is not a program for the open SPU"):
        fd.run("foreign.zip", runners="fasmir", output_dir="third")
    assert not Path("third").exists()
    again = fd.compile(femto, output_dir="second")
    assert Path(again[1]).read_bytes() == Path(femto).read_bytes()
    with pytest.raises(ProgramError, match=r"foreign\.femto: is not a program for the open SPU"):
        fd.simulate({})


def with_user_data(source: str | Path, path: str, content: bytes) -> str:
    file = FemtoFile.import_file(source)
    file.model = replace(file.model, user_data=content)
    Path(path).write_bytes(file.serialize())
    return path


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 5000, b"\xff\xfe", b"[]", b"null", b'{"isa": "other/2"}', b'{"isa": []}', b"9" * 5000],
)
def test_containers_without_our_marker_are_foreign(fd: Femtodriver, content: bytes) -> None:
    _, femto, _ = fd.compile("LOOPBACK")
    fd.compile(with_user_data(femto, "other.femto", content))
    with pytest.raises(ProgramError, match=r"other\.femto: is not a program for the open SPU"):
        fd.simulate({})


def test_a_container_for_another_version_of_the_instruction_set_is_refused(fd: Femtodriver) -> None:
    _, femto, _ = fd.compile("LOOPBACK")
    told = {**json.loads(FemtoFile.import_file(femto).model.user_data), "isa": "open-spu/2"}
    path = with_user_data(femto, "old.femto", json.dumps(told).encode())
    with pytest.raises(ProgramError, match=r"old\.femto: user data: isa: must be open-spu/3, .* Compile "):
        fd.compile(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"inputs": None}, r"inputs must have the ids \['0'\], not \[\]"),
        ({"inputs": [5]}, "inputs must be records with id, name and bits, not 5"),
        ({"inputs": [{"id": "9", "name": "x", "bits": 16}]}, r"not \['9'\]"),
        ({"inputs": [{"id": "0", "name": "x", "bits": 16}] * 2}, "the id '0' must appear once"),
        ({"inputs": [{"id": "0", "name": "x"}]}, "input_bits.*: must be a whole number .*, not None"),
        ({"inputs": [{"id": "0", "name": "x", "bits": 99}]}, "input_bits.*: must be in 1...32, not 99"),
        ({"part_geometry": 3}, "part_geometry: must be a mapping, not 3"),
        ({"model": "x"}, "model: must be a mapping"),
        ({"part": "unknown"}, "the part must be one that is shipped .*, not 'unknown'"),
        ({"part": "spu001x4"}, "the part must have cores 2, as 'spu001x4' has"),
    ],
)
def test_containers_that_contradict_themselves_are_refused(
    fd: Femtodriver, changes: dict[str, Any], sentence: str
) -> None:
    _, femto, _ = fd.compile("LOOPBACK")
    told = {**json.loads(FemtoFile.import_file(femto).model.user_data), **changes}
    del told["digest"]
    path = with_user_data(femto, "odd.femto", json.dumps(told).encode())
    with pytest.raises(ProgramError, match=rf"odd\.femto: .*{sentence}"):
        fd.compile(path)


@pytest.mark.parametrize(
    ("old", "new"), [(b'"model":', b'"model"8'), (b"true", b"tpue"), (b'{"schema"', b'{\xffschema"')]
)
def test_user_data_of_ours_that_are_damaged_are_not_foreign(fd: Femtodriver, old: bytes, new: bytes) -> None:
    _, femto, _ = fd.compile("LOOPBACK")
    content = FemtoFile.import_file(femto).model.user_data
    assert old in content
    path = with_user_data(femto, "bad.femto", content.replace(old, new, 1))
    with pytest.raises(
        ProgramError, match=r"^bad\.femto: user data: must be JSON.* The file is damaged; fetch it again"
    ):
        fd.compile(path)


def test_a_program_wants_the_part_that_it_was_compiled_for(fd: Femtodriver) -> None:
    _, femto, _ = fd.compile("LOOPBACK", hw_config="spu001x4")
    fd.compile(femto)
    fd.simulate(fd.generate_audio_inputs(), 0.016)
    with pytest.raises(ProgramError, match=r"the part must have cores 4, as 'spu001x4' has, .*not 2 as 'spu001' has"):
        fd.compile(femto, hw_config="spu001")


def part_file(path: str, **changes: object) -> str:
    from femtodriver.part import load_part

    part = load_part()
    entries = {name: getattr(part, name) for name in part.__dataclass_fields__ if name != "sha256"}
    entries.update(changes)
    Path(path).write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in entries.items()))
    return path


def test_a_users_own_part_must_be_given_again(fd: Femtodriver) -> None:
    own = part_file("own.toml", name="own", dm_banks=2)
    _, femto, _ = fd.compile("LOOPBACK", hw_config=own)
    with pytest.raises(ProgramError, match=r"not 'own'\. Give its \.toml file with --hw-config"):
        fd.compile(femto)
    fd.compile(femto, hw_config=own)
    other_clock = part_file("faster.toml", name="faster", dm_banks=2, clock_hz=2e8)
    fd.compile(femto, hw_config=other_clock)
    document = yaml.safe_load(fd.simulate(fd.generate_audio_inputs(), 0.016)[1])
    assert document["hardware"]["name"] == "faster"


def test_a_part_with_banks_that_no_program_file_knows_is_refused(fd: Femtodriver) -> None:
    with pytest.raises(UsageError, match="hw-config: dm_bank_words of 'own' must be 8192"):
        fd.compile("LOOPBACK", hw_config=part_file("own.toml", name="own", dm_bank_words=4096))


@pytest.mark.parametrize("suffix", [".zip", ".femto"])
def test_damaged_programs_are_refused(fd: Femtodriver, suffix: str) -> None:
    _, femto, _ = fd.compile("LOOPBACK")
    assert fd.compiled_data is not None
    whole = Path(femto).read_bytes() if suffix == ".femto" else fd.compiled_data.to_zip_bytes()
    for content in (b"", whole[: len(whole) // 2], b"x" * 400, whole[:-1]):
        path = Path(f"damaged{suffix}")
        path.write_bytes(content)
        with pytest.raises(FemtoError, match=rf"damaged\{suffix}"):
            fd.compile(path)


def test_a_folder_that_holds_no_program_is_refused(fd: Femtodriver) -> None:
    Path("empty").mkdir()
    with pytest.raises(ProgramError, match=r"empty: the file metadata\.yaml is missing"):
        fd.compile("empty")
    with pytest.raises(ProgramError, match=r"gone: the model must be LOOPBACK, .*there is no such folder"):
        fd.compile("gone")
