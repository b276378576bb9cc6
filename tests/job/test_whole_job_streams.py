"""Runs whose outputs are written frame by frame: the same results as those that are kept, and nothing in memory."""

from __future__ import annotations

import signal
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.errors import FemtoError, ProgramError, UsageError
from femtodriver.output import model_folder
from femtodriver.stop_signals import RunStopped
from tests.inputs.wav_bytes import RAMP, chunk, fmt, pcm, riff, simple

SAMPLES = RAMP * 11
SPOTTER = str(Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.wav").write_bytes(simple(SAMPLES))


def run(model: str = "LOOPBACK", **options: Any) -> tuple[dict[str, Any], str]:
    """The result, and what was said."""
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        return fd.run(model, **options), "\n".join(said)


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path("model_datas", name).read_text())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("hop", [None, 5])
@pytest.mark.parametrize("name", ["out.wav", "out.npy"])
def test_a_stream_is_what_a_run_keeps(name: str, hop: int | None) -> None:
    kept, _ = run(runners="fasmir", input_file="in.wav", hop=hop)
    wanted = kept["outputs"]["fasmir"]["%x.4"]
    measured = document("LOOPBACK/metrics.yaml")
    result, said = run(runners="fasmir", input_file="in.wav", hop=hop, output_file=name)
    assert result == {"compare_str": "Single Runner", "pass": "No Comparisons", "outputs": {}, "internals": {}}
    assert document("LOOPBACK/metrics.yaml") == measured
    assert not Path("model_datas/LOOPBACK/outputs").exists()
    assert f"fasmir ran, {len(wanted)} frames" in said
    if name == "out.npy":
        assert np.array_equal(np.load(name), wanted)
        assert np.load(name).dtype == np.int16
        assert f"wrote out.npy: {len(wanted)} frames of 16 values, int16" in said
        return
    with wave.open(name) as file:
        assert file.getframerate() == (16000 if hop is None else 16000 * 16 // 5)
        assert np.array_equal(np.frombuffer(file.readframes(10**6), "<i2"), wanted.reshape(-1))


def test_output_wav_is_another_name_of_the_option() -> None:
    run(runners="fqir", input_file="in.wav", output_wav="out.wav")
    assert Path("out.wav").read_bytes() == Path("in.wav").read_bytes()


@pytest.mark.slow
def test_runners_are_compared_as_they_go() -> None:
    result, said = run(runners="fqir,fmir,fasmir", input_file="in.wav", output_file="out.wav")
    assert (result["pass"], result["status_str"]) == (True, "fqir = fmir = fasmir, 55 frames, bit-exact")
    assert result["outputs"] == {}
    assert [path.name for path in Path("model_datas/LOOPBACK/comparison").iterdir()] == ["comparison.yaml"]
    found = document("LOOPBACK/comparison/comparison.yaml")
    assert found["frames"] == {"fqir": 55, "fmir": 55, "fasmir": 55}
    assert found["partial"] is None
    assert "outputs/" not in said


@pytest.mark.slow
def test_a_difference_is_found_in_a_stream() -> None:
    rows = np.array(SAMPLES).reshape(55, 16)
    rows[40, 3] += 1
    np.save("near.npy", rows)
    options = {"runners": "fqir,dummy", "dummy_output_file": "near.npy", "input_file": "in.wav"}
    kept, _ = run(**options)
    streamed, _ = run(**options, output_file="out.npy")
    assert streamed["status_str"] == kept["status_str"]
    assert "frame 40, element 3" in kept["status_str"]


def test_a_range_of_frames() -> None:
    _, said = run(runners="fqir", input_file="in.wav", output_file="out.npy", input_sample_indices=(3, 7))
    assert np.load("out.npy").reshape(-1).tolist() == SAMPLES[48:112]
    assert "frames 3 to 6 of 55 are used" in said


def test_generated_frames_may_be_streamed() -> None:
    kept, _ = run(runners="fqir", n_frames=4, seed=3)
    run(runners="fqir", n_frames=4, seed=3, output_file="out.wav", input_rate=8000)
    with wave.open("out.wav") as file:
        assert file.getframerate() == 8000
        assert (
            np.frombuffer(file.readframes(64), "<i2").tolist() == kept["outputs"]["fqir"]["%x.4"].reshape(-1).tolist()
        )


def test_samples_that_are_clipped_are_told_at_the_end() -> None:
    Path("loud.wav").write_bytes(riff(fmt(32, tag=3), chunk(b"data", np.array([2.0] * 16, "<f4").tobytes())))
    _, said = run(runners="fqir", input_file="loud.wav", output_file="out.wav", output_format="s24le")
    assert "wrote out.wav: 16 samples of 24 bits at 16000 Hz" in said
    assert 'note: input "x": 16 of 16 values clipped to -32768..32767' in said


@pytest.mark.slow
def test_debug_variables_are_compared_in_a_stream() -> None:
    options = {"runners": "fqir,fasmir", "debug_vars": "all", "n_frames": 3}
    result, _ = run(SPOTTER, **options, output_file="out.npy")
    assert result["pass"] is True
    assert result["internals"] == {}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"output_file": "out.mp3"}, "output_file: must end in .wav or .npy, or be -, not be out.mp3."),
        ({"output_file": "out"}, "output_file: must end in .wav or .npy, or be -, not be out."),
        ({"output_file": "in.wav"}, "output_file: must be another file than input_file, not in.wav."),
        ({"output_file": "gone/out.wav"}, "gone/out.wav: cannot be written: No such file or directory."),
        ({"output_file": "out.npy", "output_format": "u8"}, "output_format: must be given for audio; out.npy holds"),
        ({"output_format": "u8"}, "output_format: must be given together with output_file."),
        ({"output_name": "y"}, "output_name: must be given together with output_file."),
        (
            {"output_file": "out.wav", "output_name": "y"},
            'output_name: must be an output of the model ("%x.4"), not "y"',
        ),
        ({"output_file": "out.wav", "input_file": "rows.npy"}, "out.wav: the rate of a WAV file must be known"),
        ({"input_format": "u8"}, "input_format: must be given for raw PCM, --input-file -, and for nothing else."),
        ({"output_file": "-"}, "output_file: standard output must be a pipe or a file, which it is not here."),
        ({"input_file": "-"}, "standard input: must be a pipe or a file, which it is not here."),
        ({"input_file": "-", "input_sample_indices": (0, 2)}, "input_sample_indices: must be given for a file, not"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(
    options: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("rows.npy", np.zeros((2, 16), np.int16))
    before = sorted(Path().iterdir())
    with pytest.raises(FemtoError) as told:
        run(**{"runners": "fqir", "input_file": "in.wav", **options})
    assert sentence in str(told.value)
    assert sorted(Path().iterdir()) == before


def test_an_output_that_nobody_makes_is_told() -> None:
    _, said = run(output_file="out.wav", input_file="-")
    assert "note: output_file: without effect, because no runner runs" in said
    assert "note: input_file: without effect, because no runner runs" in said
    assert not Path("out.wav").exists()


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"no_outputs": True}, "no_outputs: without effect, because a stream keeps no arrays"),
        ({"objective": "energy"}, "objective: what the other choice would cost is not measured in a stream"),
        ({"debug_vars": "all"}, "debug variables: not written, because a stream keeps no arrays"),
    ],
)
def test_what_a_stream_cannot_give_is_told(options: dict[str, Any], note: str) -> None:
    for output, told in (("out.npy", True), (None, False)):
        _, said = run(runners="fasmir", input_file="in.wav", output_file=output, **options)
        assert (f"note: {note}" in said) is told


