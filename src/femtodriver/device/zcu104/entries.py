"""The 8-byte entries of the ZCU104 protocol, as arrays.

An entry is two little-endian 32-bit numbers: code (bits 31:28) with an address field (27:0), then data.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords, Int64Array

Entries = BusWords

ENTRY_BYTES = 8
PIECE_ENTRIES = 64
"""Entries of one send call, and of one batch of apb reads."""
MAX_ADDRESS = 1 << 28
LAST_BUT_ONE, LAST = 1, 5
"""Address fields of the last two words of an axis message; those of the others are 0."""


class Code(IntEnum):
    """What an entry is."""

    APB_READ = 0
    APB_WRITE = 1
    AXIS_READ = 2
    AXIS_WRITE = 3
    APB_REPLY = 4
    AXIS_DATA = 5
    AXIS_END = 6
    TOP_READ = 7
    TOP_WRITE = 8
    HOST_READ = 9
    HOST_WRITE = 10
    TOP_REPLY = 11
    HOST_REPLY = 12


def entries(code: Code, addresses: npt.ArrayLike, words: npt.ArrayLike) -> Entries:
    """Entries of one code, shape (n, 2), uint32; addresses below 2^28."""
    fields = np.asarray(addresses, dtype=np.uint32)
    found = np.empty((fields.size, 2), np.uint32)
    found[:, 0] = fields | np.uint32(code << 28)
    found[:, 1] = words
    return found


def axis_fields(length: int) -> BusWords:
    """Address fields of a message of ``length`` (at least 2) words."""
    fields = np.zeros(length, np.uint32)
    fields[-2:] = LAST_BUT_ONE, LAST
    return fields


def to_bytes(table: Entries) -> bytes:
    """The bytes of entries."""
    return table.astype("<u4").tobytes()


def from_bytes(data: bytes | bytearray | memoryview) -> Entries:
    """Entries of a whole number of them; shape (n, 2), uint32."""
    return np.frombuffer(data, dtype="<u4").astype(np.uint32).reshape(-1, 2)


def codes_of(table: Entries) -> Int64Array:
    """The codes, int64."""
    codes: Int64Array = (table[:, 0] >> np.uint32(28)).astype(np.int64)
    return codes


def fields_of(table: Entries) -> Int64Array:
    """The address fields, int64."""
    fields: Int64Array = (table[:, 0] & np.uint32(MAX_ADDRESS - 1)).astype(np.int64)
    return fields


def code_name(code: int) -> str:
    """A code in words, for messages."""
    known = {member.value: member.name.lower().replace("_", " ") for member in Code}
    return f"{code} ({known.get(code, 'unknown')})"
