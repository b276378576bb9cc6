"""Reading values out of a running program: every place in data memory, and no place outside it."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from femtodriver.arrays import Words
from femtodriver.device import DataPlace, make_runner
from femtodriver.device.session.chip_access import ChipAccess
from femtodriver.device.session.debug_values import read_elements, write_elements
from femtodriver.device.session.target_addresses import Target
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import UsageError
from tests.device.networks import PART, compiled

BANKS, WORDS = 8, 8192
BYTES = 8 * BANKS * WORDS


class Memory:
    """Data memory as the program sees it; its banks work in pairs: even words, odd words."""

    def __init__(self) -> None:
        self.bytes = np.random.default_rng(3).integers(0, 256, BYTES, dtype=np.uint8)
        self.asked: list[tuple[Any, int]] = []

    def recv(self, target: Target, num_words: int = 1, comment: str | None = None) -> Words:
        self.asked.append((target, num_words))
        core, bank, offset = cast("tuple[int, str, int]", target)
        assert core == 3
        assert offset >= 0
        assert offset + num_words <= WORDS
        pair, odd = divmod(int(bank.removeprefix("DM")), 2)
        words: Words = self.bytes.view("<u8").astype(np.uint64)[2 * WORDS * pair + odd : 2 * WORDS * (pair + 1) : 2]
        return words[offset : offset + num_words]


def read(memory: Memory, address: int, length: int, bits: int) -> list[int]:
    found: list[int] = read_elements(cast(ChipAccess, memory), DataPlace(3, address, length, bits)).tolist()
    return found


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("length", [1, 2, 3, 7, 16, 33])
@pytest.mark.parametrize("start", [0, 4, 8, 12, 16, 100, 8 * 2 * WORDS - 16, 8 * 4 * WORDS - 8, 8 * 4 * WORDS - 4])
def test_elements_of_any_place(bits: int, length: int, start: int) -> None:
    memory = Memory()
    size = bits // 8
    wanted = memory.bytes[start : start + length * size].view(f"<i{size}").tolist()
    assert read(memory, start, length, bits) == wanted


@pytest.mark.parametrize(("bits", "offset"), [(8, 1), (8, 7), (16, 2), (16, 6), (32, 4)])
def test_elements_in_the_middle_of_a_word(bits: int, offset: int) -> None:
    memory = Memory()
    size = bits // 8
    assert read(memory, offset, 5, bits) == memory.bytes[offset : offset + 5 * size].view(f"<i{size}").tolist()


def test_no_more_is_read_than_is_asked_for() -> None:
    memory = Memory()
    read(memory, 8, 4, 16)
    assert memory.asked == [((3, "DM1", 0), 1)]
    memory.asked.clear()
    read(memory, 8, 8, 16)
    assert memory.asked == [((3, "DM0", 1), 1), ((3, "DM1", 0), 1)]


def test_the_very_end_of_data_memory() -> None:
    memory = Memory()
    assert read(memory, BYTES - 2, 1, 16) == memory.bytes[-2:].view("<i2").tolist()
    assert read(memory, BYTES - 8, 8, 8) == memory.bytes[-8:].view("<i1").tolist()
    for address, length, bits in ((BYTES, 1, 8), (BYTES - 2, 2, 16), (BYTES - 8, 9, 8)):
        with pytest.raises(UsageError, match="data memory: elements must end inside it"):
            read(memory, address, length, bits)


@pytest.mark.parametrize(
    ("address", "length", "bits"), [(0, 1, 24), (0, 1, 0), (-2, 1, 16), (0, 0, 16), (0, -1, 16), (1, 1, 16), (2, 1, 32)]
)
def test_places_that_are_none(address: int, length: int, bits: int) -> None:
    with pytest.raises(UsageError, match="elements must be of 8, 16 or 32 bits at a multiple of their size"):
        read(Memory(), address, length, bits)


def test_registers_by_the_runners_attribute(server: BoardServer) -> None:
    with make_runner(compiled("identity"), "zynq", address=server.endpoint) as runner:
        runner.reset()
        runner.io.send("DM_TIMERS", 5)  # at once
        runner.ioplug.read("spu_top", 0x24, 1)  # now it has arrived, though nothing flushed
        assert server.board.apb_read(0x08, 1).tolist() == [5]


def test_states_of_an_spu_runner_are_read_and_set() -> None:
    data = compiled("accumulator")
    with BoardServer(VirtualBoard(PART)) as server, make_runner(data, "zynq", address=server.endpoint) as runner:
        runner.reset(reset_vals={"s": np.arange(16)})
        runner.send_inputs({"x": np.ones(16, np.int64)})
        with pytest.raises(UsageError, match=r"recv_outputs\(\) must come first"):
            runner.get_vars()
        assert runner.recv_outputs()["sum"].tolist() == list(range(1, 17))
        with pytest.raises(UsageError, match=r"send_inputs\(\) must come before recv_outputs\(\)"):
            runner.recv_outputs()
        found = runner.get_vars(["s", "x", "sum"])
        assert found["s"].tolist() == found["sum"].tolist() == list(range(1, 17))
        runner.set_vars({"s": np.zeros(16, int)})
        assert runner.step({"x": np.arange(16)})[0]["sum"].tolist() == list(range(16))
        assert not server.board.violations.counts


def test_elements_beside_those_that_are_stored_stay() -> None:
    with BoardServer(VirtualBoard(PART)) as server:
        runner = make_runner(compiled("accumulator"), "zynq", address=server.endpoint)
        with runner:
            runner.reset()
            runner.step({"x": np.arange(16)})
            place = DataPlace(0, 2, 3, 16)
            before = read_elements(runner.io, DataPlace(0, 0, 16, 16))
            write_elements(runner.io, place, np.array([7, 8, 9]))
            after = read_elements(runner.io, DataPlace(0, 0, 16, 16))
    assert after.tolist() == [before[0], 7, 8, 9, *before[4:]]
