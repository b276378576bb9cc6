"""Runs whose profiles the tests look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.machine.run_report import CoreReport, FrameCycles, RunReport
from femtodriver.metrics import build_document
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.native.choose_machine import make_machine
from femtodriver.part import Part, load_part
from femtodriver.profile.profile_rows import Profile, profile_of
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import CoreMemory, DescribedLayer, Description, LayerFate

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"


@dataclass(frozen=True)
class Measured:
    """A run, with its document and profile."""

    report: RunReport
    doc: Mapping[str, Any]
    profile: Profile


def measured(report: RunReport, description: Description | None, part: Part | None = None) -> Measured:
    """The document and the profile of a run."""
    doc: dict[str, Any] = build_document(report, description, part or load_part(), input_period_s=0.016)
    return Measured(report, doc, profile_of(report, description, doc))


def run_of(path: Path, frames: int = 3, scale: int = 256) -> Measured:
    """A network of a file on random inputs of up to ``scale``."""
    built = build(load_source(str(path), None))
    if built.part is None or not isinstance(built.data, CompiledData):
        raise TypeError(f"{path} must be a network")
    machine = make_machine(built.data, built.part)
    rng = np.random.default_rng(12)
    machine.reset()
    for _ in range(frames):
        most = {spec.name: min(scale, 1 << (spec.bits - 1)) for spec in built.inputs}
        machine.step({spec.name: rng.integers(-most[spec.name], most[spec.name], spec.length) for spec in built.inputs})
    return measured(machine.report(), built.description, built.part)


@cache
def spotter() -> Measured:
    """The keyword spotter on the first frames of its example."""
    built = build(load_source(str(EXAMPLE / "keyword_spotter.pt"), None))
    if built.part is None:
        raise TypeError("the keyword spotter must be a network")
    machine = make_machine(built.data, built.part)
    machine.reset()
    with np.load(EXAMPLE / "words.npz") as words:
        frames = words["features"][:24]
    machine.run({"features": frames.astype(np.int64)})
    return measured(machine.report(), built.description, built.part)


def hand_made() -> tuple[RunReport, Description]:
    """Two frames on two cores; four layers, of which one is fused and one is on both cores."""
    first = CoreReport(
        by_pc={
            0: {"cycles": 4, "thread_switch": 2, "wait_dependency": 3},
            1: {"cycles": 20, "matrix_dense": 64, "matrix_stored": 32, "matrix_executed": 8, "dm_read": 3},
            2: {"cycles": 6, "saturated": 3, "dm_write": 2},
            3: {"cycles": 5, "saturated": 1},
        },
        waiting={"message": 0, "dependency": 3, "idle": 4},
        bank_reads=(3,),
        bank_writes=(2,),
    )
    second = CoreReport(
        by_pc={0: {"cycles": 7, "wait_message": 1, "saturated": 5, "activation": 10, "activation_live": 4}},
        waiting={"message": 1, "dependency": 0, "idle": 34},
        bank_reads=(),
        bank_writes=(),
    )
    layers = (
        DescribedLayer("0 addmm %x.1", "addmm", "%x.1", 0, 8, module="lin"),
        DescribedLayer("1 relu %x.2", "relu", "%x.2", None, 8, module="lin", fate=LayerFate("fused", (0,))),
        DescribedLayer("2 vvadd %x.3", "vvadd", "%x.3", None, 8, module="gru", line="rnn.py:4"),
        DescribedLayer("(frame end)", "frame_end", "", 0, 0),
    )
    description = Description(
        2,
        "open-spu/3",
        {},
        {},
        layers=layers,
        source_map={0: ((1, 2, 0), (2, 3, 2), (3, 4, 3)), 1: ((0, 1, 2),)},
        memory={0: CoreMemory(dm_used_words_per_bank=(1,), tm_used_words=0, im_used_words=4)},
    )
    return RunReport(FrameCycles.of([20, 22]), FrameCycles.of([19, 19]), (first, second), 2, 2), description
