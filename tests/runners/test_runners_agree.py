"""All executors of a network give the same bits: on what we ship, and on the corpus's golden outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver.model.build_model import Built, build
from femtodriver.model.load_model import load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import create

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"
ZOO = ("gru_kws_S_double_p0", "multi_io_double", "lstm_vad_S_double_p0", "tdnn_kws_S_double_p0", "mlp_mix_eights")
NAMES = ("fqir", "fmir", "fasmir")


def built_of(model: str | Path) -> Built:
    return Encryption().applied(build(load_source(model)))


def runners(built: Built) -> list[Runner]:
    return [create(name, built, RunnerRequest()) for name in NAMES]


@pytest.fixture(scope="module")
def spotter() -> Built:
    return built_of(SPOTTER / "keyword_spotter.pt")


def test_loopback_gives_back_its_input() -> None:
    x = np.random.default_rng(1).integers(-(1 << 15), 1 << 15, (5, 16))
    outputs, _ = Runner.compare_runs({"x": x}, *runners(built_of("LOOPBACK")))
    for made in outputs.values():
        assert np.array_equal(made["%x.4"], x)


def test_the_spotter_runs_equally_everywhere_and_keeps_its_state(spotter: Built) -> None:
    with np.load(SPOTTER / "words.npz") as archive:
        inputs = {name: archive[name][:12] for name in archive.files}
    made = runners(spotter)
    first, _ = Runner.compare_runs(inputs, *made)
    again, _ = Runner.compare_runs(inputs, *reversed(made))
    (output,) = first["fqir"]
    assert first["fasmir"][output].any()
    for name in NAMES:
        assert np.array_equal(first["fqir"][output], again[name][output])
    for runner in made:
        runner.reset()
        halves = [runner.run({key: rows[part] for key, rows in inputs.items()})[0] for part in (slice(5), slice(5, 12))]
        assert np.array_equal(np.concatenate([half[output] for half in halves]), first["fqir"][output])


def test_the_simulator_counts_what_it_ran(spotter: Built) -> None:
    runner = create("fasmir", spotter, RunnerRequest())
    rows = {spec.name: np.zeros((3, spec.length), int) for spec in spotter.inputs}
    Runner.compare_runs(rows, runner)
    report = runner.report()  # type: ignore[attr-defined]
    assert report.frames == 3
    runner.reset()
    assert runner.report().frames == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", ZOO)
def test_golden_outputs_of_the_corpus(corpus: Path, model: str) -> None:
    folder = corpus / "zoo" / model
    built = built_of(folder / "graph.pt")
    with np.load(folder / "inputs.npz") as archive:
        inputs = {name: archive[name] for name in archive.files}
    with np.load(folder / "outputs.npz") as archive:
        golden = {name: archive[name] for name in archive.files}
    outputs, _ = Runner.compare_runs(inputs, *runners(built))
    for made in outputs.values():
        assert set(made) == set(golden)
        for name, rows in golden.items():
            assert np.array_equal(made[name], rows.reshape(len(rows), -1)), name
