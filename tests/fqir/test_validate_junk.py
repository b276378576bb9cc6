"""Valid nodes with parts replaced by junk: refused with a ModelError, or they run, in the shapes that were foreseen."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import FemtoError, InputError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.validate import checked
from tests.fqir.small_networks import run_once
from tests.fqir.valid_nodes import SAMPLES, Sample, body

CASES = 3000
VALUES: list[Any] = [0, 1, -1, 2, 3, 4, 7, 16, 63, -63, -64, 1 << 20, 1 << 40, True, None, 2.5, "x"]
VALUES += [(), (1,), (0,), (2, 3), (1, 2, 3), (-1,), (1 << 30,), ((1,),), (True,), (False, True)]
SHAPES = [[], [0], [1], [2], [3], [4], [2, 2], [1, 4], [4, 1], [0, 3], [2, 1, 2], [5], [6], [12]]


def spoil(sample: Sample, rng: random.Random) -> Sample:
    """The sample with one part replaced."""
    what = rng.choice(["constants", "constants", "shapes", "shapes", "outputs", "bodies", "missing"])
    if what == "outputs":
        return replace(sample, outputs=tuple(f"o{index}" for index in range(rng.randint(1, 4))))
    if what == "missing":
        return replace(sample, shapes=dict(list(sample.shapes.items())[1:]))
    entries: dict[str, Any] = dict(getattr(sample, what))
    if entries:
        bodies = [body(rng.randint(1, 4), rng.randint(0, 4), rng.choice([1, 2, 3]))]
        junk = {"constants": VALUES, "shapes": SHAPES, "bodies": bodies}[what]
        entries[rng.choice(list(entries))] = rng.choice(junk)
    changed: dict[str, Any] = {what: entries}
    return replace(sample, **changed)


def outcome(net: Network) -> str:
    """Validates and runs two frames."""
    try:
        reference = Reference(net)
        run_once(reference)
        run_once(reference)
    except InputError:
        return "input"  # quantize refuses integers out of range
    except FemtoError:
        return "refused"
    foreseen = checked(net).shapes
    shapes = {name: np.shape(value) for name, value in reference.values.items()}
    certain = {name: shape for name, shape in shapes.items() if name in foreseen}  # a body may have run, or not
    assert certain == foreseen
    return "ran"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_spoiled_nodes_are_refused_or_run(seed: int) -> None:
    rng = random.Random(seed)
    counts = dict.fromkeys(("ran", "refused", "input"), 0)
    for _ in range(CASES):
        op = rng.choice(list(SAMPLES))
        sample = SAMPLES[op]
        for _ in range(rng.randint(1, 3)):
            sample = spoil(sample, rng)
        if sample.outputs or sample.shapes:
            counts[outcome(sample.network(op))] += 1
    assert min(counts["ran"], counts["refused"]) > CASES // 10
