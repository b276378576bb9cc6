"""Every kind of bad input: one sentence, exit status 1 (2 for a wrong word), no traceback, nothing lost or left."""

from __future__ import annotations

import os
import pickle
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.cli import main
from femtodriver.part import load_part
from tests.fqir import graph_wire as wire

Out = pytest.CaptureFixture[str]
Process = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[[Path], object]


class Hostile:
    """Would make a file if it were unpickled the ordinary way."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hacked",)


def unknown_operator(path: Path) -> None:
    node = wire.node(optype=wire.operator("RELU", "warp"), opname="warp")
    path.write_bytes(wire.archive(main_graph(wire.graph(nodes=[node]))))


def main_graph(arith: Any, key: str = "ARITH") -> Any:
    return wire.graph(name="MAIN", nodes=[], subgraphs={key: arith})


MODELS: dict[str, tuple[str, Write | None, str]] = {
    "missing": ("gone.pt", None, "gone.pt: the file must exist."),
    "empty": ("e.pt", lambda path: path.write_bytes(b""), "e.pt: "),
    "text": ("t.pt", lambda path: path.write_text("a text\n"), "t.pt: "),
    "truncated zip": ("z.pt", lambda path: path.write_bytes(wire.archive(wire.graph())[:-30]), "z.pt: "),
    "hostile pickle": ("h.pt", lambda path: path.write_bytes(pickle.dumps(Hostile(), 2)), "h.pt: "),
    "another pickle": ("p.pt", lambda path: path.write_bytes(pickle.dumps({"a": [1, 2]}, 2)), "p.pt: "),
    "no ARITH": (
        "n.pth",
        lambda path: path.write_bytes(wire.archive(main_graph(wire.graph(), "QUANT"))),
        "n.pth: the main graph: must have a subgraph ARITH",
    ),
    "unknown operator": ("u.pt", unknown_operator, "warp"),
    "a folder": ("f.pt", lambda path: path.mkdir(), "f.pt: the file metadata.yaml is missing"),
    "no program": ("x.femto", lambda path: path.write_text("text"), "x.femto: must be a .femto container, not text"),
    "no archive": ("x.zip", lambda path: path.write_text("text"), "x.zip: must be a zip archive"),
}


def check_refused(status: int, captured: Any, sentence: str, expected: int = 1) -> None:
    assert status == expected
    lines = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("femtodrive: error: ")
    assert sentence in lines[0]
    assert len(lines[0]) < 600


@pytest.mark.parametrize("kind", MODELS)
def test_models_that_are_none(here: Path, capsys: Out, kind: str) -> None:
    name, write, sentence = MODELS[kind]
    if write is not None:
        write(here / name)
    before = sorted(here.iterdir())
    status = main([name, "--runners", "fqir,fasmir"])
    check_refused(status, capsys.readouterr(), sentence)
    assert sorted(here.iterdir()) == before


@pytest.mark.usefixtures("here")
def test_an_unknown_extension_is_wrong_usage(capsys: Out) -> None:
    Path("model.onnx").write_text("")
    status = main(["model.onnx"])
    check_refused(status, capsys.readouterr(), "not a file that ends in '.onnx'", expected=2)
    status = main(["model.pck"])
    check_refused(status, capsys.readouterr(), "not a file that ends in '.pck'", expected=2)


@pytest.mark.slow
def test_a_model_too_large_for_the_part_is_told_with_numbers_and_ways_out(
    here: Path, capsys: Out, spotter: str
) -> None:
    part = load_part()
    entries = {name: getattr(part, name) for name in part.__dataclass_fields__ if name != "sha256"}
    entries.update(name="tiny", dm_banks=2, dm_bank_words=128)
    text = "".join(f"{key} = {value!r}\n" for key, value in entries.items())
    Path("tiny.toml").write_text(text)
    status = main([spotter, "--hw-config", "tiny.toml"])
    captured = capsys.readouterr()
    check_refused(status, captured, "data memory of core 0 must hold ")
    assert "tiny has 2048 per core" in captured.err
    assert " or " in captured.err
    assert [path.name for path in here.iterdir()] == ["tiny.toml"]


def wav(path: str, bits: int = 16, channels: int = 1, tag: int = 1, samples: bytes = b"\1\2\3\4" * 96) -> None:
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, 16000, 16000 * block, block, bits)
    body = (
        b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", len(samples)) + samples
    )
    Path(path).write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("bits", "tag"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)])
def test_sound_of_other_widths_is_converted_as_documented(capsys: Out, bits: int, tag: int) -> None:
    wav("a.wav", bits, tag=tag, samples=np.full(48, 0.25, f"<f{bits // 8}").tobytes() if tag == 3 else b"\1\2\3\4" * 96)
    assert main(["LOOPBACK", "--input-file", "a.wav", "--runners", "fqir,fmir,fasmir"]) == 0
    assert "bit-exact" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_period_is_told_with_where_it_comes_from(capsys: Out) -> None:
    wav("a.wav")
    assert main(["LOOPBACK", "--input-file", "a.wav", "--runners", "fasmir"]) == 0
    out = capsys.readouterr().out
    assert "note: input period: 0.001 s, which follows from the sample rate and the width of the input" in out
    assert "Deadline   met: the worst frame takes 0.0" in out
    assert main(["LOOPBACK", "--input-file", "a.wav", "--runners", "fasmir", "--input-period", "0.5"]) == 0
    assert "note: input period" not in capsys.readouterr().out
    assert main(["LOOPBACK", "--runners", "fasmir"]) == 0
    out = capsys.readouterr().out
    assert "Deadline   none, because no input period was given; the worst frame takes" in out
    assert " % of 16.0 ms, which is assumed" in out
    assert ", if a frame comes every 16.0 ms" in out


SOUNDS: dict[str, tuple[dict[str, Any], str]] = {
    "stereo": ({"channels": 2}, "the file must be mono, not of 2 channels"),
    "compressed": ({"tag": 7, "bits": 8}, "samples must be PCM or float, not format 7 (mu-law)"),
    "odd width": ({"bits": 12}, "PCM samples must have 8 to 32 bits without unused bytes, not 12 bits"),
    "not a number": ({"bits": 32, "tag": 3, "samples": b"\xff" * 256}, "must be a finite number, not nan"),
    "shorter than a frame": ({"samples": b"\0" * 10}, "must have at least 16 samples, which make one frame, not 5"),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", SOUNDS)
def test_sound_that_is_refused(capsys: Out, kind: str) -> None:
    options, sentence = SOUNDS[kind]
    wav("a.wav", **options)
    status = main(["LOOPBACK", "--input-file", "a.wav", "--runners", "fqir"])
    check_refused(status, capsys.readouterr(), sentence)
    assert not Path("model_datas").exists()


def late(value: Any, dtype: Any = np.int64) -> Any:
    rows = np.zeros((4, 16), dtype)
    rows[2, 7] = value
    return rows


ARRAYS: dict[str, tuple[Any, str]] = {
    "width": (np.zeros((4, 17), int), 'input "x": must have the shape (frames, 16), not (4, 17)'),
    "rank 0": (np.zeros((), int), 'input "x": must have the shape (frames, 16), not ()'),
    "rank 3": (np.zeros((1, 4, 16), int), 'input "x": must have the shape (frames, 16), not (1, 4, 16)'),
    "no frames": (np.zeros((0, 16), int), "must have at least one frame"),
    "bool": (np.zeros((4, 16), bool), 'input "x": must hold integers, not bool'),
    "complex": (np.zeros((4, 16), complex), 'input "x": must hold integers, not complex128'),
    "text": (np.full((4, 16), "a"), 'input "x": must hold integers, not <U1'),
    "fraction": (late(0.5, float), 'input "x": frame 2, element 7: must be a whole number, not 0.5'),
    "high": (late(32768), 'input "x": frame 2, element 7: must be between -32768 and 32767 (16 bits), not 32768'),
    "low": (late(-32769), 'input "x": frame 2, element 7: must be between -32768 and 32767 (16 bits), not -32769'),
    "nan": (late(np.nan, float), 'input "x": frame 2, element 7: must be a whole number, not nan'),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_that_do_not_fit(capsys: Out, kind: str) -> None:
    array, sentence = ARRAYS[kind]
    np.save("a.npy", array)
    status = main(["LOOPBACK", "--input-file", "a.npy", "--runners", "fqir,fasmir"])
    check_refused(status, capsys.readouterr(), sentence)
    assert not Path("model_datas").exists()


@pytest.mark.usefixtures("here")
def test_input_files_that_are_none(capsys: Out) -> None:
    np.savez("other.npz", y=np.zeros((1, 16), int))
    np.save("objects.npy", np.array([[{}]], object), allow_pickle=True)
    Path("empty.npy").write_bytes(b"")
    Path("a.csv").write_text("1,2\n")
    for name, sentence, status in (
        ("gone.wav", "gone.wav: the file must exist.", 1),
        ("empty.npy", "empty.npy: must be an array", 1),
        ("objects.npy", "objects.npy: must be an array of plain numbers that numpy.save wrote, not Python objects", 1),
        ("other.npz", 'must have an array for "x", which is missing', 1),
        ("a.csv", "a.csv: an input file must end in .wav, .npy, .npz, not '.csv'", 2),
    ):
        found = main(["LOOPBACK", "--input-file", name, "--runners", "fqir"])
        check_refused(found, capsys.readouterr(), sentence, expected=status)
    status = main(["LOOPBACK", "--input-sample-indices", "7,9", "--runners", "fqir"])
    check_refused(status, capsys.readouterr(), "frame range 7,9: must start within the 2 frames of the inputs")


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_a_full_output_folder(here: Path, process: Process, spotter: str) -> None:
    assert main(["LOOPBACK", "--runners", "fasmir"]) == 0
    Path("model_datas/LOOPBACK").rename("model_datas/keyword_spotter")
    before = everything(here)
    # Files of at most 8 KiB: what the system says is not "No space left", but it happens at the same place.
    done = process(spotter, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)))
    assert done.returncode == 1
    assert done.stderr.startswith("femtodrive: error: model_datas/keyword_spotter/")
    assert "cannot be written: File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert everything(here) == before
    assert os.listdir(here / "model_datas") == ["keyword_spotter"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder(here: Path, capsys: Out) -> None:
    (here / "out").mkdir()
    (here / "out").chmod(0o555)
    status = main(["LOOPBACK", "--output-dir", "out"])
    check_refused(status, capsys.readouterr(), "out/LOOPBACK: cannot be written: Permission denied")
    assert os.listdir(here / "out") == []


def test_an_output_folder_that_is_a_file(here: Path, capsys: Out) -> None:
    (here / "out").write_text("mine")
    status = main(["LOOPBACK", "--output-dir", "out"])
    check_refused(status, capsys.readouterr(), "out/LOOPBACK: cannot be written: ")
    assert (here / "out").read_text() == "mine"


@pytest.mark.usefixtures("here")
def test_a_file_without_an_ending(capsys: Out) -> None:
    Path("model").write_bytes(b"PK")
    check_refused(main(["model"]), capsys.readouterr(), "model: the model must be LOOPBACK, a file that ends in", 2)


NAMES = [b"caf\xe9.pt", "caf\u00e9.pt".encode(), b"\xff\xfe.pt", b"new\nline.pt"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_any_file_name_in_any_locale(here: Path, name: bytes, locale: str) -> None:
    Path(os.fsdecode(name)).write_bytes(wire.archive(copying()))
    environment = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable.encode(), b"-m", b"femtodriver", name, b"--runners", b"fqir,fasmir"]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"fqir = fasmir, 8 frames, bit-exact" in done.stdout
    (folder,) = (here / "model_datas").iterdir()
    assert (folder / "metrics.yaml").is_file()
    assert len(list(folder.glob("io_records/*.femto"))) == 1


def copying() -> Any:
    """A graph whose output is its input."""
    x, y = (wire.tensor(name=name, dtype="fqint16", shape=[4], value=None) for name in "xy")
    node = wire.node(name="n", optype=wire.operator("COPY", "copy"), opname="copy", inputs={"x": x}, outputs=[y])
    return main_graph(wire.graph(name="ARITH", nodes=[node], inputs=[x], outputs=[y], parameters=[]))


RAW = "o\x1b[31m\nx"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "words",
    [
        [f"{RAW}.pt"],
        ["LOOPBACK", "--output-dir", RAW],
        ["LOOPBACK", "--hw-config", RAW],
        ["LOOPBACK", "--hardware", RAW],
        ["LOOPBACK", "--runners", RAW],
        ["LOOPBACK", f"--{RAW}"],
        ["LOOPBACK", "--seed", RAW],
        ["LOOPBACK", "--input-file", f"{RAW}.npy", "--runners", "fqir"],
        ["LOOPBACK", "--debug-vars", RAW],
        ["LOOPBACK", "--dump-ir", f"{RAW}/\0"],
        ["LOOPBACK", "--compiler-option", f"{RAW}=1"],
        ["LOOPBACK", "--runners", "fqir", "--debug", "--model-options-file", RAW],
        ["inspect", RAW],
        ["disasm", RAW],
    ],
)
def test_foreign_text_never_reaches_the_terminal_raw(capsys: Out, words: list[str]) -> None:
    main(words)
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "--debug" in words or len(captured.err.splitlines()) <= 1
