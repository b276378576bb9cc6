"""No file of a job is written over another one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UsageError
from femtodriver.options.main_requests import JobRequest, MainRequest
from femtodriver.options.option import options_of
from femtodriver.options.value_kinds import PATH
from femtodriver.output.distinct_files import READ, WRITTEN, check_distinct_files

FOLDERS = {"output_dir", "dump_ir", "model_source_dir"}
FOLDER = Path("model_datas", "net")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.wav").touch()
    Path("net.pt").touch()
    os.link("in.wav", "hard.wav")
    Path("soft.wav").symlink_to("in.wav")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"output_file": "x.wav", "report": "x.wav"}, "report: must be another file than output_file, not x.wav."),
        ({"trace": "x", "report": "gone/../x"}, "report: must be another file than trace, not gone/../x."),
        ({"profile_file": "x.csv", "quantization_file": Path("x.csv")}, "another file than profile_file, not x.csv."),
        ({"input_file": "in.wav", "trace": "in.wav"}, "trace: must be another file than input_file, not in.wav."),
        ({"input_file": "in.wav", "output_file": "soft.wav"}, "output_file: must be another file than input_file"),
        ({"input_file": "in.wav", "output_file": "hard.wav"}, "output_file: must be another file than input_file"),
        (
            {"iospec_file": "io.yaml", "report": "io.yaml"},
            "report: must be another file than iospec_file, not io.yaml.",
        ),
        ({"report": "net.pt"}, "report: must be another file than the model, not net.pt."),
        (
            {"output_file": FOLDER / "outputs" / "x.wav"},
            "output_file: must not be in a folder inside model_datas/net, which is written anew, as "
            "model_datas/net/outputs/x.wav is. Choose another place.",
        ),
    ],
)
def test_a_file_that_has_another_use_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        check_distinct_files("net.pt", JobRequest(**options), FOLDER)
    assert sentence in str(told.value)


@pytest.mark.parametrize(
    "options",
    [
        {"input_file": "in.wav", "output_file": "x.wav", "report": "x.html", "trace": "x.json"},
        {"input_file": "-", "output_file": "-"},
        {"output_file": FOLDER / "x.wav"},
        {"output_file": Path("outputs", "x.wav")},
    ],
)
def test_files_of_their_own_are_not(options: dict[str, Any]) -> None:
    check_distinct_files("net.pt", JobRequest(**options), FOLDER)
    check_distinct_files(object(), JobRequest(**options), FOLDER)


def test_every_file_of_a_job_is_looked_at() -> None:
    paths = {option.name for option in options_of(MainRequest) if option.kind is PATH}
    assert paths - FOLDERS <= {*READ, *WRITTEN}


def test_a_simulation_writes_over_neither_its_model_nor_its_own_timeline() -> None:
    driver = Femtodriver()
    driver.compile("LOOPBACK")
    rows = driver.generate_inputs(n_frames=2)
    with pytest.raises(UsageError, match=r"^report: must be another file than the model, not LOOPBACK\.$"):
        driver.simulate(rows, report="LOOPBACK")
    with pytest.raises(UsageError, match=r"^report: must be another file than trace, not x\.$"):
        driver.execute_runner("fasmir", rows, trace="x", report="x")
    assert not Path("LOOPBACK").exists()
    assert not Path("x").exists()
