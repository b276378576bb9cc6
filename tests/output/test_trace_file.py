"""What is told of a trace, and where it cannot be written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UsageError
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.native.library import find_library
from femtodriver.options.runner_requests import ExecuteRequest, MeasureRequest, RunnerRequest
from femtodriver.options.value_kinds import MACHINES
from femtodriver.output import trace_file
from femtodriver.output.told_places import check_place
from femtodriver.output.trace_file import write_trace
from femtodriver.runners import frame_tracer
from femtodriver.runners.compare_runs import Comparison
from femtodriver.runners.execution import Execution, RunInputs
from femtodriver.runners.fasmir_runner import make_fasmir
from femtodriver.runners.frame_tracer import frame_range

ROWS = {"x": np.arange(64).reshape(4, 16)}


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Femtodriver:
    monkeypatch.chdir(tmp_path)
    made = Femtodriver()
    made.load_model("LOOPBACK")
    made.compile_metadata()
    return made


def told(driver: Femtodriver) -> list[str]:
    lines: list[str] = []
    driver.say = lambda text: lines.extend(text.split("\n"))
    return lines


@pytest.mark.parametrize("machine", MACHINES)
def test_the_file_and_the_machines_are_named(driver: Femtodriver, machine: str) -> None:
    if machine == "native" and isinstance(find_library(), str):
        pytest.skip("the native loop was not built")
    lines = told(driver)
    driver.simulate(ROWS, trace="out.json", machine=machine)
    size = Path("out.json").stat().st_size
    first = f"wrote out.json: frames 0 to 1, 12 instructions ({size:,} bytes); open it at ui.perfetto.dev"
    assert lines[0].startswith(first)
    once_more = "  these frames ran once more on the NumPy machine, with the outputs of the native loop"
    assert lines[1:] == ([once_more] if machine == "native" else [])
    facts = json.loads(Path("out.json").read_text("ascii"))["otherData"]
    assert (facts["run_by"], facts["traced_by"], facts["frames"]) == (machine, "numpy", [0, 1])


def test_one_sentence_says_that_it_was_cut(driver: Femtodriver, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (frame_tracer, trace_file):
        monkeypatch.setattr(module, "MOST_INSTRUCTIONS", 8)
    lines = told(driver)
    driver.simulate(ROWS, trace="out.json", machine="numpy")
    assert lines[1:] == ["  it ends after 8 instructions, inside frame 1; --trace-frames chooses other frames"]
    assert json.loads(Path("out.json").read_text("ascii"))["otherData"]["complete"] is False


def test_compare_and_execute_runner_write_one_too(driver: Femtodriver) -> None:
    driver.compare(ROWS, "fqir,fasmir", trace="compared.json", trace_frames=(3, 4), clock=5e7)
    facts = json.loads(Path("compared.json").read_text("ascii"))["otherData"]
    assert (facts["frames"], facts["clock_hz"]) == ([3], 5e7)
    driver.execute_runner("fasmir", ROWS, trace="one.json")
    assert json.loads(Path("one.json").read_text("ascii"))["otherData"]["clock_hz"] == 1e8
    driver.execute_runner("fqir", ROWS, trace="none.json")
    assert not Path("none.json").exists()


@pytest.mark.parametrize("path", ["gone/out.json", "."])
def test_a_place_that_is_none_is_refused_before_anything_runs(driver: Femtodriver, path: str) -> None:
    with pytest.raises(UsageError, match=r"^trace: must be a file in a folder that exists, not "):
        driver.simulate(ROWS, trace=path)
    with pytest.raises(UsageError, match=r"^trace: must be a file in a folder that exists, not "):
        driver.run("LOOPBACK", runners="fasmir", trace=path)
    check_place(None, "trace")


def test_a_run_that_ends_too_early_gives_an_empty_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows how many frames a pipe will have."""
    monkeypatch.chdir(tmp_path)
    built = Encryption().applied(build(load_source("LOOPBACK")))
    runner = make_fasmir(built, RunnerRequest(), None)
    runner.trace(frame_range((7, 9), None))
    runner.reset()
    runner.run(ROWS)
    done = Execution(built, ExecuteRequest(), RunInputs(ROWS), {"fasmir": runner}, Comparison({}, {}, ()))
    told = write_trace("out.json", done, MeasureRequest())
    assert told == "wrote out.json: it is empty, because the run ended before the frames that were to be traced"
    assert json.loads(Path("out.json").read_text("ascii"))["otherData"]["frames"] == []


@pytest.mark.parametrize("option", ["trace", "report"])
def test_the_simulator_runs_if_no_runner_is_named(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = Femtodriver().run("LOOPBACK", **{option: "file"})  # type: ignore[arg-type]
    assert list(result["outputs"]) == ["fasmir"]
    assert Path("file").stat().st_size > 1000