def test_a_failed_run_leaves_the_old_output() -> None:
    Path("out.wav").write_bytes(b"old")
    Path("bad.wav").write_bytes(riff(fmt(32, tag=3), chunk(b"data", np.array([0.0] * 31 + [np.nan], "<f4").tobytes())))
    with pytest.raises(UsageError, match="frame 1, element 15: must be a finite number"):
        run(runners="fqir", input_file="bad.wav", output_file="out.wav")
    assert Path("out.wav").read_bytes() == b"old"
    assert sorted(path.name for path in Path().iterdir()) == ["bad.wav", "in.wav", "out.wav"]


def test_one_channel_is_streamed_too() -> None:
    both = [value for pair in zip(SAMPLES, SAMPLES[::-1], strict=True) for value in pair]
    Path("stereo.wav").write_bytes(riff(fmt(16, channels=2), chunk(b"data", pcm(both))))
    run(runners="fqir", input_file="stereo.wav", channel=2, output_file="out.npy")
    assert np.load("out.npy").reshape(-1).tolist() == SAMPLES[::-1]


def stopped(at: int, where: str = "", **options: Any) -> tuple[RunStopped, str, Femtodriver]:
    """How a run ends that gets a Ctrl-C when (that runner has) so many frames done, what it said, and the object."""
    said: list[str] = []

    def interrupt(runner: str, done: int, frames: int) -> None:
        if done == at and done != frames and where in runner:
            signal.raise_signal(signal.SIGINT)

    with Femtodriver() as fd:
        fd.say, fd.progress = said.append, interrupt
        with pytest.raises(KeyboardInterrupt) as told:
            fd.run("LOOPBACK", input_file="in.wav", **options)
    assert isinstance(told.value, RunStopped)
    return told.value, "\n".join(said), fd


