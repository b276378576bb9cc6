"""TFLite files through the whole driver: what a network of any other format can do, they can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.errors import UsageError
from femtodriver.tflite.read_model import read_model
from tests.options.stored_tflite import small_model
from tests.tflite.litert_judge import Judge, Kernels, needs_judge
from tests.tflite.real_models import real_models
from tests.tflite.spoken_words import needs_frontend, needs_voice, spoken_steps


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model())
    return path


def requantized(folder: Path) -> str | None:
    (metadata,) = folder.glob("meta_from_*/metadata.yaml")
    told = yaml.safe_load(metadata.read_text("utf-8"))
    found: str | None = told["femtodriver"]["model"].get("requantize")
    return found


def test_all_runners_agree_and_the_program_says_whose_rounding_it_has(small: Path, tmp_path: Path) -> None:
    """Also after it went through a .femto."""
    rows = np.random.default_rng(1).integers(-128, 128, (40, 3, 1, 4))
    results = {}
    for kernels in ("tflite", "xnnpack"):
        driver = Femtodriver()
        options: dict[str, Any] = {"output_dir": tmp_path / kernels, "input_file": {"in0": rows}}
        found = driver.run(small, runners="fqir,fmir,fasmir", requantize=kernels, **options)
        assert found["pass"]
        assert requantized(tmp_path / kernels / "small") == kernels
        program = tmp_path / kernels / "small" / "io_records" / "small.femto"
        again = Femtodriver()
        results[kernels] = again.run(program, runners="fasmir", **{**options, "output_dir": tmp_path / "again"})
        assert requantized(tmp_path / "again" / "small") == kernels
        with pytest.raises(UsageError, match=r"requantize: the model must be a file that ends in \.tflite"):
            again.run(program, runners="fasmir", requantize=kernels)
    outputs = [np.asarray(one["outputs"]["fasmir"]["t1"]) for one in results.values()]
    assert 0 < np.count_nonzero(outputs[0] != outputs[1]) < 0.1 * outputs[0].size


def test_inner_values_are_tensors_less_their_zero_points(small: Path) -> None:
    driver, folder = Femtodriver(), small.parent / "made"
    frame = np.arange(12).reshape(1, 12)
    found = driver.run(small, runners="fasmir", debug_vars="t1 (centred)", input_file={"t0": frame}, output_dir=folder)
    assert (
        np.asarray(found["outputs"]["fasmir"]["t1"]) - 5 == np.asarray(found["internals"]["fasmir"]["t1 (centred)"])
    ).all()


@needs_judge
@needs_voice
@needs_frontend
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kernels"),
    [
        ("alexa", "tflite"),
        ("alexa", "xnnpack"),
        ("hey_jarvis", "tflite"),
        ("hey_mycroft", "xnnpack"),
        ("okay_nabu", "tflite"),
    ],
)
def test_programs_of_real_models_hear_what_the_runtime_hears(name: str, kernels: Kernels, tmp_path: Path) -> None:
    data = real_models()[name]
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(data)
    graph = read_model(data).graphs[0]
    given, made = graph.tensors[graph.inputs[0]], graph.outputs[0]
    assert given.quantization is not None
    scale, zero = float(given.quantization.scale[0]), int(given.quantization.zero_point[0])
    frames = spoken_steps([name.replace("_", " ")], ["en-us", "en-gb"], 120, scale, zero)
    judge = Judge(data, kernels, [made])
    wanted = [int(judge.step({given.name: frame})[made].reshape(-1)[0]) for frame in frames]
    options: dict[str, Any] = {"output_dir": tmp_path / "made", "input_file": {"input_audio": frames}}
    found = Femtodriver().run(path, runners="fasmir", requantize=kernels, **options)
    assert np.asarray(found["outputs"]["fasmir"][graph.tensors[made].name]).reshape(-1).tolist() == wanted
    assert max(wanted) > 20
    assert min(wanted) < 10
