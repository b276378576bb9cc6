from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import fixed
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.quantization.quantization_observer import QuantizationObserver
from tests.quantization.small_values import clipping_network, looping_network


def observed(network: Network) -> tuple[Reference, QuantizationObserver]:
    observer = QuantizationObserver(network, Reference(network).ranges)
    return Reference(network, observer), observer


def test_every_value_of_a_run_by_hand() -> None:
    reference, observer = observed(clipping_network())
    for frame in ([100, 100, -3], [-120, 5, 127]):
        observer.begin_frame({"x": np.array(frame)})
        reference.step({"x": np.array(frame)})
        observer.end_frame()
    x, doubled, positive = observer.values
    assert observer.frames == 2
    assert (x.name, x.op, x.use.bits, x.use.lowest, x.use.highest) == ("x", "input", 8, -120, 127)
    # 200, 200, -6 and -240, 10, 254 do not all fit 8 bits.
    assert (doubled.name, doubled.op, doubled.quanta) == ("doubled", "vvadd", -3)
    assert (doubled.use.lowest, doubled.use.highest, doubled.use.clipped, doubled.use.at_limits) == (-128, 127, 4, 4)
    # A ReLU changes negative elements, but saturates none.
    assert (positive.name, positive.use.clipped, positive.use.zeros) == ("positive", 0, 2)
    assert positive.layer == "positive"


def test_a_body_is_watched_each_time_that_it_runs_and_clips_for_itself() -> None:
    reference, observer = observed(looping_network())
    observer.begin_frame({"x": np.array([100])})
    reference.step({"x": np.array([100])})
    observer.end_frame()
    by_name = {value.name: value for value in observer.values}
    body, loop = by_name["next"], by_name["last"]
    assert (body.nested, loop.nested) == (True, False)
    assert (body.use.elements, body.use.clipped, body.use.highest) == (3, 3, 127)
    assert (loop.use.elements, loop.use.clipped) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gru_kws_S_double_p0", "loop_tanh", "conditional_energy_gate", "multi_io_double"])
def test_watching_changes_nothing(corpus: Path, name: str) -> None:
    network = load_network(corpus / "zoo" / name / "graph.pt")
    plain, (watched, observer) = Reference(network), observed(network)
    rng = np.random.default_rng(5)
    for _ in range(3):
        frame = {tensor.name: rng.integers(*fixed.limits(tensor.bits or 16), tensor.shape) for tensor in network.inputs}
        observer.begin_frame(frame)
        outputs = watched.step(frame)
        observer.end_frame()
        for key, wanted in plain.step(frame).items():
            assert np.array_equal(outputs[key], wanted)
    for value in observer.values:
        low, high = plain.ranges.get(value.name, (0, 0))
        assert not value.use.elements or low <= value.use.lowest <= value.use.highest <= high


def test_nobody_is_told_once_the_run_is_over() -> None:
    reference, observer = observed(clipping_network())
    reference.step({"x": np.array([1, 2, 3])})
    before = [value.use.clipped for value in observer.values]
    fixed.saturate(np.array([1000]), 8)
    assert [value.use.clipped for value in observer.values] == before
