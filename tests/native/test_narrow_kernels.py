"""The kernels of 32 bits against those of 64, on numbers around the largest that 32 bits hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver.arrays import Int64Array
from femtodriver.machine.run_budget import RunLimits
from femtodriver.native import library
from femtodriver.native.native_machine import NativeMachine
from femtodriver.native.native_spu import NativeSpu
from tests.machine.machine_bench import SMALL, Source
from tests.machine.machine_programs import random_source
from tests.native.both_machines import FRAME, check_equal, one_core, state, step

pytestmark = pytest.mark.skipif(isinstance(library.find_library(), str), reason=str(library.find_library()))
LIMITS = RunLimits(instructions=2000, elements=1 << 22, words=20000)
DATA_SETS = 12


class WideSpu(NativeSpu):
    narrow = False


class WideMachine(NativeMachine):
    """All numbers have 64 bits."""

    spu_type = WideSpu


def edges(numbers: np.random.Generator, count: int) -> Int64Array:
    """Numbers near powers of two, of both signs; small and large ones in turn, so that some rows fit 32 bits."""
    most = int(numbers.choice((6, 15, 24, 31, 33, 63)))
    bits = numbers.integers(0, most + 1, count)
    found: Int64Array = (np.int64(1) << bits) + numbers.integers(-2, 3, count)
    return np.where(numbers.random(count) < 0.5, found, -found)


def fill(machines: tuple[NativeMachine, ...], numbers: np.random.Generator) -> None:
    """The same numbers into memories and accumulators of all machines."""
    core = machines[0].spu.processors[0].core
    words, acc = edges(numbers, len(core.memory.words)), edges(numbers, len(core.acc))
    if numbers.random() < 0.5:
        words = numbers.integers(-(2**63), 2**63 - 1, len(words))
    for machine in machines:
        core = machine.spu.processors[0].core
        core.memory.words[:] = words.view(np.uint64)
        core.acc[:] = acc


def check_kernels(made: Source, seed: int) -> None:
    numbers = np.random.default_rng(seed)
    machines = tuple(kind(one_core(made), SMALL, LIMITS) for kind in (NativeMachine, WideMachine))
    for _ in range(DATA_SETS):
        fill(machines, numbers)
        narrow, wide = (step(machine, FRAME) for machine in machines)
        assert narrow == wide
        assert state(machines[0]) == state(machines[1])
    assert machines[0].report() == machines[1].report()


@pytest.mark.slow
@given(random_source(), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_kernels_of_32_and_64_bits_agree(made: Source, seed: int) -> None:
    check_kernels(made, seed)


@given(random_source(), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_kernels_agree_on_a_few_programs(made: Source, seed: int) -> None:
    check_kernels(made, seed)


OPERATIONS = ("vpass", "vadd", "vsub", "vmul", "vmax", "vmin", "vgt", "vge", "veq", "vand", "vor", "vxor")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("stage", ["", "shift=-9 rounded=1 clip=1 bits=16", "shift=3 clip=3 bits=24", "clip=2 bits=12"])
def test_whole_accumulators_that_fit_or_do_not(operation: str, stage: str) -> None:
    """All lengths of the last block, and both places of a whole accumulator."""
    lines = [
        f"{operation} {dst}, {a}, {b} length={length} {stage}"
        for length in (1, 2, 3, 7, 8, 15, 16, 17, 31)
        for dst, a, b in (("a4", "a0", "[0x40]:i16"), ("[0x100]:i16", "[0x40]:i8", "a0"), ("[0x100]:i32", "a0", "a4"))
    ]
    source = Source("\n".join((*lines, "end")))
    for seed in range(4):
        check_kernels(source, seed)


def test_one_number_too_large_is_noticed_wherever_it_stands() -> None:
    """vpass saturates what it cannot hold: a number taken for a narrow one would come out as another."""
    source = Source("vpass [0x40]:i32, a0, #0 length=33 clip=1 bits=32\nend")
    machine = NativeMachine(one_core(source), SMALL)
    core = machine.spu.processors[0].core
    for place in range(33):
        for value in (2**31, -(2**31) - 1, 2**32, -(2**63)):
            core.acc[:] = 5
            core.acc[place] = value
            machine.step(FRAME)
            stored = core.memory.elements[32][16 : 16 + 33]
            wanted = np.full(33, 5)
            wanted[place] = 2**31 - 1 if value > 0 else -(2**31)
            assert stored.tolist() == wanted.tolist()


def test_whole_accumulators_that_become_large_while_a_program_runs() -> None:
    """The loop stops looking for a while after it has found large ones; the numbers must not change with that."""
    text = "setb register=1 value=90\nagain:\nvadd a0, a0, a0 length=24\nvpass [0x40]:i32, a0, #0 length=24 shift=-3\n"
    source = Source(f"vpass a0, #3, #0 length=24\n{text}loop register=1 target=again\nend")
    assert check_equal(one_core(source), [FRAME] * 3) is None
