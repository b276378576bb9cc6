"""The board's side of a ZCU104 connection, without sockets: bytes in, bytes out.

Whatever comes in is answered, ignored or noted as a violation, with bounded memory: nothing is kept but an incomplete
entry and an incomplete message.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np

from femtodriver.arrays import BusWords, Int64Array
from femtodriver.device.virtual.link_faults import FaultStream
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.zcu104.checksums import stamp, stream_sum
from femtodriver.device.zcu104.entries import (
    ENTRY_BYTES,
    LAST,
    LAST_BUT_ONE,
    Code,
    Entries,
    code_name,
    codes_of,
    entries,
    fields_of,
    from_bytes,
    to_bytes,
)
from femtodriver.isa.limits import MAX_MESSAGE_WORDS

Fields = Int64Array

MOST_MESSAGE = 2 * (1 + MAX_MESSAGE_WORDS)
"""Bus words of the longest message that an instruction can take."""
HARD_RESET = 0
# Requests whose answers tell what was received up to each of them.
_STAMPED = (Code.AXIS_READ, Code.TOP_READ)


class Connection:
    """One client. ``closing``: the connection is to be closed once what ``feed`` returned is sent."""

    def __init__(self, board: VirtualBoard, faults: FaultStream | None = None) -> None:
        self._board = board
        self._faults = faults
        self._rest = b""
        self._message = _Message(board)
        self._received = 0
        self.closing = False
        self._handlers: Mapping[int, Callable[[Fields, BusWords], list[Entries]]] = {
            Code.APB_READ: self._apb_read,
            Code.APB_WRITE: self._apb_write,
            Code.AXIS_READ: self._axis_read,
            Code.AXIS_WRITE: self._axis_write,
            Code.TOP_READ: self._top_read,
            Code.TOP_WRITE: self._top_write,
            Code.HOST_READ: self._host_read,
            Code.HOST_WRITE: self._host_write,
        }

    def completes_an_entry(self, data: bytes) -> bool:
        """Whether at least one entry is whole with these bytes."""
        return len(self._rest) + len(data) >= ENTRY_BYTES

    def feed(self, data: bytes) -> bytes:
        """The answer to these bytes and what was left of earlier ones."""
        data = self._rest + data
        whole = len(data) // ENTRY_BYTES * ENTRY_BYTES
        self._rest = data[whole:]
        table = from_bytes(data[:whole])
        if self._faults is not None:
            table = self._faults.incoming(table)
        answer = self._answer(table)
        if self._faults is not None:
            answer = self._faults.outgoing(answer)
        reply = to_bytes(answer)
        if self._faults is not None:
            reply = self._faults.limited(reply)
            # Whatever ends a connection ends this one only.
            self.closing, self._faults.closing = self._faults.closing, False
        return reply

    def end(self) -> None:
        """The client has gone; what it left unfinished is noted."""
        if self._rest:
            self._board.note("protocol", f"the connection ended in the middle of an entry ({len(self._rest)} bytes)")
        if self._message.pending:
            self._board.note("protocol", "the connection ended in the middle of a message")
        self._rest = b""
        self._message.clear()

    def _answer(self, table: Entries) -> Entries:
        codes, fields, words = codes_of(table), fields_of(table), table[:, 1]
        replies: list[Entries] = []
        for first, end in _runs(codes):
            if codes[first] not in _STAMPED:
                self._received = stream_sum(to_bytes(table[first:end]), self._received)
            handler = self._handlers.get(int(codes[first]))
            if handler is None:
                self._board.note(
                    "protocol", f"code {code_name(int(codes[first]))}: must be a request ({end - first} entries)"
                )
                continue
            replies += handler(fields[first:end], words[first:end])
        return np.concatenate(replies) if replies else np.zeros((0, 2), np.uint32)

    def _apb_read(self, fields: Fields, words: BusWords) -> list[Entries]:
        replies = []
        for first, end in _bursts(fields):
            found = self._board.apb_read(int(fields[first]), end - first)
            replies.append(entries(Code.APB_REPLY, fields[first:end], found))
        return replies

    def _apb_write(self, fields: Fields, words: BusWords) -> list[Entries]:
        for first, end in _bursts(fields):
            self._board.apb_write(int(fields[first]), words[first:end])
        return []

    def _axis_read(self, fields: Fields, words: BusWords) -> list[Entries]:
        replies = []
        for count, request in zip(fields.tolist(), entries(Code.AXIS_READ, fields, words), strict=True):
            self._received = stream_sum(to_bytes(request), self._received)
            found = self._board.outbox.take(count)
            if found is None:
                found = np.zeros(0, np.uint32)
            replies.append(entries(Code.AXIS_DATA, np.zeros(len(found)), found))
            replies.append(entries(Code.AXIS_END, [stamp(found, self._received)], self._received))
        return replies

    def _axis_write(self, fields: Fields, words: BusWords) -> list[Entries]:
        self._message.add(fields, words)
        return []

    def _top_read(self, fields: Fields, words: BusWords) -> list[Entries]:
        replies = []
        for address, request in zip(fields.tolist(), entries(Code.TOP_READ, fields, words), strict=True):
            self._received = stream_sum(to_bytes(request), self._received)
            found = np.array([self._board.top_read(address)], np.uint32)
            replies.append(entries(Code.TOP_REPLY, [stamp(found, self._received)], found))
        return replies

    def _top_write(self, fields: Fields, words: BusWords) -> list[Entries]:
        for address, value in zip(fields.tolist(), words.tolist(), strict=True):
            self._board.top_write(address, value)
        return []

    def _host_read(self, fields: Fields, words: BusWords) -> list[Entries]:
        return [entries(Code.HOST_REPLY, fields, 0)]

    def _host_write(self, fields: Fields, words: BusWords) -> list[Entries]:
        for address in fields.tolist():
            if address == HARD_RESET:
                self._board.hard_reset()
                self._message.clear()
            else:
                self._board.note("protocol", f"host write: must be a hard reset (address 0), not {address:#x}")
        return []


class _Message:
    """Puts messages together from their words; the address fields mark the last two."""

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board
        self.clear()

    @property
    def pending(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._count > 0

    def clear(self) -> None:
        """Forget what has begun."""
        self._parts: list[tuple[Fields, BusWords]] = []
        self._count = 0

    def add(self, fields: Fields, words: BusWords) -> None:
        """More words; the board gets every message that is complete."""
        first = 0
        for last in np.flatnonzero(fields == LAST).tolist():
            self._keep(fields[first : last + 1], words[first : last + 1])
            self._finish()
            first = last + 1
        self._keep(fields[first:], words[first:])

    def _keep(self, fields: Fields, words: BusWords) -> None:
        self._count += len(words)
        if self._count > MOST_MESSAGE:
            self._parts.clear()
        elif len(words):
            self._parts.append((fields, words))

    def _finish(self) -> None:
        parts, count = self._parts, self._count
        self.clear()
        if count > MOST_MESSAGE:
            self._board.note("message", f"must have at most {MOST_MESSAGE} words, not {count}")
            return
        fields = np.concatenate([part for part, _ in parts])
        if count < 2 or count % 2 or fields[-2] != LAST_BUT_ONE or fields[:-2].any():
            self._board.note(
                "message",
                f"the address fields of its {count} words must be 0, ..., 0, {LAST_BUT_ONE}, {LAST}; it is dropped",
            )
            return
        self._board.message(np.concatenate([part for _, part in parts]))


def _runs(codes: Fields) -> list[tuple[int, int]]:
    """First and end index of every run of equal codes."""
    return _cut(np.flatnonzero(np.diff(codes)) + 1, len(codes))


def _bursts(fields: Fields) -> list[tuple[int, int]]:
    """First and end index of every run of addresses that go up by 4."""
    return _cut(np.flatnonzero(np.diff(fields) != 4) + 1, len(fields))


def _cut(places: Fields, count: int) -> list[tuple[int, int]]:
    edges = [0, *places.tolist(), count]
    return [(first, end) for first, end in itertools.pairwise(edges) if end > first]
