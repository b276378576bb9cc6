"""What the command accepts, prints and returns."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from pathlib import Path

import numpy as np
import pytest
import yaml

import femtodriver
from femtodriver.cli import main
from femtodriver.options.option_parser import normalised

Process = Callable[..., "subprocess.CompletedProcess[str]"]
Out = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("here")
def test_the_main_job(capsys: Out) -> None:
    assert main(["LOOPBACK", "--runners", "fqir,fmir,fasmir"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[:4] == [
        "LOOPBACK: 1 node, 0 parameters",
        "  input   x     16 x 16 bits",
        "  output  %x.4  16 x 16 bits",
        "fits spu001:",
    ]
    assert lines[4].startswith("  core 0: data 64 of 524,288 bytes (0.0 %), tables 0 of 16,384 bytes")
    assert "fqir = fmir = fasmir, 8 frames, bit-exact" in lines
    assert any(line.startswith("Latency ") for line in lines)
    assert any(line.startswith("Power ") for line in lines)
    assert "wrote model_datas/LOOPBACK/" in lines
    assert lines[-1] == "  metrics.yaml, metrics.txt"
    document = yaml.safe_load(Path("model_datas/LOOPBACK/metrics.yaml").read_text())
    assert document["Input Period (s)"] == 0.016
    assert document["tool"]["seed"] == 0


@pytest.mark.usefixtures("here")
def test_the_example_of_the_readme(capsys: Out, spotter: str) -> None:
    words = Path(spotter).with_name("words.npz")
    assert main([spotter, "--runners", "fqir,fasmir", "--input-file", str(words), "--input-sample-indices", "3,9"]) == 0
    assert "fqir = fasmir, 6 frames, bit-exact" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_without_runners_only_files_are_written(capsys: Out) -> None:
    assert main(["LOOPBACK", "--output-dir", "out"]) == 0
    assert "bit-exact" not in capsys.readouterr().out
    assert Path("out/LOOPBACK/io_records/LOOPBACK.femto").is_file()
    assert not Path("out/LOOPBACK/metrics.yaml").exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("runner", "measured"), [("fqir", False), ("fmir", False), ("fasmir", True)])
def test_one_runner_alone(capsys: Out, runner: str, measured: bool) -> None:
    assert main(["LOOPBACK", "--runners", runner, "--n-frames", "3"]) == 0
    assert f"{runner} ran, 3 frames" in capsys.readouterr().out
    assert Path("model_datas/LOOPBACK/metrics.yaml").exists() is measured
    assert Path("model_datas/LOOPBACK/metrics.txt").exists() is measured


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_every_option_in_both_spellings(capsys: Out) -> None:
    np.save("in.npy", np.arange(64, dtype=np.int16))
    np.save("out.npy", np.arange(64, dtype=np.int16).reshape(4, 16))
    Path("options.yaml").write_text("DEFAULT: {type: KWS}\n")
    words = [
        *("--runners", "fqir,dummy,fasmir", "--input-file", "in.npy", "--n-frames", "9", "--seed", "3"),
        *("--input-sample-indices", "0,4", "--input-period", "0.01", "--output-dir=o_u-t", "--hw-config", "spu001x4"),
        *("--dump-ir", "i_r", "--debug", "--model-options-file", "options.yaml", "--noencrypt"),
        *("--dummy-output-file", "out.npy"),
    ]
    assert main(["LOOPBACK", *words]) == 0
    assert Path("o_u-t/LOOPBACK/metrics.yaml").is_file()
    assert Path("i_r/00-fqir.txt").is_file()
    first = capsys.readouterr().out
    underscored = [word.replace("-", "_").replace("__", "--", 1) if word.startswith("--") else word for word in words]
    assert "--output_dir=o_u_t" in underscored
    underscored[underscored.index("--output_dir=o_u_t")] = "--output_dir=o_u-t"
    assert main([*underscored, "LOOPBACK"]) == 0
    assert capsys.readouterr().out == first
    assert "fqir = dummy = fasmir, 4 frames, bit-exact" in first


def test_only_names_of_options_are_rewritten() -> None:
    words = ["my_model", "--out_put=a_b", "--x_y", "a_b", "-d_e", "--", "--z_z"]
    assert normalised(words) == ["my_model", "--out-put=a_b", "--x-y", "a_b", "-d_e", "--", "--z_z"]


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_runners_that_differ_give_1_and_name_the_place(capsys: Out) -> None:
    np.save("wrong.npy", np.zeros((2, 16), np.int16))
    assert main(["LOOPBACK", "--runners", "fqir,fasmir,dummy", "--dummy-output-file", "wrong.npy"]) == 1
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[-1].startswith("fqir != dummy: output '%x.4', frame 0, element 0: fqir gives ")
    assert lines[-1].endswith("dummy gives 0 (32 of 32 values differ, by at most 32767)")
    assert lines[lines.index(lines[-1]) + 1].startswith("Latency")  # it stands before the figures too
    assert err == ""
    assert Path("model_datas/LOOPBACK/metrics.yaml").is_file()


@pytest.mark.usefixtures("here")
def test_a_compiled_model_is_a_model(capsys: Out) -> None:
    assert main(["LOOPBACK"]) == 0
    for model in ("model_datas/LOOPBACK/io_records/LOOPBACK.femto", "model_datas/LOOPBACK"):
        assert main([model, "--runners", "fasmir"]) == 0
        assert "LOOPBACK: compiled program, 7 instruction words" in capsys.readouterr().out
        assert main([model, "--runners", "fqir,fasmir"]) == 2
        assert "runner fqir: the model must be a network" in capsys.readouterr().err


def test_help_and_version(capsys: Out) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("--runners", "--hw-config", "counted by the simulated machine", "exit status", "LOOPBACK"):
        assert word in text
    assert main(["--version"]) == 0
    machine = r"(native loop, (avx2|baseline)|NumPy machine)"
    assert re.fullmatch(rf"femtodrive {re.escape(femtodriver.__version__)} \({machine}\)\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "MODEL must be given"),
        (["LOOPBACK", "--nothing"], "unrecognized arguments: --nothing"),
        (["LOOPBACK", "--n-frames", "x"], "--n-frames: must be a whole number of at least 1, not 'x'"),
        (["LOOPBACK", "--input-sample-indices", "3"], "must be two frame numbers LO,HI, not '3'"),
        (["LOOPBACK", "--input-sample-indices", "a,b"], "must be two frame numbers LO,HI, not 'a,b'"),
        (["LOOPBACK", "--runners", "fqir,fast"], "runner: must be one of fqir, fmir, "),
        (["LOOPBACK", "--runners", "fqir,fqir"], "each must be named once, not 'fqir' twice"),
        (["LOOPBACK", "--runners", "dummy"], "give it with --dummy-output-file"),
        (
            ["LOOPBACK", "--runners", "fqir", "--n-frames", "0"],
            "--n-frames: must be a whole number of at least 1, not '0'",
        ),
        (["LOOPBACK", "--runners", "fqir", "--seed", "-1"], "--seed: must be a whole number of at least 0, not '-1'"),
        (["LOOPBACK", "--input-period", "0"], "--input-period: must be from 1e-09 to 1e+09 seconds, not '0'"),
        (["LOOPBACK", "--hw-config", "spu9"], "hw-config: must be one of spu001, "),
        (["LOOPBACK", "--hw-config", "gone.toml"], "gone.toml: the file must exist"),
        (["LOOPBACK", "--hardware", "zinc"], "hardware: must be one of zynq, fpgazynq, fakezynq, redis"),
        (["LOOPBACK", "--zynq-host", "h"], "hardware fakezynq: must not have an address ('h')"),
        (["LOOPBACK", "--hardware_address", "h"], "choose a board with --hardware (zynq, fpgazynq, redis, evk2)"),
        (["LOOPBACK", "--timeout", "0"], "--timeout: must be a positive number of seconds, not '0'"),
        (["LOOPBACK", "--tolerance", "-1"], "--tolerance: must be a number from 0, not '-1'"),
        (["LOOPBACK", "--tolerance", "nan"], "--tolerance: must be a number from 0, not 'nan'"),
        (["LOOPBACK", "--runners", "hw", "--hardware", "zynq", "--zynq-host", "h:x"], "address: must be HOST"),
        (
            ["LOOPBACK", "--force-femtocrux-compile"],
            "LOOPBACK: the model must be a network file (.pt, .pth) or a Graph",
        ),
        (
            ["LOOPBACK", "--force-femtocrux-compile", "--compiler", "own"],
            "compiler: must be femtocrux with force_femto",
        ),
        (["LOOPBACK", "--compiler", "gcc"], "--compiler: must be own or femtocrux, not 'gcc'"),
        (
            ["LOOPBACK", "--opt-profile", "fast", "--objective", "energy"],
            "opt_profile: fast means the objective cycles, so it must not be given together with energy",
        ),
        (["LOOPBACK", "--seed", "1", "--seed", "2"], "--seed: must be given once, not as 1 and 2"),
        (["LOOPBACK", "--zynq-host", "a", "--address", "b"], "--address: must be given once, not as 'a' and 'b'"),
        (["LOOPBACK", "--compiler-option", "cores=9"], "compiler option cores: must be at most 2 for spu001, not 9"),
        (["LOOPBACK", "--compiler-option", "speed=9"], "compiler option 'speed': must be one of cores, reuse"),
        (["LOOPBACK", "--debug-vars", "no", "--runners", "fqir"], "must be names of values of the network, not 'no'"),
        (["LOOPBACK", "--model-options-file", "gone.yaml"], "model options: gone.yaml: the file must exist"),
    ],
)
def test_wrong_usage_gives_2_and_one_sentence(here: Path, capsys: Out, words: list[str], sentence: str) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert sentence in err
    assert err.startswith("femtodrive: error: ")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in out + err
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("here")
def test_debug_shows_where_an_error_came_from(capsys: Out) -> None:
    assert main(["gone.pt", "--debug"]) == 1
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1] == "femtodrive: error: gone.pt: the file must exist."


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_characters_that_the_terminal_lacks_are_escaped(process: Process) -> None:
    import os

    done = process("größe.pt", env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 1
    assert done.stderr.startswith(r"femtodrive: error: gr\xf6\xdfe.pt: ")


@pytest.mark.slow
def test_the_process_returns_the_status(process: Process) -> None:
    done = process("LOOPBACK", "--runners", "fqir,fasmir")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fqir = fasmir, 8 frames, bit-exact" in done.stdout
    done = process("LOOPBACK", "--runners", "no")
    assert done.returncode == 2
    assert process("gone.pt").returncode == 1


def test_help_loads_nothing_heavy(here: Path) -> None:
    script = "import sys; from femtodriver.cli import main; main(['--help'])\n"
    script += "print([name for name in ('numpy', 'yaml', 'femtodriver.driver') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_ctrl_c_while_the_command_is_loaded_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    class Interrupted(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "femtodriver.cli.command":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "femtodriver.cli.command")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main(["--version"]) == 130
    assert capsys.readouterr().err == "femtodrive: interrupted; nothing was left half written.\n"
