"""Does the board hold what was written? Read back a program, or patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from femtodriver.device.session.memory_power import switch_bank
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.errors import DeviceError, ProgramError, UsageError
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.memory_map import OPEN_SPU, Bank

PATTERNS = (0xAAAA_AAAA, 0x5555_5555)
_BURST_WORDS = 1024
_SWITCH = " A board whose memories cannot be read back needs verify=False (--no-verify)."


def verify_load(recorder: Recorder, records: Iterable[Transaction]) -> int:
    """Read back what a program has written to memories; the number of 32-bit words. Registers are left out.

    DeviceError for the first difference.
    """
    checked = 0
    for record in records:
        if record.msgtype == "apb" and _is_memory(record.start_addr):
            expected = np.array(record.vals, np.uint32)
            _compare(recorder, record.start_addr, expected, f"{record.comment or 'memory'} after loading", _SWITCH)
            checked += record.length
    return checked


def _is_memory(address: int) -> bool:
    try:
        OPEN_SPU.locate(address)
    except ProgramError:
        return False
    return True


def check_memories(recorder: Recorder, cores: Iterable[int], words: int) -> int:
    """Patterns into the first ``words`` 64-bit words of every memory bank of the cores, and back.

    All banks are switched on first; what they held is lost. Returns the number of 64-bit words checked. UsageError
    for a number below 1; DeviceError for the first word that differs.
    """
    if words < 1:
        raise UsageError(f"integrity check: the number of words must be at least 1, not {words}.")
    checked = 0
    for core in cores:
        for bank in OPEN_SPU.banks:
            checked += _check_bank(recorder, core, bank, words)
    return checked


def _check_bank(recorder: Recorder, core: int, bank: Bank, words: int) -> int:
    if bank.switched:
        switch_bank(recorder, core, bank.name, "on")
    count = min(words, bank.size // 8)
    for pattern in PATTERNS:
        for first, size in _bursts(2 * count):
            address = OPEN_SPU.address(core, bank.name) + 4 * first
            recorder.write("apb", address, np.full(size, pattern, np.uint32), f"core {core} {bank.name} pattern")
        for first, size in _bursts(2 * count):
            address = OPEN_SPU.address(core, bank.name) + 4 * first
            _compare(recorder, address, np.full(size, pattern, np.uint32), f"core {core} {bank.name} pattern")
    return count


def _bursts(words: int) -> Iterator[tuple[int, int]]:
    for first in range(0, words, _BURST_WORDS):
        yield first, min(_BURST_WORDS, words - first)


def _compare(recorder: Recorder, address: int, expected: np.ndarray, where: str, advice: str = "") -> None:
    found = recorder.read("apb", address, len(expected), f"{where}, read back")
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        at = int(wrong[0])
        raise DeviceError(
            f"{recorder.transport.name}: {where}: {len(wrong)} of {len(expected)} words differ; at "
            f"{address + 4 * at:#x} expected {int(expected[at]):#010x}, got {int(found[at]):#010x}.{advice}"
        )
