"""The estimate of cycles that decides on placements, beside what the machine counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import compile_network
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from tests.compiler.compiler_nets import Net, dense, random_frames, recurrent

ZOO = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "zoo"
SPU = load_part()


def ratio(network: Network, cores: int) -> float:
    """Estimated cycles over counted ones."""
    compiled = compile_network(network, SPU, options=Options(cores=cores))
    machine = Machine(compiled.data, SPU)
    for frame in random_frames(network, 3):
        machine.step({name: values.reshape(-1) for name, values in frame.items()})
    return estimate_cycles(compiled.fmir, SPU) / machine.report().frame_cycles.mean


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("size", [128, 256])
def test_dense_products_are_estimated_closely(cores: int, size: int) -> None:
    net = Net()
    net.output(dense(net, dense(net, net.input("x", size), size), size))
    assert 0.9 < ratio(net.network(), cores) < 1.05


@pytest.mark.parametrize("cores", [1, 2])
def test_recurrent_networks_are_estimated_roughly(cores: int) -> None:
    assert 0.7 < ratio(recurrent(128), cores) < 1.4


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.parent.name for path in ZOO.glob("*/graph.pt") if "_L_" not in str(path)))
def test_the_zoo_is_not_taken_for_quicker_than_it_is(corpus: Path, name: str) -> None:
    """Zero activations make the machine quicker than the estimate; nothing makes it much slower."""
    assert 0.7 < ratio(load_network(corpus / "zoo" / name / "graph.pt"), 1) < 4
