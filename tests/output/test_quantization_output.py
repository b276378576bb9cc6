"""What is told of a quantization report, where it is written, and what is refused."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.errors import InputError, UsageError
from femtodriver.output.output_files import npz
from femtodriver.output.quantization_output import show_quantization
from femtodriver.output.told_places import check_quantization_file

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_needs_no_runners(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["LOOPBACK", "--quantization", "--quantization-file", "q.json"]) == 0
    out = capsys.readouterr().out
    assert "fqir ran" in out
    assert "Quantization  values of 2 frames" in out
    assert f"wrote q.json (ranges of 2 values, {Path('q.json').stat().st_size:,} bytes)" in out
    assert [row["value"] for row in json.loads(Path("q.json").read_text())["rows"]] == ["x", "%x.4"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("width", "ruled"), [(100, False), (160, True)])
def test_a_wide_terminal_gets_a_table(width: int, ruled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Femtodriver()
    driver.run(SPOTTER, runners="fqir", quantization=True, n_frames=2)
    stream, told = Terminal(), list[str]()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    if driver.quantization is None:
        pytest.fail("the report must be there")
    show_quantization(driver.quantization, told.append)
    assert bool(told) is not ruled
    text = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()) if ruled else told[0]
    assert "listen.layers.0.linear_ih" in text
    assert "Not shown  22 values" in text
    assert not ruled or max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_with_a_profile_both_runners_run_and_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["LOOPBACK", "--quantization", "--profile"]) == 0
    out = capsys.readouterr().out
    assert "fqir = fasmir, 8 frames, bit-exact" in out
    assert out.index("Profile ") < out.index("Quantization ")


def test_python_gets_the_report_as_data() -> None:
    driver = Femtodriver()
    driver.run("LOOPBACK", quantization=True, n_frames=5)
    assert driver.quantization is not None
    assert driver.quantization.frames == 5
    assert all(row.elements == 5 * 16 for row in driver.quantization.rows)
    driver.run("LOOPBACK", runners="fqir")
    assert driver.quantization is None


def test_float_values_are_compared_frame_by_frame() -> None:
    driver = Femtodriver()
    result = driver.run(SPOTTER, runners="fqir", n_frames=4)
    real = np.asarray(result["outputs"]["fqir"]["output.0"]) * 2.0**-11
    real += np.array([[0], [0], [0], [1]])
    Path("float.npz").write_bytes(npz({"answer": real}))
    driver.run(SPOTTER, n_frames=4, quantization=True, float_values="float.npz")
    report = driver.quantization
    assert report is not None
    assert (report.compared, report.rows[-1].label, report.rows[-1].compared) == (1, "answer", 20)
    assert report.rows[-1].snr_db == pytest.approx(10 * np.log10(np.square(real).sum() / 5))


def test_a_float_model_of_fewer_frames_is_refused() -> None:
    Path("float.npz").write_bytes(npz({"output.0": np.zeros((1, 5))}))
    with pytest.raises(InputError, match="must have a row for each frame that runs, not 1"):
        Femtodriver().run(SPOTTER, n_frames=2, quantization=True, float_values="float.npz")


def test_a_value_without_quanta_cannot_be_compared() -> None:
    Path("float.npz").write_bytes(npz({"%x.4": np.zeros((2, 16))}))
    with pytest.raises(UsageError, match=r"float_values: value '%x\.4' must have quanta in the network to be compared"):
        Femtodriver().run("LOOPBACK", quantization=True, float_values="float.npz")


def test_options_that_change_nothing_are_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["LOOPBACK", "--runners", "fasmir", "--quantization"]) == 0
    assert "note: quantization: without effect, because only fqir uses it" in capsys.readouterr().out
    assert main(["LOOPBACK", "--runners", "fqir", "--float-values", "float.npz"]) == 0
    told = "note: float_values: without effect, because no quantization report is shown; --quantization asks for one"
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("path", ["values.txt", "gone/values.csv"])
def test_a_file_that_cannot_be_written_is_refused_before_the_run(path: str) -> None:
    with pytest.raises(UsageError, match="quantization_file: must"):
        check_quantization_file(path)
