"""What the objectives choose, and that nothing is made that is not asked for."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from femtodriver.compiler import pipeline
from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.compiler_options import Objective, Options
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.compiler.pipeline import Compilation, compile_network, run_passes
from femtodriver.compiler.placement import choose_cores
from femtodriver.compiler.placement.choose_cores import placements
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.errors import CapacityError
from femtodriver.fqir.graph import Network
from femtodriver.part import load_part
from tests.compiler.compiler_nets import Net, agree, dense, recurrent

SPU, SPU4 = load_part(), load_part("spu001x4")


def layers(size: int, count: int = 3) -> Network:
    net = Net()
    x = net.input("x", size)
    for index in range(count):
        x = dense(net, x, size, seed=index)
    net.output(x)
    return net.network()


def mapped(network: Network) -> Fmir:
    return run_passes(lower_network(network, SPU4), SPU4)


def compiled(network: Network, objective: Objective, deadline: int | None = None) -> Compilation:
    return compile_network(network, SPU4, options=Options(objective=objective, deadline=deadline))


def cores(program: Compilation) -> int:
    return len(program.data.mems_per_core)


def test_energy_takes_one_core_where_the_deadline_is_far() -> None:
    assert cores(compiled(layers(256), Objective.BALANCED)) > 1
    assert cores(compiled(layers(256), Objective.ENERGY, 1_600_000)) == 1
    assert cores(compiled(layers(256), Objective.ENERGY)) == 1, "without a deadline there is none to miss"


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_energy_takes_as_many_cores_as_the_deadline_needs(count: int) -> None:
    fmir = mapped(layers(256))
    times = [estimate_cycles(next(placements(fmir, SPU4, number, Objective.CYCLES)), SPU4) for number in range(1, 5)]
    assert times == sorted(times, reverse=True)
    deadline = int(times[count - 1] / 0.75)  # an estimate may take 80 %
    assert cores(compiled(layers(256), Objective.ENERGY, deadline)) == count


def test_energy_is_quick_where_the_deadline_cannot_be_met() -> None:
    hurried = compiled(layers(256), Objective.ENERGY, 1)
    assert estimate_cycles(hurried.fmir, SPU4) == estimate_cycles(compiled(layers(256), Objective.CYCLES).fmir, SPU4)


def test_energy_uses_the_fewest_banks() -> None:
    def banks(program: Compilation) -> int:
        return sum(size > 0 for sizes in program.data.metadata["data_bank_sizes"].values() for size in sizes.values())

    network = recurrent(64, 2)
    assert banks(compiled(network, Objective.ENERGY)) < banks(compiled(network, Objective.BALANCED))


def test_cycles_is_never_slower_than_the_others() -> None:
    for network in (layers(64), layers(128), recurrent(64, 2)):
        times = {one: estimate_cycles(compiled(network, one).fmir, SPU4) for one in Objective}
        assert times[Objective.CYCLES] == min(times.values())


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("deadline", [None, 1, 2000])
def test_objectives_change_no_result(objective: Objective, deadline: int | None) -> None:
    agree(recurrent(64, 2), SPU4, options=Options(objective=objective, deadline=deadline))


def test_only_what_is_tried_is_made() -> None:
    """Of a network that gains little by more cores, one layout is made, and no more than one is looked at closely."""
    with mock.patch.object(choose_cores, "place_on_cores", side_effect=place_on_cores) as made:
        assert cores(compiled(layers(16), Objective.BALANCED)) == 1
    assert made.call_count == 0


def test_what_fits_no_layout_is_tried_once() -> None:
    network, small = layers(256), replace(SPU4, output_buffer_words=20)
    with mock.patch.object(pipeline, "allocate", side_effect=allocate) as tried, pytest.raises(CapacityError):
        compile_network(network, small)
    assert tried.call_count == 1


@pytest.mark.parametrize("size", [64, 128, 256])
def test_every_layout_is_made_once(size: int) -> None:
    with mock.patch.object(choose_cores, "place_on_cores", side_effect=place_on_cores) as made:
        compiled(layers(size), Objective.BALANCED)
    plans = [call.args[2] for call in made.call_args_list]
    assert len(plans) == len(set(plans)) <= 3
