"""Registers and memories by name: where they lie on the bus, and how wide they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from femtodriver.errors import FemtoError, UsageError
from femtodriver.program.memory_map import (
    DM_BANK_WORDS,
    OPEN_SPU,
    POWER_REGISTERS,
    SYSTEM_REGISTERS,
    TM_BANK_WORDS,
    TOP_REGISTERS,
    head_tail_register,
    power_register,
)

ROUTER = "RTR"
HEAD_TAIL = "HEAD_TAIL_REG"
Target = str | tuple[int, str, int]
_BANKED = {"DM": DM_BANK_WORDS, "TM": TM_BANK_WORDS}


@dataclass(frozen=True)
class BusPlace:
    """``count`` words of the target ``space`` from ``address`` on; ``wide``: of 64 bits, so two bus words each."""

    space: str
    address: int
    count: int
    wide: bool


def places(target: Target, count: int) -> tuple[BusPlace, ...]:
    """Where ``count`` words of a target lie, in pieces that stay inside one bank.

    A target is a register's name, "RTR" (the message router), or (core, name, offset) with the name of a power
    register, "HEAD_TAIL_REG", a bank ("DM0", "SB") or a whole memory ("DM", "TM"); the offset counts words.
    UsageError for any other target, or one that has not so many words.
    """
    if count < 1:
        raise UsageError(f"{target!r}: the number of words must be at least 1, not {count}.")
    if isinstance(target, str):
        return (_register(target, count),)
    if not _is_memory(target):
        raise UsageError(f"target: must be a register's name or (core, name, offset), not {target!r}.")
    core, name, offset = target
    if not 0 <= core < OPEN_SPU.cores or offset < 0:
        raise UsageError(f"target: core must be in 0...{OPEN_SPU.cores - 1} and offset from 0, not {target!r}.")
    if name in POWER_REGISTERS:
        memory, index = name[:2], name.removeprefix(name[:2] + "_CONF")
        return (_fitting(target, BusPlace("apb", power_register(core, memory + index) + 4 * offset, count, False), 1),)
    if name == HEAD_TAIL:
        return (_fitting(target, BusPlace("apb", head_tail_register(core) + 8 * offset, count, True), 1),)
    return tuple(_memory(core, name, offset, count))


def _register(name: str, count: int) -> BusPlace:
    if name == ROUTER:
        return BusPlace("axis", 0, count, True)
    for space, registers in (("apb", SYSTEM_REGISTERS), ("spu_top", TOP_REGISTERS)):
        if name in registers:
            return _fitting(name, BusPlace(space, registers[name], count, False), 1)
    known = ", ".join((*SYSTEM_REGISTERS, *TOP_REGISTERS, ROUTER))
    raise UsageError(f"target: a register must be one of {known}, not {name!r}.")


def _fitting(target: Target, place: BusPlace, most: int) -> BusPlace:
    if place.count > most or (not isinstance(target, str) and target[2]):
        raise UsageError(f"{target!r}: a register is one word.")
    return place


def _is_memory(target: object) -> bool:
    """Whether it has the form (core, name, offset)."""
    if not isinstance(target, (tuple, list)) or len(target) != 3:
        return False
    return isinstance(target[1], str) and all(isinstance(target[at], (int, np.integer)) for at in (0, 2))


def _memory(core: int, name: str, offset: int, count: int) -> Iterator[BusPlace]:
    while count:
        bank, start = name, offset
        if name in _BANKED:
            index, start = divmod(offset, _BANKED[name])
            bank = f"{name}{index}"
        try:
            size = OPEN_SPU.bank(bank).size // 8
            base = OPEN_SPU.address(core, bank)
        except FemtoError as error:
            raise UsageError(f"target: {error}") from None
        here = min(count, size - start)
        if here < 1 or (here < count and name not in _BANKED):
            raise UsageError(f"core {core} {name}: has {size} words per bank, not {count} from {offset}.")
        yield BusPlace("apb", base + 8 * start, here, True)
        offset, count = offset + here, count - here
