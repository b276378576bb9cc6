"""The link to a ZCU104 (or the virtual board) over TCP."""

from __future__ import annotations

import contextlib
import socket
import time

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.device.addresses import ZYNQ_PORT, endpoint_text, is_loopback, parse_endpoint
from femtodriver.device.link_request import LinkRequest
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.transport import BoardBusyError, LinkLostError, Transport
from femtodriver.device.zcu104.checksums import StampCheck
from femtodriver.device.zcu104.entries import (
    ENTRY_BYTES,
    MAX_ADDRESS,
    PIECE_ENTRIES,
    Code,
    Entries,
    axis_fields,
    code_name,
    codes_of,
    entries,
    fields_of,
    from_bytes,
    to_bytes,
)
from femtodriver.device.zcu104.parting_words import IN_USE, sentence_of
from femtodriver.errors import DeviceError, UsageError

PIECE_BYTES = ENTRY_BYTES * PIECE_ENTRIES
_CHUNK = 1 << 16
_QUICK = getattr(socket, "TCP_QUICKACK", None)
_WRITE_CODES = {"apb": Code.APB_WRITE, "axis": Code.AXIS_WRITE, "spu_top": Code.TOP_WRITE, "host": Code.HOST_WRITE}


def make_link(request: LinkRequest) -> TcpLink:
    """The maker of boards over TCP. UsageError for an address that is not HOST[:PORT]."""
    host, port = parse_endpoint(request.address or "", ZYNQ_PORT)
    return TcpLink(host, port, request.timeouts, request.settle_scale)


