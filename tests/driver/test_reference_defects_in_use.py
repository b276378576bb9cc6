"""Defects 18 to 32 of the reference (docs/compatibility.md): inputs, safety, use. One test each, by number."""

from __future__ import annotations

import builtins
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.device.boards import BOARDS
from femtodriver.errors import InputError, ModelError, UsageError
from femtodriver.metrics.hardware_metrics import hardware_metrics
from femtodriver.output import plots
from femtodriver.program.bus.read_recordings import read_recordings
from tests.driver.reference_models import LOOPBACK_FEMTO, WIDTH, as_zip, outputs_of, two_ways
from tests.inputs.wav_bytes import chunk, fmt, pcm, riff

# --- inputs and comparison ---


def test_defect_18_files_feed_several_inputs_with_frames_of_logical_length(fd: Femtodriver) -> None:
    fd.compile(two_ways())
    rows = np.arange(4 * WIDTH).reshape(4, WIDTH)
    np.savez("both.npz", a=rows, b=rows + 1)
    made = fd.generate_audio_inputs("both.npz")
    np.testing.assert_array_equal(made["b"], rows + 1)
    assert (outputs_of(fd, made)["less"] == -1).all()


def test_defect_19_sound_has_channels_widths_and_rates(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    left, right = list(range(32)), list(range(100, 132))
    both = [value for pair in zip(left, right, strict=True) for value in pair]
    Path("stereo.wav").write_bytes(riff(fmt(16, channels=2), chunk(b"data", pcm(both))))
    with pytest.raises(InputError, match="channel"):
        fd.generate_audio_inputs("stereo.wav")
    assert fd.generate_audio_inputs("stereo.wav", channel=2)["x"].reshape(-1).tolist() == right
    Path("24.wav").write_bytes(riff(fmt(24), chunk(b"data", pcm([value << 8 for value in left], 24))))
    assert fd.generate_audio_inputs("24.wav")["x"].reshape(-1).tolist() == left


def test_defect_20_random_frames_have_a_seed_and_a_range(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    whole = fd.generate_audio_inputs(n_frames=6)["x"]
    part = fd.generate_audio_inputs(n_frames=6, input_sample_indices=[2, 5])["x"]
    np.testing.assert_array_equal(part, whole[2:5])
    np.testing.assert_array_equal(fd.generate_audio_inputs(n_frames=6)["x"], whole)
    assert not np.array_equal(fd.generate_audio_inputs(n_frames=6, seed=1)["x"], whole)


@pytest.mark.parametrize("name", ["fqir", "fmir", "fasmir"])
def test_defect_21_runners_bind_inputs_by_name(fd: Femtodriver, name: str) -> None:
    fd.compile(two_ways())
    inputs = {"b": np.full((1, WIDTH), 3), "a": np.full((1, WIDTH), 10)}
    outputs = fd.execute_runner(name, inputs)[0]["outputs"][name]
    assert (outputs["less"].tolist(), outputs["copy"].tolist()) == ([[7] * WIDTH], [[3] * WIDTH])


def test_defect_22_results_of_a_comparison_stand_in_the_models_folder(
    fd: Femtodriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "can_draw", lambda: False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    fd.compile(two_ways(), model_name="two")
    assert fd.compare(fd.generate_audio_inputs(), "fqir,fasmir")["pass"] is True
    assert [entry.name for entry in Path().iterdir()] == ["model_datas"]
    with np.load("model_datas/two/comparison/outputs.npz") as archive:
        assert set(archive.files) == {"fqir/less", "fqir/copy", "fasmir/less", "fasmir/copy"}


@pytest.mark.slow
def test_defect_23_boards_and_recordings_can_be_compared(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    inputs = fd.generate_audio_inputs()
    np.save("recorded.npy", inputs["x"])
    result = fd.compare(inputs, "hw,dummy", dummy_output_file="recorded.npy")
    assert (result["pass"], list(result["outputs"])) == (True, ["hardware", "dummy"])
    assert fd.create_runner("fakehw")[1] == "fakehw"
    with pytest.raises(UsageError, match="compare: runners must be at least two"):
        fd.compare(inputs, "hw")


# --- safety and usability ---


def test_defect_24_pickles_run_nothing_and_none_are_written(fd: Femtodriver) -> None:
    Path("evil.pt").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(ModelError):
        fd.compile("evil.pt")
    assert not Path("ran").exists()
    with pytest.raises(UsageError, match=r"evil\.pck"):
        fd.compile("evil.pck")
    fd.compile("LOOPBACK")
    fd.compare(fd.generate_audio_inputs(), "fqir,fasmir")
    assert [path for path in Path("model_datas").rglob("*") if path.suffix in (".pck", ".pkl", ".pickle")] == []


def test_defect_25_metadata_from_a_container_are_plain(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    meta_dir, _, _ = fd.compile(LOOPBACK_FEMTO)
    text = Path(meta_dir, "metadata.yaml").read_text()
    assert "!!python" not in text
    assert "inputs" in yaml.safe_load(text)


def test_defect_26_hex_texts_hold_values_and_recordings_are_read_back(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    folder = Path("model_datas/LOOPBACK/io_records")
    records = read_recordings(folder / "setup.yaml")["0PROG"]
    words = [f"{value:#010x}" for record in records for value in record.vals]
    text = (folder / "setup_hex.txt").read_text()
    assert len(words) > 10
    assert [word for word in set(words) if word not in text] == []
    assert (folder / "apb_records" / "0PROG_D").stat().st_size > 0


@pytest.mark.slow
def test_defect_27_the_exit_status_tells_and_cleaning_up_is_no_error(fd: Femtodriver, capsys: Any) -> None:
    np.save("rows.npy", np.zeros((2, 16), int))
    np.save("other.npy", np.ones((2, 16), int))
    given = ["LOOPBACK", "--input-file", "rows.npy", "--runners", "fqir,dummy", "--dummy-output-file"]
    assert [main([*given, "rows.npy"]), main([*given, "other.npy"])] == [0, 1]
    assert main(["--cleanup-docker"]) == 0
    assert "no containers to stop" in capsys.readouterr().out
    assert isinstance(fd, Femtodriver)


def test_defect_28_ctrl_c_leaves_nothing_running_or_half_written(fd: Femtodriver) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    fd.progress = interrupt
    with pytest.raises(KeyboardInterrupt), fd:
        fd.run("LOOPBACK", runners="fqir")
    assert [path for path in Path().rglob("*") if path.is_file()] == []
    assert fd.get_docker_logs() == "No logs available"


@pytest.mark.slow
def test_defect_29_nothing_asks_and_all_spellings_are_known(
    fd: Femtodriver, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def never(*_: object) -> str:
        raise AssertionError("asked for something")

    monkeypatch.setattr(builtins, "input", never)
    monkeypatch.setattr("getpass.getpass", never)
    monkeypatch.setenv("FS_HW_ISA", "nonsense")
    np.save("rows.npy", np.zeros((3, 16), int))
    assert main(["LOOPBACK", "--input_file", "rows.npy", "--debug_vars", "all", "--runners", "fqir"]) == 0
    assert main(["LOOPBACK", "--input-file", "rows.npy", "--debug-vars", "all", "--runners", "fqir"]) == 0
    assert "3 frames" in capsys.readouterr().out
    assert isinstance(fd, Femtodriver)


def test_defect_30_sizes_are_bytes(fd: Femtodriver) -> None:
    _, path, size = fd.compile("LOOPBACK")
    assert size == Path(path).stat().st_size
    told = inspect.signature(fd.compile).return_annotation
    assert told == "tuple[str, str, int] | tuple[str, str, int, IOSpec]"


@pytest.mark.slow
def test_defect_31_a_zip_is_converted_without_any_extra(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    as_zip(fd, "model.zip")
    script = (
        "import sys\n"
        "for name in ('docker', 'grpc', 'torch', 'fmot', 'femtocrux', 'redis', 'matplotlib', 'scipy', 'hid'):\n"
        "    sys.modules[name] = None\n"
        "from femtodriver.cli import main\n"
        "sys.exit(main(['model.zip', '--runners', 'fasmir']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("model_datas/model/io_records/model.femto").is_file()


def test_defect_32_metrics_are_one_document_and_units_are_true(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    document = yaml.safe_load(fd.simulate(fd.generate_audio_inputs(), 0.02)[1])
    assert (document["Frames Simulated"], document["Input Period (s)"]) == (2, 0.02)
    assert document["hardware"]["clock_hz"] >= 1e6
    assert [key for key in document if "MHz" in key] == []
    assert 100 < hardware_metrics([5], None, BOARDS["evk2"].platform.vco_hz)["PLL VCO frequency (MHz)"] < 200
    assert [path for path in Path().rglob("*") if "<" in path.name or "{" in path.name] == []
