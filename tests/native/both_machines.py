"""A program on the NumPy machine and on the native loop: what one does, the other must do, faults included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import MachineFault
from femtodriver.machine.machine import Machine
from femtodriver.machine.run_budget import RunLimits
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import Part
from tests.machine.machine_bench import SMALL, Source, images
from tests.machine.test_machine import Program


def one_core(source: Source, part: Part = SMALL) -> Program:
    """A program of one core that a message of one word wakes at PC 0, without outputs."""
    mems = {0: images(source, part)}
    record = {"core": 0, "pc_val": 0, "len_64b_words": 1, "dtype": "V_D", "precision": "DBL"}
    metadata: dict[str, Any] = {
        "data_bank_sizes": {0: {}},
        "table_bank_sizes": {0: {}},
        "inst_counts": {0: len(mems[0]["IM"][0])},
        "inputs": {"x": record},
        "outputs": {},
    }
    return Program(metadata, mems)


def state(machine: Machine) -> list[bytes]:
    """Memories and accumulators of every core."""
    cores = [processor.core for processor in machine.spu.processors.values()]
    return [array.tobytes() for core in cores for array in (core.memory.words, core.acc)]


def step(machine: Machine, frame: Mapping[str, Int64Array]) -> Any:
    """The outputs of a frame as lists, or the sentence of the fault that ended it."""
    try:
        return {name: values.tolist() for name, values in machine.step(frame).items()}
    except MachineFault as fault:
        return str(fault)


def check_equal(
    program: Any,
    frames: Sequence[Mapping[str, Int64Array]],
    part: Part = SMALL,
    limits: RunLimits | None = None,
    *,
    check_state: bool = False,
) -> str | None:
    """Both machines do the same, frame by frame, also after a reset; the fault that ended them, if one did."""
    numpy, native = (kind(program, part, limits, check_state=check_state) for kind in (Machine, NativeMachine))
    for _ in range(2):
        numpy.reset()
        native.reset()
        for frame in frames:
            wanted = step(numpy, frame)
            assert step(native, frame) == wanted
            if isinstance(wanted, str):
                break
            assert state(native) == state(numpy)
            assert native.report() == numpy.report()
        else:
            continue
        fault: str = wanted
        return fault
    return None


FRAME = {"x": np.array([1, -2, 3, 4])}
