"""Calls, arguments and flags that the reference got with 2.x, or had in its old tool ``run_from_pt``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import CompiledData, Femtodriver, FemtoFile
from femtodriver.cli import main
from femtodriver.errors import UsageError

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def test_compiler_metadata_have_the_size_of_the_program(fd: Femtodriver) -> None:
    fd.compile(SPOTTER)
    found = fd.get_compiler_metadata()
    assert fd.compiled_data is not None
    info = fd.compiled_data.info()
    words = [
        sum(sum(banks.values()) for banks in sizes.values()) for sizes in (info.data_bank_sizes, info.table_bank_sizes)
    ]
    assert found["total_data_kB"] == words[0] * 8 / 1024
    assert found["total_table"] == words[1]
    assert found["total_instructions"] == sum(info.inst_counts.values())
    found["inputs"].clear()
    assert fd.compiled_data.metadata["inputs"]
    with pytest.raises(UsageError, match="compile"):
        Femtodriver().get_compiler_metadata()


def test_a_program_becomes_a_container_that_can_be_simulated(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    assert fd.compiled_data is not None
    file = fd.compiled_data.to_femtofile("2.6.0", "KWS", "mine", "3.2.1")
    path, size = file.export_file("made", "mine")
    again = FemtoFile.import_file(path)
    assert (again.header.producer, again.model.name, again.model.version) == ("2.6.0", "mine", "3.2.1")
    assert size == Path(path).stat().st_size
    fd.compile(path)
    assert fd.simulate({"x": np.ones((1, 16), int)}, 0.016)[0]["outputs"]["fasmir"]["%x.4"].tolist() == [[1] * 16]
    bare = CompiledData.read_from_files("model_datas/LOOPBACK/meta_from_femtodriver").to_femtofile(userdata=b"mine")
    assert bare.model.user_data == b"mine"


def test_a_container_prints_what_it_states(fd: Femtodriver, capsys: pytest.CaptureFixture[str]) -> None:
    _, path, _ = fd.compile("LOOPBACK")
    FemtoFile.import_file(path).print_specifications()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "header:"
    assert "  name LOOPBACK" in lines
    assert "  id 0, kind input, core 0, bits 16, usable 16, padded 16, parameter " in "\n".join(lines)
    assert [line for line in lines if line.startswith("  core 0, bank DM0, ")] != []


def test_type_version_and_part_are_stated(fd: Femtodriver, caplog: pytest.LogCaptureFixture) -> None:
    _, path, _ = fd.compile("LOOPBACK", model_type="AINR", model_version="4.5.6", target_spu="SPU001")
    model = FemtoFile.import_file(path).model
    assert (model.type_code, model.version) == (3, "4.5.6")
    with pytest.raises(UsageError, match="must be one of spu001"):
        fd.compile("LOOPBACK", target_spu="spu150")
    with caplog.at_level(logging.WARNING, logger="femtodriver"):
        fd.compile(path, model_version="9.9.9", output_dir="again")
    assert "model_version: without effect, because a .femto is kept as it is" in caplog.text


@pytest.mark.parametrize("entry", ["LOOPBACK: {opt-profile: %s}", "DEFAULT: {opt_profile: %s}"])
def test_a_profile_in_the_file_of_model_options_is_the_objective(fd: Femtodriver, entry: str) -> None:
    def objective(**given: Any) -> Any:
        fd.compile("LOOPBACK", model_options_file="options.yaml", **given)
        assert fd.compiled_data is not None
        return fd.compiled_data.metadata["femtodriver"]["compiler"]["options"]["objective"]

    Path("options.yaml").write_text(entry % "fast")
    assert objective() == "cycles"
    assert objective(opt_profile="efficient") == "energy"
    assert objective(objective="energy") == "energy"
    Path("options.yaml").write_text(entry % "quick")
    with pytest.raises(UsageError, match=r"options\.yaml: opt_profile: must be efficient, fast or conservative"):
        objective()


def test_the_flags_of_the_old_tool_mean_the_same(fd: Femtodriver, capsys: pytest.CaptureFixture[str]) -> None:
    del fd
    old = ["--n_inputs", "3", "--comparisons", "fqir,fasmir", "--sim_est_input_period", "0.5"]
    assert main(["LOOPBACK", *old]) == 0
    told = capsys.readouterr().out
    assert "fqir = fasmir, 3 frames, bit-exact" in told
    assert "Input Period (s): 0.5\n" in Path("model_datas/LOOPBACK/metrics.yaml").read_text()
    assert main(["LOOPBACK", "--runner", "fasmir", "--norun", "--output_dir", "other"]) == 0
    assert "wrote other/LOOPBACK/" in capsys.readouterr().out
    assert not Path("other/LOOPBACK/outputs").exists()
    assert main(["LOOPBACK", "--runner", "fasmir", "--comparisons", "hw,fasmir"]) == 2


def test_metrics_go_to_a_folder_or_to_a_file(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    text = fd.simulate({"x": np.zeros((1, 16), int)}, 0.016)[1]
    assert fd.write_metrics_to_disk(text, "out") == "out/LOOPBACK/metrics.yaml"
    assert fd.write_metrics_to_disk(text, output_path="mine.yaml") == "mine.yaml"
    assert Path("mine.yaml").read_text() == text
    fd.write_metrics_to_disk({"Latency (s)": 0.25}, output_path=Path("board.yaml"))
    assert yaml.safe_load(Path("board.yaml").read_text()) == {"Latency (s)": 0.25}
    for places in ({}, {"output_dir": "out", "output_path": "mine.yaml"}):
        with pytest.raises(UsageError, match="one of output_dir and output_path must be given"):
            fd.write_metrics_to_disk(text, **places)
    assert CompiledData.read_from_files(dir="model_datas/LOOPBACK/meta_from_femtodriver").info().inst_counts
