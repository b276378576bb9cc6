"""Clipped elements, counted twice: by the machine in its instructions, and by the reference in its operators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import fixed
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.native.choose_machine import make_machine
from femtodriver.runners.fqir_runner import FqirRunner
from tests.profile.profile_runs import measured

# How many layers of each can be compared: those that do no other layer's work too, outside of loops and conditions.
NETWORKS = {
    "gru_kws_S_double_p0": 12,
    "swa_S_double": 60,
    "lstm_vad_S_double_p0": 12,
    "writer_math": 60,
    "mlp_mix_eights": 20,
    "i24_stft_ola": 200,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_each_layer_clips_what_its_operator_clips(corpus: Path, name: str) -> None:
    built = build(load_source(str(corpus / "zoo" / name / "graph.pt"), None))
    if built.source.network is None or built.part is None:
        raise TypeError(f"{name} must be a network")
    machine, runner = make_machine(built.data, built.part), FqirRunner(built.source.network, built.inputs)
    observer = runner.observe()
    machine.reset()
    runner.reset()
    rng = np.random.default_rng(7)
    limits = {spec: fixed.limits(spec.bits) for spec in built.inputs}
    for frame in (
        {spec.name: rng.integers(low, high, spec.length) for spec, (low, high) in limits.items()},
        {spec.name: np.full(spec.length, high) for spec, (_, high) in limits.items()},
        {spec.name: rng.choice([low, high], spec.length) for spec, (low, high) in limits.items()},
    ):
        machine.step(frame)
        runner.step(frame)
    clipped = {value.name: value.use.clipped for value in observer.values if not value.nested}
    profile = measured(machine.report(), built.description, built.part).profile
    rows = [row for row in profile.rows if row.value in clipped and not row.includes and row.fate is None]
    assert len(rows) >= NETWORKS[name]
    assert {row.value: row.saturated for row in rows} == {row.value: clipped[row.value] for row in rows}
    assert sum(row.saturated for row in rows) > 0
