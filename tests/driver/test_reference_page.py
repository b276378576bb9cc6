"""What the page of the reference shows runs here as it stands there, but for names of files and addresses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from tests.board_bench import alarm, board_here
from tests.inputs.wav_bytes import simple

FRAMES, WIDTH = 6, 16


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder with a recording in two forms, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FS_KEYRING", raising=False)
    samples = [value % 500 - 250 for value in range(FRAMES * WIDTH)]
    Path("speech.wav").write_bytes(simple(samples))
    np.save("frames.npy", np.array(samples).reshape(FRAMES, WIDTH))


@pytest.mark.slow
def test_the_code_of_the_page_runs_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    with alarm(), board_here() as server, Femtodriver() as fd:
        meta_dir, femtofile_path, femtofile_size = fd.compile(
            "LOOPBACK", model_name="my_model", model_options_file=None, output_dir="model_datas", noencrypt=False
        )
        # fmt: off
        from_wav = fd.generate_audio_inputs(input="speech.wav")
        from_part = fd.generate_audio_inputs(input="speech.wav", input_sample_indices=[1, 4])
        from_npy = fd.generate_audio_inputs(input="frames.npy")
        from_array = fd.generate_audio_inputs(input=np.random.randint(-1024, 1024, size=(1000,)))
        random_inputs = fd.generate_audio_inputs(n_frames=3)
        # fmt: on
        results, metrics = fd.simulate(model_inputs=from_wav, input_period=0.016)
        written = fd.write_metrics_to_disk(metrics, "model_datas")
        logs = fd.get_docker_logs()
        compared = fd.compare(
            model_inputs=from_npy,
            runners_to_compare=["hw", "fasmir", "fqir"],
            noencrypt=False,
            hardware="zynq",
            debug_vars=None,
            zynq_host=server.endpoint,
        )
        fd.print_comparison_results(fd.compare_status)
        runner, runner_name = fd.create_runner("hw", hardware="zynq", zynq_host=server.endpoint)
        runner.reset()
        stepped = []
        for row in from_npy["x"]:
            outputs, internals = runner.step({"x": row})
            stepped.append(outputs["%x.4"])
            assert internals == {}
        runner.finish()
        executed, same_kind = fd.execute_runner("hw", from_npy, hardware="zynq", zynq_host=server.endpoint)
        fd.cleanup_docker_containers()

    assert Path(meta_dir, "metadata.yaml").is_file()
    assert Path(femtofile_path).stat().st_size == femtofile_size
    shapes = [made["x"].shape for made in (from_wav, from_part, from_npy, from_array, random_inputs)]
    assert shapes == [(FRAMES, WIDTH), (3, WIDTH), (FRAMES, WIDTH), (1000 // WIDTH, WIDTH), (3, WIDTH)]
    np.testing.assert_array_equal(from_wav["x"], from_npy["x"])
    np.testing.assert_array_equal(from_part["x"], from_npy["x"][1:4])
    assert (results["compare_str"], results["pass"]) == ("Single Runner", "No Comparisons")
    np.testing.assert_array_equal(results["outputs"]["fasmir"]["%x.4"], from_wav["x"])
    assert "Frames Simulated: 6" in Path(written).read_text()
    assert logs == "No logs available"
    assert (compared["pass"], list(compared["outputs"])) == (True, ["hardware", "fasmir", "fqir"])
    assert "hardware = fasmir = fqir" in capsys.readouterr().out
    assert (runner_name, same_kind.name) == ("hardware", "hardware")
    np.testing.assert_array_equal(np.stack(stepped), from_npy["x"])
    np.testing.assert_array_equal(executed["outputs"]["hardware"]["%x.4"], from_npy["x"])


@pytest.mark.slow
def test_the_command_lines_of_the_page_run_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["LOOPBACK"]) == 0
    assert main(["LOOPBACK", "--runners=fasmir", "--input-period=0.016"]) == 0
    assert main(["LOOPBACK", "--input_file=speech.wav", "--input-sample-indices=0,4", "--runners=fasmir"]) == 0
    assert main(["LOOPBACK", "--runners=hw,fasmir", "--hardware=fakezynq", "--n-frames=2"]) == 1  # made-up answers
    with alarm(), board_here() as server:
        words = ["LOOPBACK", "--runners=hw,fasmir", "--hardware=zynq", f"--zynq-host={server.endpoint}"]
        assert main([*words, "--debug_vars=all"]) == 0
    assert main(["--cleanup-docker"]) == 0
    assert "hardware = fasmir" in capsys.readouterr().out
