"""For every option, two runs that differ in it alone: what they show to the outside must differ too.

To add an option, add its row to the table of its command. ``Case``: the options that both runs have, and the value of
each; UNSET is a run without the option. Files that values name are made by ``prepare``.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.errors import FemtoError
from femtodriver.iospec import IOSpec
from femtodriver.output.output_files import npz
from tests.inputs.wav_bytes import chunk, fmt, riff
from tests.options.stored_tflite import small_model

UNSET = object()
SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


@dataclass(frozen=True)
class Case:
    """Two values of an option, and what else both runs are given."""

    second: Any
    first: Any = UNSET
    rest: Mapping[str, Any] = field(default_factory=dict)

    def given(self, name: str, value: Any) -> dict[str, Any]:
        """The options of one run."""
        return {**self.rest, **({} if value is UNSET else {name: value})}


def case(second: Any, first: Any = UNSET, **rest: Any) -> Case:
    """A row of the table."""
    return Case(second, first, rest)


def prepare() -> None:
    """The files that the tables name, in the current folder."""
    rows = np.arange(64).reshape(4, 16)
    np.save("rows.npy", rows)
    Path("float.npz").write_bytes(npz({"output.0": np.ones((2, 5))}))
    np.save("near.npy", rows + 1)
    np.save("features.npy", np.arange(-60, 60).reshape(10, 12))
    Path("small.tflite").write_bytes(small_model())
    np.save("samples.npy", rows.reshape(-1))
    stereo = np.arange(64, dtype="<i2").tobytes()
    Path("stereo.wav").write_bytes(riff(fmt(16, channels=2), chunk(b"data", stereo)))
    np.save("words.npy", np.arange(9, dtype=np.uint32))
    Path("names.txt").write_text("%x.4\n")
    for name, cycles in (("one", 5), ("two", 6)):
        Path(name).mkdir()
        Path(name, "metrics.yaml").write_text(f"schema: femtodriver-metrics/3\ncycles: {{total: {cycles}}}\n")
    Path("options.yaml").write_text("DEFAULT: {type: KWS}\n")
    Path("keys.toml").write_text(f'3 = "{"5a" * 16}"\n5 = "{"a5" * 16}"\n')
    Path("keys.toml").chmod(0o600)
    Femtodriver().compile("LOOPBACK", output_dir="made")
    latched = IOSpec()
    latched.add_input("x", 16, 16)
    latched.add_output("%x.4", 16, 16)
    latched.add_signature([], ["x"], ["%x.4"])
    latched.write_spec_to_file("latched.yaml")
    Femtodriver(keyring="keys.toml").compile("LOOPBACK", output_dir="secret")


FEMTO = "made/LOOPBACK/io_records/LOOPBACK.femto"
SECRET = "secret/LOOPBACK/io_records/LOOPBACK.femto"
NEAR = {"runners": "dummy,fqir", "dummy_output_file": "near.npy", "input_file": "rows.npy"}

MAIN: dict[str, Case] = {
    "model": case(FEMTO),
    "model_name": case("other"),
    "requantize": case("xnnpack", model="small.tflite"),
    "debug": case(True),
    "runners": case("fqir"),
    "input_file": case("rows.npy", runners="fqir"),
    "n_frames": case(3, runners="fqir"),
    "input_style": case("varied", "random", runners="fqir"),
    "seed": case(7, runners="fqir"),
    "scale": case(2.0, runners="fqir", input_file="rows.npy"),
    "input_sample_indices": case((1, 2), runners="fqir"),
    "hop": case(8, runners="fqir", input_file="samples.npy"),
    "channel": case(2, 1, runners="fqir", input_file="stereo.wav"),
    "input_rate": case(8000.0, runners="fasmir", input_file="samples.npy"),
    "resample": case(8000.0, runners="fqir", channel=1, input_file="stereo.wav"),
    "frontend": case("micro", runners="fqir", channel=1, input_file="stereo.wav"),
    "output_file": case("out.npy", runners="fqir"),
    "output_name": case("nothing", "%x.4", runners="fqir", output_file="out.npy"),
    "output_format": case("u8", runners="fqir", output_file="out.wav", input_rate=16000.0),
    "input_format": case("u8", runners="fqir", input_file="rows.npy"),
    "input_period": case(0.5, runners="fasmir"),
    "temperature": case(40.0, runners="fasmir"),
    "clock": case(50e6, runners="fasmir"),
    "voltage": case(0.6, runners="fasmir"),
    "battery_mwh": case(225.0, runners="fasmir"),
    "dummy_output_file": case("rows.npy", "near.npy", runners="dummy", input_file="rows.npy"),
    "machine": case("numpy", "native", runners="fasmir"),
    "check_state": case(True, runners="fasmir", debug=True),
    "debug_vars": case("%x.4", runners="fqir"),
    "debug_vars_fname": case("names.txt", runners="fqir"),
    "tolerance": case(1, **NEAR),
    "no_outputs": case(True, runners="fqir"),
    "profile": case(True),
    "profile_file": case("profile.csv", "profile.json"),
    "by": case("operator", profile=True),
    "sort": case("cycles", model=str(SPOTTER), profile=True),
    "top": case(1, profile=True),
    "depth": case(1, model=str(SPOTTER), profile=True, by="module"),
    "quantization": case(True),
    "quantization_file": case("values.csv", "values.json"),
    "float_values": case("float.npz", model=str(SPOTTER), quantization=True),
    "trace": case("out.json", runners="fasmir"),
    "report": case("report.html", runners="fasmir"),
    "trace_frames": case((1, 2), (0, 1), runners="fasmir", trace="out.json"),
    "hardware": case("zynq", runners="hw"),
    "address": case("127.0.0.1:1", runners="hw", hardware="zynq"),
    "timeout": case(0.02, 0.01, runners="hw", hardware="zynq", address="127.0.0.1:{silent}"),
    "reconnect": case(0, 1, runners="hw", hardware="zynq", address="{cutting}", no_verify=True),
    "reply_file": case("words.npy", runners="fakehw"),
    "no_verify": case(True, runners="hw", hardware="fpgazynq", address="127.0.0.1:{silent}", timeout=0.05),
    "list_connected_devices": case("all"),
    "output_dir": case("elsewhere"),
    "tree": case("1.3"),
    "hw_config": case("spu001x4"),
    "dump_ir": case("stages"),
    "compiler_options": case(["cores=1"]),
    "objective": case("energy", model=str(SPOTTER), runners="fasmir"),
    "model_options_file": case("options.yaml"),
    "model_source_dir": case("."),
    "keyring": case("keys.toml"),
    "key_index": case(5, keyring="keys.toml"),
    "salt": case(77, keyring="keys.toml"),
    "noencrypt": case(True, keyring="keys.toml"),
    "cleanup_docker": case(True),
    "calibration": case("rows.npy"),
    "precision": case("eights"),
    "time_axis": case(1),
    "conversion_timeout": case(5.0),
    "compiler": case("femtocrux", "own"),
    "force_femtocrux_compile": case(True),
    "force_femtocrux_sim": case(True, runners="fasmir"),
    "opt_profile": case("efficient", model=str(SPOTTER), runners="fasmir"),
    "norun": case(True, runners="fqir"),
    "user_configuration": case({"a": 1}),
    "memory_reservations": case({"a": 1}),
    "model_type": case("KWS"),
    "model_version": case("2.1.0"),
    "iospec_file": case("latched.yaml", "made/LOOPBACK/iospec.yaml"),
}
IMPORT: dict[str, Case] = {
    "model": case(str(SPOTTER), "LOOPBACK"),
    "output": case("a.fqir", model="LOOPBACK"),
    "requantize": case("xnnpack", model="small.tflite", output="a.fqir"),
    "calibration": case("rows.npy", model="LOOPBACK"),
    "precision": case("eights", model="LOOPBACK"),
    "time_axis": case(1, model="LOOPBACK"),
    "conversion_timeout": case(5.0, model="LOOPBACK"),
    "model_name": case("other", model="LOOPBACK"),
    "debug": case(True, model="gone.pt"),
}
INSPECT: dict[str, Case] = {
    "file": case("made/LOOPBACK", FEMTO),
    "json": case(True, file=FEMTO),
    "debug": case(True, file="gone.femto"),
}
DISASM: dict[str, Case] = {
    "file": case("made/LOOPBACK", FEMTO),
    "json": case(True, file=FEMTO),
    "keyring": case("keys.toml", file=SECRET),
    "debug": case(True, file="gone.femto"),
}
BOARD: dict[str, Case] = {
    "listen": case("127.0.0.1:1", "127.0.0.1:2"),
    "redis": case("127.0.0.1:1", "127.0.0.1:2"),
    "hw_config": case("spu001x4", listen="a"),
    "keyring": case("keys.toml", listen="a"),
    "machine": case("numpy", "native", listen="a"),
    "replay": case("made/LOOPBACK", listen="a"),
    "drop": case(0.5, listen="a"),
    "corrupt": case(0.5, listen="a"),
    "delay": case(0.5, listen="a"),
    "delay_s": case(0.5, listen="a", delay=0.1),
    "split": case(True, listen="a"),
    "close_after": case(5, listen="a"),
    "close_after_entries": case(5, listen="a"),
    "seed": case(5, listen="a", drop=0.1),
    "debug": case(True, listen="a", hw_config="gone.toml"),
}
ONE, TWO = "one/metrics.yaml", "two/metrics.yaml"
DIFF: dict[str, Case] = {
    "before": case(TWO, ONE, after=ONE),
    "after": case(TWO, ONE, before=ONE),
    "fail_if": case("cycles>1", before=ONE, after=TWO),
    "format": case("markdown", before=ONE, after=TWO),
    "debug": case(True, before=ONE, after="gone.yaml"),
}
# Reported as columns and lines of one variant, or as its settings.
SWEEP: dict[str, Case] = {
    "model": case(str(SPOTTER), "LOOPBACK"),
    "model_name": case("other", model="LOOPBACK"),
    "requantize": case("xnnpack", model="small.tflite"),
    "hw_config": case("spu001x4", model="LOOPBACK"),
    "objective": case("energy", model=str(SPOTTER)),
    "compiler_options": case("cores=1,2", model="LOOPBACK", workers=1),
    "clock": case("1e6,1e7", model="LOOPBACK"),
    "voltage": case("0.5..0.8:3", model="LOOPBACK"),
    "input_period": case("0.01,0.02", model="LOOPBACK"),
    "temperature": case("40", model="LOOPBACK"),
    "workers": case(2, 1, model="LOOPBACK", compiler_options="cores=1,2", debug=True),
    "sort": case("power", model="LOOPBACK", clock="1e6,1e7"),
    "format": case("csv", model="LOOPBACK"),
    "plot": case("a.svg", "gone/a.svg", model="LOOPBACK"),
    "input_file": case("rows.npy", model="LOOPBACK"),
    "n_frames": case(3, model="LOOPBACK"),
    "input_style": case("varied", "random", model="LOOPBACK"),
    "seed": case(7, model="LOOPBACK"),
    "scale": case(2.0, model="LOOPBACK", input_file="rows.npy"),
    "input_sample_indices": case("1,2", model="LOOPBACK"),
    "hop": case(8, model="LOOPBACK", input_file="samples.npy"),
    "channel": case(3, 1, model="LOOPBACK", input_file="stereo.wav"),
    "input_rate": case(16000.0, 8000.0, model="LOOPBACK", input_file="samples.npy"),
    "resample": case(8000.0, model="LOOPBACK", channel=1, input_file="stereo.wav"),
    "frontend": case("micro", model="LOOPBACK", channel=1, input_file="stereo.wav"),
    "debug": case(True, model="gone.pt"),
    "calibration": case("rows.npy", model="LOOPBACK"),
    "precision": case("eights", model="LOOPBACK"),
    "time_axis": case(1, model="LOOPBACK"),
    "conversion_timeout": case(5.0, model="LOOPBACK"),
}
DOCTOR: dict[str, Case] = {"json": case(True), "debug": case(True)}
COMPLETION: dict[str, Case] = {"shell": case("zsh", first="fish")}
DEVICES: dict[str, Case] = {"spu": case("SPU150", "SPU001"), "debug": case(True)}
TABLES: dict[str, dict[str, Case]] = {
    "": MAIN,
    "import": IMPORT,
    "inspect": INSPECT,
    "disasm": DISASM,
    "board": BOARD,
    "diff": DIFF,
    "sweep": SWEEP,
    "doctor": DOCTOR,
    "devices": DEVICES,
    "completion": COMPLETION,
}
POSITIONAL = ("file", "before", "after", "model", "spu", "shell")


def seen_of_main(given: Mapping[str, Any]) -> list[str]:
    """Everything that ``Femtodriver.main`` shows: what it tells, logs, prints, gives back, raises and writes."""
    seen: list[str] = []
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    driver = Femtodriver()
    driver.say = seen.append
    with _listened(seen), contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            result = driver.main(SimpleNamespace(**{"model": "LOOPBACK", **given}))
            seen.append(repr(result))
        except FemtoError as error:
            seen.append(f"{type(error).__name__}: {error}")
    files = [path for path in sorted(Path().rglob("*")) if path.is_file()]
    new = [path for path in files if path.stat().st_mtime_ns != before.get(path)]
    return [*seen, printed.getvalue(), *(f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in new)]


@contextlib.contextmanager
def _listened(seen: list[str]) -> Any:
    """What our loggers say meanwhile goes to ``seen``; their level is as it was before, afterwards."""
    logger = logging.getLogger("femtodriver")
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def seen_of_command(command: str, given: Mapping[str, Any], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a subcommand prints, its exit status, and the network that it writes."""
    words = [command, *(str(given[name]) for name in POSITIONAL if name in given)]
    for name, value in given.items():
        if name not in POSITIONAL:
            words += [f"--{name}"] if value is True else [f"--{name}={value}"]
    status = main(words)
    captured = capsys.readouterr()
    networks = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path().glob("*.fqir"))]
    return [str(status), captured.out, captured.err, *networks]
