"""Whole evaluations: results, resuming, what is told, bad input."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.errors import FemtoError, UsageError
from femtodriver.evaluation import evaluate_clips
from femtodriver.evaluation.clip_job import ClipTask
from femtodriver.evaluation.evaluate_clip import ClipRunner
from tests.evaluation.evaluation_bench import FRAMES, NUMBER, WIDTH, evaluate, parquet_bytes, rows, write_clips


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the clips that are run, in this process."""
    names: list[str] = []

    def run_here(job: Any, tasks: Any, workers: int) -> Any:
        runner = ClipRunner(job)
        for task in tasks:
            names.append(task.name)
            yield runner.run(task)

    monkeypatch.setattr(evaluate_clips, "run_local", run_here)
    return names


def test_options_without_effect_are_told(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1])
    _, said = evaluate(runners="fqir", clock=1e6, delay=3)
    assert "note: clock: without effect, because only fasmir uses it, which does not run" in said
    assert "note: delay: without effect, because there are no references" in said
    _, said = evaluate(runners="fasmir", clock=1e6)
    assert not any("without effect" in line for line in said)


def test_rows_are_in_the_order_of_paths_and_have_everything(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips" / "b", [3, 70])
    write_clips(here / "clips" / "a", [5])
    Path("labels.csv").write_text("label,path,who\n5,clips/a/000.npy,x\n4,clips/b/000.npy,x\n")
    Path("rules.py").write_text(NUMBER)
    doc, said = evaluate(labels="labels.csv", rule="rules.py:number", runners="fasmir,fqir")
    found = rows()
    assert [row["path"] for row in found] == ["clips/a/000.npy", "clips/b/000.npy", "clips/b/001.npy"]
    assert [row["predicted"] for row in found] == ["5", "3", "70"]
    assert [row["label"] for row in found] == ["5", "4", None]
    assert [row["correct"] for row in found] == [True, False, None]
    assert all(row["equal_fqir"] and row["differs_fqir"] is None and row["error"] is None for row in found)
    assert {(row["frames"], row["saturated"]) for row in found} == {(FRAMES, 0)}
    assert all(0 < row["energy_low_j"] < row["energy_j"] < row["energy_high_j"] for row in found)
    assert all(0 < row["power_low_w"] < row["power_w"] < row["power_high_w"] for row in found)
    assert doc["labels"]["accuracy"] == 0.5
    confusion = {"labels": ["4", "5"], "predicted": ["3", "4", "5"], "counts": [[1, 0, 0], [0, 0, 1]]}
    assert doc["labels"]["confusion"] == confusion
    assert doc["clips"] == {"all": 3, "done": 3, "failed": 0, "frames": 3 * FRAMES}
    assert json.loads(Path("evaluations/LOOPBACK/summary.json").read_text()) == {
        name: value for name, value in doc.items() if name != "folder"
    }
    text = Path("evaluations/LOOPBACK/summary.txt").read_text()
    assert "Accuracy   50.0 % (1 of 2 clips with a label)" in text
    assert text.strip() in "\n".join(said)
    assert "note: rule: code of yours is executed, in every worker" in said
    assert "note: labels: 1 of 3 clips have none" in said


def test_figures_are_those_of_a_run(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [9])
    evaluate(input_period=0.5, temperature=40.0, clock=50e6, voltage=0.7)
    with Femtodriver() as driver:
        driver.compile("LOOPBACK")
        frames = driver.generate_audio_inputs("clips/000.npy")
        _, metrics = driver.simulate(frames, input_period=0.5, temperature=40.0, clock=50e6, voltage=0.7)
    doc = yaml.safe_load(metrics)
    (row,) = rows()
    assert row["power_w"] == pytest.approx(doc["power_w"]["total"]["typical"])
    assert row["power_high_w"] == pytest.approx(doc["power_w"]["total"]["high"])
    assert row["energy_low_j"] == pytest.approx(doc["energy_j"]["total"]["low"])
    assert row["latency_cycles_max"] / 50e6 == pytest.approx(doc["latency_s"]["max"])
    assert row["latency_cycles_mean"] / 50e6 == pytest.approx(doc["latency_s"]["mean"])


def test_what_has_finished_is_not_run_again(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1, 2, 3])
    evaluate()
    before = parquet_bytes()
    ran.clear()
    _, said = evaluate()
    assert (ran, parquet_bytes()) == ([], before)
    assert said[0] == "3 of 3 clips have been run before, and are not run again"
    np.save("clips/001.npy", np.full((FRAMES, WIDTH), 7))
    _, said = evaluate()
    assert ran == ["clips/001.npy"]
    assert "1 clip has changed since it was run, and will be run again" in said
    write_clips(here / "clips", [1, 7, 3, 4])
    ran.clear()
    evaluate()
    assert ran == ["clips/001.npy", "clips/003.npy"]


