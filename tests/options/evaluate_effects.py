"""The table of effects of ``femtodrive evaluate``, see ``option_effects``. Clips run in this process, for speed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask
from femtodriver.evaluation.evaluate_clip import ClipRunner
from tests.options.option_effects import SECRET, SPOTTER, UNSET, Case, case

_COLUMNS = {"model": "LOOPBACK", "inputs": "clips/*.npy"}
_SHIFTED = {"references": "shifted/{name}.npy"}
RESULTS = Path("evaluations")


def clip(second: Any, first: Any = UNSET, **rest: Any) -> Case:
    """A row of the table."""
    return case(second, first, **{**_COLUMNS, **rest})


EVALUATE: dict[str, Case] = {
    "model": clip(SPOTTER),
    "inputs": clip("clips/a.npy", "clips/*.npy"),
    "runners": clip("fqir"),
    "labels": clip("labels.csv"),
    "classes": clip(",".join("abcdefghijklmnop")),
    "label_rule": clip("max", "last"),
    "rule": clip("rules.py:third"),
    "references": clip("shifted/{name}.npy"),
    "delay": clip(16, **_SHIFTED),
    "workers": clip(1),
    "scheduler": clip("tcp://127.0.0.1:9"),
    "scheduler_timeout": clip(0.25, scheduler="tcp://127.0.0.1:9"),
    "output_dir": clip("elsewhere"),
    "keep_outputs": clip(True),
    "hw_config": clip("spu001x4"),
    "requantize": clip("xnnpack", model="small.tflite", inputs="features.npy"),
    "compiler_options": clip("cores=1", model=SPOTTER, inputs="frames/*.npy"),
    "model_options_file": clip("flags.yaml", model=SPOTTER, inputs="frames/*.npy"),
    "keyring": clip("keys.toml", model=SECRET),
    "machine": clip("numpy", "native"),
    "check_state": clip(True, debug=True),
    "scale": clip("2.0", keep_outputs=True),
    "hop": clip(8, inputs="rows/*.npy"),
    "channel": clip(1),
    "input_rate": clip(16000.0),
    "resample": clip(8000.0),
    "frontend": clip("micro"),
    "input_period": clip(0.5),
    "temperature": clip(40.0),
    "clock": clip(50e6),
    "voltage": clip(0.6),
    "debug": clip(True, model="gone.pt"),
    "calibration": clip("clips/a.npy"),
    "precision": clip("eights"),
    "time_axis": clip(1),
    "conversion_timeout": clip(5.0),
}


def prepare_clips() -> None:
    """The files that the table names, in the current folder."""
    for folder in ("clips", "shifted", "frames", "rows"):
        Path(folder).mkdir()
    rows = np.arange(64).reshape(4, 16)[:, ::-1].copy()
    rows[1, 3] = 999
    for number, name in enumerate("ab"):
        np.save(f"clips/{name}.npy", rows + number)
        np.save(f"shifted/{name}.npy", rows + number + 1)
        np.save(f"rows/{name}.npy", (rows + number).reshape(-1))
    np.save("frames/a.npy", np.arange(96).reshape(3, 32))
    Path("labels.csv").write_text("path,label\nclips/a.npy,3\n")
    Path("rules.py").write_text("def third(outputs):\n    return 3\n")
    Path("flags.yaml").write_text("DEFAULT: {compiler_kwargs: {cores: 1}}\n")


def in_this_process(job: ClipJob, tasks: Iterable[ClipTask], *given: Any) -> Iterator[ClipResult]:
    """In the place of workers: says what it was given."""
    print("workers:", *given, job.request.machine, job.reading["channel"])
    runner = ClipRunner(job)
    yield from map(runner.run, tasks)


def without_results(given: Mapping[str, Any]) -> None:
    """Removes what an earlier run has left."""
    shutil.rmtree(given.get("output_dir", RESULTS), ignore_errors=True)


def written_files() -> list[str]:
    """What an evaluation has written, but for places that repeat the options."""
    files = [path for path in sorted(Path().rglob("*")) if path.is_file() and path.suffix != ".jsonl"]
    return [f"{path} {_told(path)}" for path in files if RESULTS in path.parents]


def _told(path: Path) -> str:
    """The summary without its basis, or the digest of outputs."""
    if path.suffix == ".npz":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return str({**json.loads(path.read_text()), "basis": None}) if path.suffix == ".json" else ""
