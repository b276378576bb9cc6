"""The link to an EVK2 evaluation board over USB HID: packets of 64 bytes, each acknowledged."""

from __future__ import annotations

import contextlib
import struct
from typing import Protocol

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.transport import LinkLostError, Transport
from femtodriver.errors import DeviceError, UsageError

PACKET_BYTES = 64
MOST_WORDS = 14
ACK_TIMEOUT_S = 1.0
_HEADER = struct.Struct("<BBHI")

ACK, RESET = 0, 1
APB_WRITE, APB_READ = 3, 4
AXIS_WRITE, AXIS_WRITE_LAST = 5, 6
AXIS_READ_FIRST, AXIS_READ = 7, 8
REGISTER_WRITE, REGISTER_READ = 9, 10
ERROR, TIMEOUT, EXECUTION_TIME = 11, 12, 13


class HidDevice(Protocol):
    """An open raw HID device, as the package `hidapi` gives it."""

    def write(self, data: bytes) -> int:
        """Send a report, its id first; the number of bytes sent, negative for a failure."""

    def read(self, size: int, timeout_ms: int) -> list[int]:
        """The next report without an id; empty when none came in time."""

    def close(self) -> None:
        """Release it."""


class HidOpener(Protocol):
    """Finds and opens the board."""

    def open(self) -> tuple[HidDevice, bool]:
        """The device, and whether its firmware knows the execution time. DeviceError when there is none."""

    def release(self) -> None:
        """Give up what keeps others away from the board."""


class EvkLink(Transport):
    """Packets to and from an EVK2; see ``usb_boards`` for finding one."""

    def __init__(self, opener: HidOpener, timeouts: Timeouts, name: str = "evk2") -> None:
        super().__init__(name, timeouts)
        self._opener = opener
        self._device: HidDevice | None = None
        self._tells_time = False

    def execution_time_us(self) -> int:
        if not self._tells_time:
            return -1
        try:
            self._send(EXECUTION_TIME, 0, 1, "the execution time")
            data = self._next_packet("the execution time", ACK_TIMEOUT_S, "expected a packet")
            kind, _, count, _ = _HEADER.unpack_from(data)
            return int.from_bytes(data[8:12], "little") if (kind, count) == (EXECUTION_TIME, 1) else -1
        except DeviceError as error:
            self._fail(error)
            raise

    def _open(self) -> None:
        self._device, self._tells_time = self._opener.open()

    def _close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            with contextlib.suppress(OSError, ValueError):
                device.close()
        self._opener.release()

    def _write(self, target: str, start: int, words: BusWords) -> None:
        command = {"apb": APB_WRITE, "spu_top": REGISTER_WRITE, "axis": AXIS_WRITE, "host": RESET}[target]
        if target == "host":
            start, words = 0, np.zeros(1, np.uint32)
        where = f"a write of {len(words)} words to {target}"
        for first in range(0, len(words), MOST_WORDS):
            part = words[first : first + MOST_WORDS]
            last = first + MOST_WORDS >= len(words)
            kind = AXIS_WRITE_LAST if target == "axis" and last else command
            self._send(kind, start + 4 * first, len(part), where, part)

    def _read(self, target: str, start: int, length: int) -> BusWords:
        if target == "host":
            raise UsageError(f"{self.name}: nothing can be read from the host on this platform.")
        first_kind, kind = {
            "apb": (APB_READ, APB_READ),
            "spu_top": (REGISTER_READ, REGISTER_READ),
            "axis": (AXIS_READ_FIRST, AXIS_READ),
        }[target]
        where = f"the {target} read of {length} words from {start:#x}"
        parts = [
            self._read_packet(kind if first else first_kind, start + 4 * first, min(MOST_WORDS, length - first), where)
            for first in range(0, length, MOST_WORDS)
        ]
        return np.concatenate(parts)

    def _read_packet(self, kind: int, address: int, count: int, where: str) -> BusWords:
        self._send(kind, address, count, where)
        data = self._receive(kind, address, where, self.timeouts.io)
        size = _HEADER.unpack_from(data)[2]
        if size != count:
            raise DeviceError(f"{self.name}: {where}: expected {count} words at {address:#x}, got {size}.")
        return np.frombuffer(data, "<u4", count, _HEADER.size).astype(np.uint32)

    def _send(self, kind: int, address: int, count: int, where: str, words: BusWords | None = None) -> None:
        data = b"" if words is None else words.astype("<u4").tobytes()
        packet = _HEADER.pack(kind, 0, count, address) + data
        # The first byte is the report id: without one, a non-zero command would be taken for it.
        report = b"\x00" + packet.ljust(PACKET_BYTES, b"\x00")
        try:
            sent = self._open_device().write(report)
        except (OSError, ValueError) as error:
            raise LinkLostError(f"{self.name}: {where}: the board was lost: {error}.") from None
        if sent < PACKET_BYTES:
            raise DeviceError(f"{self.name}: {where}: expected to send {PACKET_BYTES} bytes, the board took {sent}.")
        self._receive(ACK, address, where, ACK_TIMEOUT_S)

    def _receive(self, kind: int, address: int, where: str, timeout_s: float) -> bytes:
        """The packet of that kind and address; DeviceError for none or any other."""
        wanted = f"expected packet {kind} for address {address:#x}"
        data = self._next_packet(where, timeout_s, wanted)
        got, _, _, got_address = _HEADER.unpack_from(data)
        if (got, got_address) != (kind, address):
            told = {ERROR: " (the board reports an error)", TIMEOUT: " (the board reports a timeout)"}.get(got, "")
            raise DeviceError(f"{self.name}: {where}: {wanted}, got packet {got}{told} for {got_address:#x}.")
        return data

    def _next_packet(self, where: str, timeout_s: float, wanted: str) -> bytes:
        try:
            data = bytes(self._open_device().read(PACKET_BYTES, int(1000 * timeout_s)))
        except (OSError, ValueError) as error:
            raise LinkLostError(f"{self.name}: {where}: the board was lost: {error}; {wanted}.") from None
        if not data:
            raise DeviceError(f"{self.name}: {where}: no answer within {timeout_s:g} s; {wanted}.")
        if len(data) != PACKET_BYTES:
            raise DeviceError(f"{self.name}: {where}: {wanted} of {PACKET_BYTES} bytes, got {len(data)} bytes.")
        return data

    def _open_device(self) -> HidDevice:
        if self._device is None:
            raise DeviceError(f"{self.name}: the link is not open.")
        return self._device