def test_another_option_starts_anew_and_the_earlier_one_counts_again(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1, 2])
    evaluate()
    _, said = evaluate(runners="fqir", input_period=0.5)
    assert len(ran) == 4
    assert (
        "note: runners, input_period: changed since the last evaluation in this folder, whose results are not used"
    ) in said
    assert [row["power_w"] for row in rows()] == [None, None]
    evaluate()
    assert len(ran) == 4
    assert all(row["power_w"] > 0 for row in rows())


def test_labels_and_classes_change_without_another_run(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1, 2])
    letters = [*"abcdefghijklmnop"]
    evaluate(label_rule="max")
    Path("labels.csv").write_text("path,label\nclips/000.npy,a\n")
    doc, _ = evaluate(label_rule="max", labels="labels.csv", classes=letters)
    assert len(ran) == 2
    assert [row["predicted"] for row in rows()] == ["a", "a"]
    assert doc["labels"]["accuracy"] == 1.0


def test_a_changed_rule_is_noticed(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1])
    Path("rules.py").write_text(NUMBER)
    evaluate(rule="rules.py:number")
    Path("rules.py").write_text(NUMBER.replace("[0, 0]", "[0, 0] + 1"))
    _, said = evaluate(rule="rules.py:number")
    assert said[1].startswith("note: rule: changed")
    assert [row["predicted"] for row in rows()] == ["2"]


def test_clips_that_fail_are_reported_and_run_again(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1, 2])
    Path("clips/bad.npy").write_bytes(b"no array")
    Path("clips/wide.npy").write_bytes(Path("clips/000.npy").read_bytes())
    np.save("clips/wide.npy", np.full((3, WIDTH), 1 << 20))
    doc, said = evaluate()
    assert doc["clips"]["failed"] == 2
    assert [row["error"] is None for row in rows()] == [True, True, False, False]
    assert rows()[2]["error"].startswith("clips/bad.npy: must be an array")
    assert any(line.startswith("failed: clips/bad.npy: must be") for line in said[-1].splitlines())
    ran.clear()
    np.save("clips/bad.npy", np.zeros((1, WIDTH), int))
    _, said = evaluate()
    assert ran == ["clips/bad.npy", "clips/wide.npy"]
    assert "2 clips that failed before are run again" in said


def test_outputs_are_kept_and_missed(here: Path, ran: list[str]) -> None:
    paths = write_clips(here / "clips", [4, 5])
    evaluate(keep_outputs=True)
    kept = Path("evaluations/LOOPBACK/outputs/clips%2F001.npy.npz")
    with np.load(kept) as found:
        (values,) = found.values()
        assert values.dtype == np.int32
        assert (values == np.load(paths[1])).all()
    before = kept.read_bytes()
    kept.unlink()
    ran.clear()
    evaluate(keep_outputs=True)
    assert ran == ["clips/001.npy"]
    assert kept.read_bytes() == before


def test_outputs_of_another_model_do_not_count_as_kept(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [4])
    kept = Path("evaluations/LOOPBACK/outputs/clips%2F000.npy.npz")
    evaluate(keep_outputs=True)
    first = kept.read_bytes()
    evaluate(keep_outputs=True, scale=2.0)
    assert kept.read_bytes() != first
    _, said = evaluate(keep_outputs=True)
    assert kept.read_bytes() == first
    assert len(ran) == 3
    assert "1 clip whose outputs are not in outputs/ will be run again" in said


def test_options_that_change_no_result_run_nothing_again(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1, 2])
    evaluate(keep_outputs=True)
    evaluate(delay=3)  # without references
    assert len(ran) == 2
    evaluate(keep_outputs=True)
    assert len(ran) == 2


