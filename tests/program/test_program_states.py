"""States in data memory: reading and setting whole, shared out and circular ones, and what their records must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError, ProgramError, UsageError
from femtodriver.program.program_states import (
    ProgramState,
    StatePlace,
    VariableLimits,
    check_states,
    checked_values,
    read_state,
    write_state,
)


class Memory:
    """Data memory of two cores, elements of 16 bits."""

    def __init__(self) -> None:
        self.cores = {core: np.zeros(64, np.int16) for core in (0, 1)}

    def peek(self, core: int, address: int, bits: int, length: int) -> Int64Array:
        return self.cores[core][address // 2 : address // 2 + length].astype(np.int64)

    def poke(self, core: int, address: int, bits: int, values: Int64Array) -> None:
        self.cores[core][address // 2 : address // 2 + len(values)] = values


def test_a_state_on_two_cores_is_one() -> None:
    memory = Memory()
    state = ProgramState(6, -9, 9, (StatePlace(0, 4, 0, 8, 16), StatePlace(4, 2, 1, 0, 16)))
    write_state(state, np.arange(6), memory.peek, memory.poke)
    assert memory.cores[0][4:8].tolist() == [0, 1, 2, 3]
    assert memory.cores[1][:2].tolist() == [4, 5]
    assert read_state(state, memory.peek).tolist() == list(range(6))
    assert state.is_whole
    assert not ProgramState(6, -9, 9, state.places[:1]).is_whole


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_circular_state_is_in_line_from_its_position_on(position: int) -> None:
    memory = Memory()
    memory.cores[0][60] = position
    state = ProgramState(12, 0, 99, (StatePlace(0, 12, 0, 0, 16, 120),))
    write_state(state, np.arange(12), memory.peek, memory.poke)
    assert read_state(state, memory.peek).tolist() == list(range(12))
    ring = memory.cores[0][:24]
    assert ring[:12].tolist() == ring[12:].tolist() == np.roll(np.arange(12), 4 * position).tolist()
    assert not memory.cores[0][24:60].any()


def test_values_are_checked() -> None:
    known = {"s": VariableLimits(4, -2, 5)}
    assert checked_values({"s": np.array([[1, 2], [3, 5]], np.uint8)}, known, "x")["s"].tolist() == [1, 2, 3, 5]
    for wrong, kind in (([0] * 5, InputError), ([6] * 4, InputError), ([0.0] * 4, InputError), ("abcd", InputError)):
        with pytest.raises(kind, match="x: variable 's': must"):
            checked_values({"s": wrong}, known, "x")
    with pytest.raises(UsageError, match="x: variable 't': must be a state"):
        checked_values({"t": [0]}, known, "x")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"low": "x"}, "low and high must be whole numbers, not 'x' and 9"),
        ({"high": None}, "low and high must be whole numbers"),
        ({"places": (StatePlace(0, 7, 0, 0, 16),)}, "a place must have 8, 16 or 32 bits and be inside the state"),
        ({"places": (StatePlace(0, 4, 0, 0, 12),)}, "a place must have 8, 16 or 32 bits"),
    ],
)
def test_records_are_checked(changed: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"length": 6, "low": -9, "high": 9, "places": (StatePlace(0, 6, 0, 0, 16),)}
    check_states({"s": ProgramState(**good)}, "program")
    with pytest.raises(ProgramError, match=rf"program\['s'\]: {message}"):
        check_states({"s": ProgramState(**{**good, **changed})}, "program")
