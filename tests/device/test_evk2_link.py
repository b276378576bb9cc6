"""The link to an EVK2, against a board written from the specification alone."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.evk2.hid_link import EvkLink
from femtodriver.device.evk2.usb_boards import EvkOpener, board_state, list_boards
from femtodriver.device.spu_runner import SPURunner
from femtodriver.device.timeouts import Timeouts
from femtodriver.errors import DeviceError
from tests.device.networks import compiled

QUICK = Timeouts(io=0.3)


class SpecBoard:
    """An identity network behind 64-byte reports. ``wrong`` changes what it sends."""

    def __init__(self, firmware: str = "FemtoAI") -> None:
        self.firmware = firmware
        self.packets: list[tuple[int, int, int, list[int]]] = []
        self.replies: list[bytes] = []
        self.apb: dict[int, int] = {0: 0x13}
        self.registers: dict[int, int] = {0x1C: 1}
        self.axis: list[int] = []
        self.output: list[int] = []
        self.closed = False
        self.time = [1234]
        self.wrong: Callable[[bytes], bytes] = lambda packet: packet

    def write(self, data: bytes) -> int:
        assert len(data) == 65
        assert data[0] == 0
        command, zero, count, address = struct.unpack_from("<BBHI", data, 1)
        words = list(struct.unpack_from(f"<{count}I", data, 9)) if count <= 14 else []
        assert zero == 0
        assert count <= 14
        assert command in (1, 3, 5, 6, 9) or not any(words)
        self.packets.append((command, count, address, words))
        self.reply(0, 0, address)
        self.act(command, count, address, words)
        return 65

    def act(self, command: int, count: int, address: int, words: list[int]) -> None:
        if command in (3, 9):
            memory = self.apb if command == 3 else self.registers
            memory.update({address + 4 * at: word for at, word in enumerate(words)})
        elif command in (4, 10):
            memory = self.apb if command == 4 else {**self.registers, 0x24: int(bool(self.output))}
            self.reply(command, count, address, [memory.get(address + 4 * at, 0) for at in range(count)])
        elif command in (5, 6):
            assert address == 4 * len(self.axis)
            self.axis += words
            if command == 6:
                self.output, self.axis = [0x1F, 0, *self.axis[2:]], []
        elif command in (7, 8):
            assert (command == 7) == (address == 0)
            self.reply(command, count, address, self.output[address // 4 : address // 4 + count])
            if address // 4 + count == len(self.output):
                self.output = []
        elif command == 13:
            assert self.firmware.lower() == "femtoai", "older firmware resets the board"
            self.reply(13 if self.time else 11, len(self.time), 0, self.time)

    def reply(self, command: int, count: int, address: int, words: list[int] | None = None) -> None:
        packet = struct.pack("<BBHI", command, 0, count, address) + struct.pack(f"<{len(words or [])}I", *(words or []))
        self.replies.append(self.wrong(packet.ljust(64, b"\x00")))

    def read(self, size: int, timeout_ms: int) -> list[int]:
        assert size == 64
        assert timeout_ms > 0
        return list(self.replies.pop(0)) if self.replies else []

    def open_path(self, path: bytes) -> None:
        assert path == b"path-A1"

    def close(self) -> None:
        self.closed = True


class Package:
    """What the package `hidapi` offers."""

    def __init__(self, board: SpecBoard, product: str = "SPU001") -> None:
        self.board, self.product = board, product

    def device(self) -> SpecBoard:
        return self.board

    def enumerate(self, vendor: int, product: int) -> list[dict[str, Any]]:
        assert (vendor, product) == (0x16C0, 0x0486)
        common = {"manufacturer_string": self.board.firmware, "product_string": self.product}
        return [
            {**common, "serial_number": "A1", "interface_number": 1, "path": b"other"},
            {**common, "serial_number": "A1", "interface_number": 0, "path": b"path-A1"},
        ]


def link(board: SpecBoard, folder: Path, serial: str | None = None, product: str = "SPU001") -> EvkLink:
    found = EvkLink(EvkOpener(serial, Package(board, product), folder), QUICK)
    found.settle = lambda cycles, seconds: None  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("firmware", ["FemtoAI", "FEMTOAI", "old"])
def test_a_program_on_a_board(tmp_path: Path, firmware: str) -> None:
    board = SpecBoard(firmware)
    data = compiled("identity")
    runner = SPURunner(data, settings=BoardSettings(hardware="evk2"), link=link(board, tmp_path))
    with runner:
        runner.reset()
        for first in (0, 100):
            outputs, _ = runner.step({"x": np.arange(first, first + 16)})
            assert outputs["%x.4"].tolist() == list(range(first, first + 16))
            assert runner.latency_us == (-1 if firmware == "old" else 1234)
        board.time = []
        runner.step({"x": np.zeros(16, int)})
        assert runner.latency_us == -1
    assert board.closed
    start = [(command, address, words) for command, _, address, words in board.packets if command in (1, 9)][:13]
    assert start == [
        (1, 0, [0]),
        (9, 0x04, [0xC48]),
        *((9, 0x0C, [2288]), (9, 0x10, [0]), (9, 0x14, [4577]), (9, 0x18, [0]), (9, 0x08, [1]), (9, 0x08, [0])),
        (9, 0x08, [0x40]),
        *((9, 0x00, [0x800]), (9, 0x00, [0x800]), (9, 0x00, [0]), (9, 0x00, [0])),
    ]
    assert (4, 1, 0, [0]) in board.packets  # VERSION is checked


def test_messages_are_cut_into_packets_of_14_words(tmp_path: Path) -> None:
    board = SpecBoard()
    with link(board, tmp_path) as found:
        for length in (14, 16, 2, 30):
            board.packets.clear()
            words = np.arange(length)
            found.write("axis", 0, 0, length, words)
            sent = [(command, count, address) for command, count, address, _ in board.packets]
            assert [count for _, count, _ in sent] == [14] * (length // 14) + ([length % 14] if length % 14 else [])
            assert [command for command, _, _ in sent] == [5] * (len(sent) - 1) + [6]
            assert [address for _, _, address in sent] == [56 * at for at in range(len(sent))]
        assert found.read("axis", 0, 0, 30).tolist() == [0x1F, 0, *range(2, 30)]
        found.write("apb", 0x100000, 0x100000 + 80, 20, np.arange(20))
        assert found.read("apb", 0x100000, 0x100000 + 80, 20).tolist() == list(range(20))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda packet: b"", r"no answer within 1 s; expected packet 0 for address 0x34"),
        (lambda packet: packet[:10], "of 64 bytes, got 10 bytes"),
        (lambda packet: b"\x0b" + packet[1:], r"got packet 11 \(the board reports an error\)"),
        (lambda packet: b"\x0c" + packet[1:], r"got packet 12 \(the board reports a timeout\)"),
        (lambda packet: packet[:4] + b"\xff" + packet[5:], "expected packet 0 for address 0x34, got packet 0 for 0xff"),
        (lambda packet: packet[:2] + b"\x09" + packet[3:], "expected 1 words at 0x34, got 9"),
    ],
)
def test_wrong_answers_are_device_errors(tmp_path: Path, wrong: Any, message: str) -> None:
    board = SpecBoard()
    with link(board, tmp_path) as found:
        board.wrong = wrong
        with pytest.raises(DeviceError, match=message):
            found.read("apb", 0x34, 0x38, 1)
        assert board.closed


def test_a_board_that_is_pulled_out(tmp_path: Path) -> None:
    board = SpecBoard()

    def gone(data: bytes) -> int:
        raise OSError("gone")

    with link(board, tmp_path) as found:
        board.write = gone  # type: ignore[method-assign]
        with pytest.raises(DeviceError, match="a write of 1 words to apb: the board was lost: gone"):
            found.write("apb", 0, 4, 1, [0])
    with link(SpecBoard(), tmp_path) as found:
        found._device.write = lambda data: -1  # type: ignore[union-attr,method-assign]
        with pytest.raises(DeviceError, match="expected to send 64 bytes, the board took -1"):
            found.write("apb", 0, 4, 1, [0])


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first, second = link(SpecBoard(), tmp_path), link(SpecBoard(), tmp_path)
    (board,) = list_boards(Package(SpecBoard()))
    assert board_state(board, tmp_path) == "ready"
    assert list(tmp_path.iterdir()) == []
    with first:
        assert board_state(board, tmp_path) == "used by another process"
        assert (tmp_path / "evk2_A1.lock").stat().st_mode & 0o777 == 0o666
        with pytest.raises(DeviceError, match=r"no board is free: A1 \(used by another process\)"):
            second.open()
    assert board_state(board, tmp_path) == "ready"
    with second:
        pass
    assert board_state(replace(board, product="Teensy"), tmp_path) == "not flashed"


def test_boards_that_are_not_there_or_not_flashed(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no EVK2 with serial number B2 is connected"):
        link(SpecBoard(), tmp_path, "B2").open()
    with pytest.raises(DeviceError, match=r"no board is free: A1 \(not flashed, Teensy\)"):
        link(SpecBoard(), tmp_path, product="Teensy").open()
    (board,) = list_boards(Package(SpecBoard()))
    assert (board.serial, board.product, board.flashed, board.tells_time) == ("A1", "SPU001", True, True)


def test_a_missing_or_foreign_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys
    from types import ModuleType

    monkeypatch.setitem(sys.modules, "hid", None)
    with pytest.raises(DeviceError, match="the Python package `hidapi` is not usable"):
        EvkOpener(None, None, tmp_path).open()
    monkeypatch.setitem(sys.modules, "hid", ModuleType("hid"))
    with pytest.raises(DeviceError, match="another package than `hidapi`"):
        list_boards()
