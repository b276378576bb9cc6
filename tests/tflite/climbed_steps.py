"""Frames that wake a wake-word model where there is no speech: random ones, changed as long as its answer grows.

Random frames alone leave the output of such models at 0, and then a wrong layer shows nowhere.
"""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import MAIN_GRAPH, FileGraph
from tests.tflite.litert_judge import Judge

STEPS = 40
_LARGEST_BLOCK = 12


def climbed_steps(data: bytes, tries: int, seed: int = 0) -> AnyArray:
    """int8 (STEPS, elements) for the only input, after so many changed blocks of steps and bands."""
    random = np.random.default_rng(seed)
    graph = read_model(data).graphs[MAIN_GRAPH]
    size = int(np.prod(graph.tensors[graph.inputs[0]].shape))
    steps = random.integers(-128, 128, (STEPS, size)).astype(np.int8)
    best = _answer(data, graph, steps)
    for _ in range(tries):
        changed = steps.copy()
        block = changed[_piece(random, STEPS), _piece(random, size)]
        block[:] = random.integers(-128, 128) if random.random() < 0.5 else random.integers(-128, 128, block.shape)
        found = _answer(data, graph, changed)
        if found >= best:
            steps, best = changed, found
    return steps


def _piece(random: np.random.Generator, size: int) -> slice:
    first = int(random.integers(size))
    return slice(first, first + int(random.integers(1, _LARGEST_BLOCK + 1)))


def _answer(data: bytes, graph: FileGraph, steps: AnyArray) -> float:
    """The largest value before the last LOGISTIC, a little above its mean of the best steps, so that it can grow."""
    last = [op.inputs[0] for op in graph.operators if op.name == "LOGISTIC"][-1]
    judge = Judge(data, tensors=[last])
    name = graph.tensors[graph.inputs[0]].name
    found = np.array([judge.step({name: step})[last].max() for step in steps], np.float64)
    return float(found.max() + np.sort(found)[-5:].mean() / 1000)