class TcpLink(Transport):
    """Entries over one TCP connection.

    ``settle_scale``: share of the pauses for silicon that are really slept; None: none of them at a loopback
    address, because a simulator is there, all of them elsewhere.
    """

    def __init__(self, host: str, port: int, timeouts: Timeouts, settle_scale: float | None = None) -> None:
        super().__init__(f"zynq {endpoint_text(host, port)}", timeouts)
        self._host, self._port = host, port
        self._scale = float(not is_loopback(host)) if settle_scale is None else settle_scale
        self._socket: socket.socket | None = None
        self._received = bytearray()
        self._stamps = StampCheck()

    def settle(self, cycles: int, seconds: float) -> None:
        if seconds * self._scale > 0:
            time.sleep(seconds * self._scale)

    def _open(self) -> None:
        try:
            link = socket.create_connection((self._host, self._port), self.timeouts.connect)
            # Small requests must not wait for the acknowledgement of earlier ones.
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, UnicodeError, OverflowError) as error:
            raise LinkLostError(
                f"{self.name}: cannot be reached: {_reason(error)}. Check the address and that the board, or "
                "`femtodrive board --listen`, is running."
            ) from None
        self._socket = link
        self._stamps = StampCheck()

    def _close(self) -> None:
        link, self._socket = self._socket, None
        self._received.clear()
        if link is not None:
            with contextlib.suppress(OSError):
                link.close()

    def _alive(self) -> bool:
        try:
            self._check_quiet("a new start")
        except DeviceError:
            return False
        return True

    def _write(self, target: str, start: int, words: BusWords) -> None:
        if target == "axis":
            fields = axis_fields(len(words))
        else:
            step = 1 if target == "host" else 4
            self._check_field(start + step * (len(words) - 1))
            fields = (start + step * np.arange(len(words))).astype(np.uint32)
        self._send(entries(_WRITE_CODES[target], fields, words), f"a write of {len(words)} words to {target}")

    def _read(self, target: str, start: int, length: int) -> BusWords:
        if target == "axis":
            return self._read_axis(length)
        if target == "host":
            raise UsageError(f"{self.name}: nothing can be read from the host on this platform.")
        self._check_field(start + 4 * (length - 1))
        read, reply, batch = (
            (Code.APB_READ, Code.APB_REPLY, PIECE_ENTRIES) if target == "apb" else (Code.TOP_READ, Code.TOP_REPLY, 1)
        )
        addresses = start + 4 * np.arange(length)
        found = [
            self._exchange(read, reply, addresses[first : first + batch], f"the {target} read")
            for first in range(0, length, batch)
        ]
        return np.concatenate(found)

    def _exchange(self, read: Code, reply: Code, addresses: np.ndarray, what: str) -> BusWords:
        """As many answers as requests, for one batch."""
        where = f"{what} of {len(addresses)} words from {int(addresses[0]):#x}"
        self._send(entries(read, addresses, 0), where)
        deadline = time.monotonic() + self.timeouts.io
        while len(self._received) < ENTRY_BYTES * len(addresses):
            self._receive(where, ENTRY_BYTES * len(addresses), deadline)
        table = self._take(len(addresses))
        self._check_codes(table, reply, where, 0)
        words: BusWords = table[:, 1].copy()
        if reply == Code.TOP_REPLY:
            self._check_stamp(words, int(fields_of(table)[0]), None, where)
        return words

    def _read_axis(self, length: int) -> BusWords:
        where = f"the axis read of {length // 2} 64-bit words"
        self._check_field(length // 2)
        self._send(entries(Code.AXIS_READ, [length // 2], 0), where)
        deadline = time.monotonic() + self.timeouts.io
        found: list[BusWords] = []
        count = 0
        while True:
            table = self._take(len(self._received) // ENTRY_BYTES)
            ends = np.flatnonzero(codes_of(table) == Code.AXIS_END)
            data = table[: ends[0]] if len(ends) else table
            self._check_codes(data, Code.AXIS_DATA, where, count)
            found.append(data[:, 1])
            count += len(data)
            if count > length:
                raise DeviceError(f"{self.name}: {where}: expected {length} data entries, got more.")
            if len(ends):
                break
            self._receive(where, ENTRY_BYTES * (length + 1), deadline, ENTRY_BYTES * count)
        end = int(ends[0])
        self._check_end(table, end, where)
        if count not in (0, length):
            raise DeviceError(
                f"{self.name}: {where}: expected {length} data entries before the end marker, got {count}."
            )
        words = np.concatenate(found)
        self._check_stamp(words, int(fields_of(table)[end]), int(table[end, 1]), where)
        return words

    def _check_stamp(self, words: BusWords, field: int, received: int | None, where: str) -> None:
        damage = self._stamps.damage(field, words, received)
        if damage:
            raise DeviceError(f"{self.name}: {where}: expected matching checksums, but {damage}; the link is damaged.")

    def _check_end(self, table: Entries, end: int, where: str) -> None:
        extra = ENTRY_BYTES * (len(table) - end - 1) + len(self._received)
        if extra:
            raise DeviceError(f"{self.name}: {where}: expected nothing after the end marker, got {extra} bytes.")

    def _check_codes(self, table: Entries, code: Code, where: str, before: int) -> None:
        wrong = np.flatnonzero(codes_of(table) != code)
        if len(wrong):
            got = code_name(int(codes_of(table)[wrong[0]]))
            raise DeviceError(
                f"{self.name}: {where}: expected code {code_name(code)} in entry {before + int(wrong[0])} of the "
                f"answer, got code {got}."
            )

    def _check_field(self, value: int) -> None:
        if value >= MAX_ADDRESS:
            raise UsageError(f"{self.name}: an address must be below {MAX_ADDRESS:#x}, not {value:#x}.")

    def _check_quiet(self, where: str) -> None:
        """Unsolicited bytes would be taken for the answer to the next request."""
        link = self._link()
        link.settimeout(0)
        try:
            data = link.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise LinkLostError(f"{self.name}: before {where}: the link is lost: {_reason(error)}.") from None
        if sentence_of(data):
            raise self._sent_away(data)
        if not data:
            raise LinkLostError(f"{self.name}: before {where}: the board has closed the connection.")
        raise DeviceError(f"{self.name}: before {where}: expected no bytes from the board, got {len(data)}.")

    def _send(self, table: Entries, where: str) -> None:
        self._check_quiet(where)
        link, data = self._link(), memoryview(to_bytes(table))
        link.settimeout(self.timeouts.io)
        self._stamps.sent(data)
        try:
            for first in range(0, len(data), PIECE_BYTES):
                link.sendall(data[first : first + PIECE_BYTES])
        except TimeoutError:
            raise LinkLostError(f"{self.name}: {where}: the board took no data for {self.timeouts.io:g} s.") from None
        except OSError as error:
            if sentence_of(words := self._parting_words()):
                raise self._sent_away(words) from None
            raise LinkLostError(f"{self.name}: {where}: the link was lost while sending: {_reason(error)}.") from None

    def _parting_words(self) -> bytes:
        """What the board said before it closed the connection, if anything."""
        with contextlib.suppress(OSError):
            return self._link().recv(_CHUNK)
        return b""

    def _sent_away(self, words: bytes) -> DeviceError:
        """The error that the parting words of a board mean."""
        kind = BoardBusyError if words == IN_USE else DeviceError
        return kind(f"{self.name}: {sentence_of(words)}.")

    def _receive(self, where: str, wanted: int, deadline: float, before: int = 0) -> None:
        """Some more bytes into the buffer. ``wanted``, ``before``: bytes of the whole answer, and of it so far."""
        link = self._link()
        left = deadline - time.monotonic()
        data, reason = b"", f"no answer within {self.timeouts.io:g} s"
        try:
            if left > 0:
                link.settimeout(left)
                if _QUICK is not None:  # a board that sends small pieces waits for each to be acknowledged
                    link.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
                data = link.recv(_CHUNK)
                reason = "the board closed the connection"
        except TimeoutError:
            pass
        except OSError as error:
            reason = f"the link was lost ({_reason(error)})"
        if not data:
            if sentence_of(words := bytes(self._received)):
                raise self._sent_away(words)
            got = before + len(self._received)
            raise LinkLostError(f"{self.name}: {where}: {reason}; expected {wanted} bytes, got {got}.")
        self._received += data

    def _take(self, count: int) -> Entries:
        size = ENTRY_BYTES * count
        table = from_bytes(bytes(self._received[:size]))
        del self._received[:size]
        return table

    def _link(self) -> socket.socket:
        if self._socket is None:
            raise DeviceError(f"{self.name}: the link is not open.")
        return self._socket


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".")