def test_references_give_a_gain(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips" / "x", [110])
    write_clips(here / "clean" / "x", [100])
    doc, _ = evaluate(references="clean")
    (row,) = rows()
    assert row["snr_in_db"] == row["snr_out_db"] == pytest.approx(20.0)
    assert (row["snr_gain_db"], row["reference"]) == (0.0, "clean/x/000.npy")
    assert doc["distributions"]["snr_gain_db"]["p50"] == 0.0
    write_clips(here / "clean" / "x", [105])
    ran.clear()
    evaluate(references="clean")
    assert ran == ["clips/x/000.npy"]


def test_an_interruption_leaves_what_was_done(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clips(here / "clips", [1, 2, 3])

    def interrupted(job: Any, tasks: list[ClipTask], workers: int) -> Any:
        yield ClipRunner(job).run(tasks[1])
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate_clips, "run_local", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate()
    assert [row["path"] for row in rows()] == ["clips/001.npy"]
    assert json.loads(Path("evaluations/LOOPBACK/summary.json").read_text())["complete"] is False


def test_a_run_without_results_leaves_the_earlier_ones(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clips(here / "clips", [1])
    evaluate()
    before = parquet_bytes()

    def interrupted(job: Any, tasks: list[ClipTask], workers: int) -> Any:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(evaluate_clips, "run_local", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate(input_period=0.5)
    assert parquet_bytes() == before


def test_progress_counts_clips(here: Path, ran: list[str]) -> None:
    write_clips(here / "clips", [1, 2])
    told: list[tuple[str, int, int]] = []
    with Femtodriver() as driver:
        driver.progress = lambda *given: told.append(given)
        driver.evaluate("LOOPBACK", inputs="clips")
    assert told == [("clips", 0, 2), ("clips", 1, 2), ("clips", 2, 2)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"inputs": "gone/*.wav"},
            r"^inputs: gone/\*\.wav: must match at least one file that ends in .wav, .npy, .npz",
        ),
        ({"labels": "gone.csv"}, r"^gone\.csv: the file must exist\.$"),
        ({"runners": "hw"}, r"^runners: must be at least one of fqir, fmir, fasmir, not hw\.$"),
        ({"runners": ""}, r"^runners: must be at least one of .*, not none\.$"),
        ({"classes": "a,b"}, r"^classes: must be 16 names, one for each element of the output .*, not 2\.$"),
        ({"references": "gone"}, r"^references: every clip must have one, not 0 of 1; the first without is clips/000"),
        ({"label_rule": "max", "rule": "rules.py:number"}, r"^label_rule: must not be given together with rule"),
        ({"rule": "gone.py:number"}, r"^rule: gone\.py: must be a file of Python"),
        ({"rule": "rules.py:other"}, r"^rule: rules\.py: must have a function other\.$"),
        ({"rule": "broken.py:f"}, r"^rule: broken\.py: cannot be loaded: ZeroDivisionError: division by zero\.$"),
        ({"rule": "rules.py"}, r"^rule: must be FILE\.py:FUNCTION, or a function of Python, not 'rules\.py'\.$"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, r"^workers: must not be given together with scheduler"),
        ({"output_dir": "rules.py/x"}, r"^rules\.py/x/LOOPBACK: cannot be written: Not a directory"),
        ({"delay": -1}, r"^delay: must be in 0\.\.\.1048576, not -1\.$"),
    ],
)
def test_bad_input_is_one_sentence(here: Path, options: dict[str, Any], sentence: str) -> None:
    write_clips(here / "clips", [1])
    Path("rules.py").write_text(NUMBER)
    Path("broken.py").write_text("1 / 0\n")
    if "workers" not in options:
        options = {"workers": None, **options}
    with pytest.raises(FemtoError, match=sentence):
        evaluate(**options)
    assert not Path("evaluations").exists()


@pytest.mark.parametrize(("package", "option"), [("pyarrow", {}), ("distributed", {"scheduler": "tcp://127.0.0.1:1"})])
def test_a_missing_package_is_named_with_its_extra(
    here: Path, monkeypatch: pytest.MonkeyPatch, package: str, option: dict[str, Any]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    extra = {"pyarrow": "evaluate", "distributed": "dask"}[package]
    with pytest.raises(UsageError, match=rf"pip install 'open-femtodriver\[{extra}\]'"):
        evaluate(workers=None, **option)
