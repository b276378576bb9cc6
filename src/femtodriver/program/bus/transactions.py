"""Transfers between a host and a board, as records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from femtodriver.errors import ProgramError

SPACES = ("apb", "axis", "spu_top", "host")
_U32 = 1 << 32


@dataclass(frozen=True)
class Transaction:
    """One transfer. ``end_addr`` is exclusive (equal to the start for axis, start + 1 for host); addresses in bytes.

    ``length`` counts 32-bit words; ``vals`` holds the words written or received. ``vals`` of a read whose
    answer is not known is empty.
    """

    msgtype: str
    direction: str
    comment: str | None
    start_addr: int
    end_addr: int
    length: int
    vals: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_transaction(self, "transaction")


def write_to(msgtype: str, start: int, vals: npt.ArrayLike, comment: str | None = None) -> Transaction:
    """A write of 32-bit words; the end address follows from the space."""
    words = tuple(np.asarray(vals, dtype=np.uint64).ravel().tolist())
    return Transaction(msgtype, "w", comment, start, end_address(msgtype, start, len(words)), len(words), words)


def read_from(msgtype: str, start: int, length: int, comment: str | None = None) -> Transaction:
    """A read of ``length`` 32-bit words whose answer is not known yet."""
    return Transaction(msgtype, "r", comment, start, end_address(msgtype, start, length), length)


def end_address(msgtype: str, start: int, length: int) -> int:
    """Exclusive end address of a transfer of ``length`` 32-bit words."""
    if msgtype == "axis":
        return start
    return start + 1 if msgtype == "host" else start + 4 * length


def check_transaction(record: Transaction, where: str) -> None:
    """ProgramError when a field is out of range or the fields contradict each other."""
    if record.msgtype not in SPACES:
        raise ProgramError(f"{where}: msgtype must be one of {', '.join(SPACES)}, not {record.msgtype!r}.")
    if record.direction not in ("w", "r"):
        raise ProgramError(f"{where}: direction must be w or r, not {record.direction!r}.")
    if record.start_addr < 0 or not 0 <= record.end_addr <= _U32 or not 0 <= record.length < _U32:
        raise ProgramError(f"{where}: addresses and length must be in 0...2^32-1.")
    wanted = end_address(record.msgtype, record.start_addr, record.length)
    if record.end_addr != wanted:
        raise ProgramError(f"{where}: end_addr must be {wanted}, not {record.end_addr}.")
    if len(record.vals) != record.length and (record.vals or record.direction == "w"):
        raise ProgramError(f"{where}: vals must hold {record.length} words, as length says, not {len(record.vals)}.")
    if record.vals and not 0 <= min(record.vals) <= max(record.vals) < _U32:
        raise ProgramError(f"{where}: vals must be in 0...2^32-1.")