@pytest.mark.parametrize("output", [None, "out.npy"])
def test_ctrl_c_in_python_writes_what_was_done(output: str | None) -> None:
    told, said, fd = stopped(7, runners="fasmir", machine="numpy", output_file=output)
    assert (str(told), told.number) == ("frames 7 of 55, interrupted", signal.SIGINT)
    assert "partial: frames 7 of 55, interrupted" in said
    assert fd.modelname == "LOOPBACK"
    assert document("LOOPBACK/metrics.yaml")["partial"] == {"frames": 7, "planned": 55, "reason": "interrupted"}
    assert "Partial    frames 7 of 55, interrupted" in Path("model_datas/LOOPBACK/metrics.txt").read_text()
    if output is None:
        for name, key in (("inputs", "x"), ("fasmir", "%x.4")):
            with np.load(f"model_datas/LOOPBACK/outputs/{name}.npz") as archive:
                assert archive[key].reshape(-1).tolist() == SAMPLES[:112]
    else:
        assert np.load(output).reshape(-1).tolist() == SAMPLES[:112]


def test_runners_that_had_not_begun_are_left_out() -> None:
    told, said, _ = stopped(9, runners="fqir,fasmir")
    assert str(told) == "frames 9 of 55, interrupted"
    assert "fqir ran, 9 frames" in said
    assert sorted(path.name for path in Path("model_datas/LOOPBACK/outputs").iterdir()) == ["fqir.npz", "inputs.npz"]
    assert not Path("model_datas/LOOPBACK/comparison").exists()
    assert not Path("model_datas/LOOPBACK/metrics.yaml").exists()


def test_the_report_of_a_run_that_was_stopped_before_the_simulator_began() -> None:
    pytest.importorskip("jinja2")
    told, said, fd = stopped(9, runners="fqir,fasmir", report="run.html", trace="run.json")
    assert str(told) == "frames 9 of 55, interrupted"
    assert "wrote run.json: it is empty, because the run ended before the frames" in said
    assert "frames 9 of 55, interrupted" in Path("run.html").read_text()
    assert fd.modelname == "LOOPBACK"


def test_a_comparison_that_is_stopped_in_its_second_runner() -> None:
    told, _, _ = stopped(20, "fqir", runners="fmir,fqir")
    assert str(told) == "frames fmir 55, fqir 20 of 55, interrupted"
    found = document("LOOPBACK/comparison/comparison.yaml")
    assert (found["pass"], found["status"]) == (True, "fmir = fqir, 20 frames of 55, bit-exact")
    assert found["partial"] == {"frames": 20, "planned": 55, "reason": "interrupted"}


def test_a_folder_that_cannot_be_written_leaves_the_old_output(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise ProgramError("model_datas/LOOPBACK: cannot be written: No space left on device.")

    Path("out.wav").write_bytes(b"old")
    monkeypatch.setattr(model_folder, "write_all", full)
    with pytest.raises(ProgramError):
        run(runners="fqir", input_file="in.wav", output_file="out.wav")
    assert Path("out.wav").read_bytes() == b"old"
    assert sorted(path.name for path in Path().iterdir()) == ["in.wav", "out.wav"]
