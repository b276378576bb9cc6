"""The virtual board on the NumPy machine: every rule once more, and the same answers as on the native loop."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from femtodriver.device.virtual.serve import preload_program
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.errors import UnsupportedError
from femtodriver.native import library
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.memory_map import SYSTEM_REGISTERS
from tests.device import test_board_rules
from tests.device.networks import NETWORKS, PART, compiled, random_inputs
from tests.device.test_board_rules import *  # noqa: F403 - every rule, on the machine that is not the usual one
from tests.device.test_board_rules import DM0, bus, frame, kinds

needs_loop = pytest.mark.skipif(isinstance(library.find_library(), str), reason=str(library.find_library()))


@pytest.fixture(autouse=True)
def _on_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules make their boards by this name."""
    monkeypatch.setattr(test_board_rules, "VirtualBoard", partial(VirtualBoard, native=False))


@needs_loop
@pytest.mark.parametrize("name", NETWORKS)
def test_both_machines_answer_the_same_and_leave_the_same_memories(name: str) -> None:
    """Also after a reset of the cores, and after a client has written to data memory, weights included."""
    data = compiled(name)
    boards = [VirtualBoard(PART, native=native) for native in (False, True)]
    for board in boards:
        preload_program(board, load_sequence(data))
    inputs = random_inputs(data, 4)
    for turn in range(4):
        values = {key: rows[turn] for key, rows in inputs.items()}
        on_numpy, on_loop = (frame(board, data, values) for board in boards)
        assert (on_numpy is None) == (on_loop is None)
        for output, wanted in (on_numpy or {}).items():
            np.testing.assert_array_equal((on_loop or {})[output], wanted)
        memories = [board.apb_read(DM0, 512).tolist() for board in boards]
        assert memories[0] == memories[1]
        changed = boards[0].apb_read(DM0, 4096) ^ np.uint32(turn)
        for board in boards:
            board.apb_write(DM0, changed)
            if turn == 1:
                board.apb_write(SYSTEM_REGISTERS["RST"], bus(1))
                board.apb_write(SYSTEM_REGISTERS["RST"], bus(0))
    assert kinds(boards[0]) == kinds(boards[1])


def test_a_loop_that_is_not_there_is_refused_when_the_board_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("femtodriver.native.choose_machine.needed_library", "femtodriver.native.library.find_library"):
        monkeypatch.setattr(name, lambda: refuse())
    with pytest.raises(UnsupportedError, match="native machine: not built"):
        VirtualBoard(PART, native=True)


def refuse() -> str:
    raise UnsupportedError("native machine: not built")
