"""One clip: in blocks as in one piece, with runners that differ, with overlapping frames."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.evaluation import evaluate_clip
from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask
from femtodriver.evaluation.evaluate_clip import ClipRunner
from femtodriver.evaluation.evaluation_plan import basis_of, job_of, make_plan
from femtodriver.evaluation.find_clips import find_clips
from femtodriver.femtocrux.compiler_service import CompilerService
from femtodriver.job.compiled_model import DriverSettings, compile_model
from femtodriver.model.load_model import load_source
from femtodriver.options.compile_requests import CompileRequest
from femtodriver.options.evaluate_requests import EvaluateRequest
from femtodriver.runners.fqir_runner import FqirRunner
from femtodriver.worker_process import packed
from tests.driver import reference_models

WIDTH = 16


def job(model: object = "LOOPBACK", **options: Any) -> ClipJob:
    """The job of a model, by default the built-in network, for clips in the current folder."""
    settings = DriverSettings(None, None, None, None, service=CompilerService())
    built = compile_model(load_source(model), CompileRequest(), settings).built
    request = EvaluateRequest(**{"inputs": "*.npy", **options})
    plan = make_plan(built, request, find_clips(request.inputs))
    return job_of(plan, basis_of(plan))


def task(name: str, reference: str | None = None, outputs: str | None = None) -> ClipTask:
    return ClipTask(name, os.getcwd(), reference, outputs)


def test_blocks_of_any_size_give_the_same(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(1).integers(-500, 500, (50, WIDTH))
    np.save("a.npy", samples)
    np.save("clean.npy", samples + 3)
    found: list[ClipResult] = []
    for elements in (1, 5 * WIDTH, 1 << 20):
        monkeypatch.setattr(evaluate_clip, "_BLOCK_ELEMENTS", elements)
        runner = ClipRunner(job(runners="fasmir,fqir", label_rule="mean", references="{name}.npy", delay=5))
        found.append(runner.run(task("a.npy", "clean.npy", f"{elements}.npz")))
    assert found[0].error is None
    assert found[0].frames == 50
    assert all(replace(one, snr_in_db=0, snr_out_db=0) == replace(found[0], snr_in_db=0, snr_out_db=0) for one in found)
    assert all(one.snr_out_db == pytest.approx(found[0].snr_out_db) for one in found)
    assert Path("1.npz").read_bytes() == Path("80.npz").read_bytes() == Path(f"{1 << 20}.npz").read_bytes()
    with np.load("1.npz") as kept:
        (values,) = kept.values()
        assert (values == samples).all()


def test_runners_that_differ_are_told_with_the_place(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("a.npy", np.arange(40 * WIDTH).reshape(40, WIDTH))
    monkeypatch.setattr(evaluate_clip, "_BLOCK_ELEMENTS", 8 * 2 * WIDTH)
    step = FqirRunner._step

    def wrong(self: FqirRunner, inputs: Any) -> Any:
        outputs, inside = step(self, inputs)
        return {name: values + (values == 500) for name, values in outputs.items()}, inside

    monkeypatch.setattr(FqirRunner, "_step", wrong)
    result = ClipRunner(job(runners="fasmir,fqir")).run(task("a.npy"))
    (text,) = result.differences.values()
    assert text is not None
    assert text.endswith("frame 31, element 4: fasmir gives 500, fqir gives 501")


def test_frames_may_overlap(here: Path) -> None:
    np.save("a.npy", np.arange(40))
    result = ClipRunner(job(hop=4)).run(task("a.npy"))
    assert (result.error, result.frames) == (None, 7)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (np.zeros((0, WIDTH), int), "input "),
        (np.zeros((2, 3), int), "input "),
        (np.full((2, WIDTH), 1 << 20), "input "),
    ],
)
def test_a_clip_that_does_not_fit_says_so(here: Path, content: Any, sentence: str) -> None:
    np.save("a.npy", content)
    runner = ClipRunner(job())
    result = runner.run(task("a.npy"))
    assert result.error is not None
    assert result.error.startswith(sentence)
    assert result.sha256 is not None
    np.save("a.npy", np.ones((2, WIDTH), int))
    assert runner.run(task("a.npy")).error is None


@pytest.mark.parametrize("runners", ["fasmir", "fasmir,fqir"])
def test_a_job_takes_along_nothing_that_only_this_process_can_have(here: Path, runners: str) -> None:
    rows = np.ones((2, reference_models.WIDTH), int)
    np.savez("a.npz", a=rows, b=rows)
    graph = reference_models.two_ways()
    graph.made_by = lambda: None
    runner = ClipRunner(pickle.loads(packed(job(graph, inputs="a.npz", runners=runners))))
    assert runner.run(task("a.npz")).error is None


def test_a_reference_must_be_as_long(here: Path) -> None:
    np.save("a.npy", np.ones((2, WIDTH), int))
    np.save("clean.npy", np.ones((3, WIDTH), int))
    result = ClipRunner(job(references="{name}.npy")).run(task("a.npy", "clean.npy"))
    assert result.error == "clean.npy: the reference must have the 2 frames of its clip, not 3."


def test_an_error_of_ours_is_in_the_result(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("a.npy", np.ones((2, WIDTH), int))
    monkeypatch.setattr(evaluate_clip, "run_costs", lambda *given: 1 / 0)
    result = ClipRunner(job()).run(task("a.npy"))
    assert result.error == "internal error: ZeroDivisionError: division by zero. Please report it."
