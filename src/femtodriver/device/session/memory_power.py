"""Switching memories on and off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.errors import UsageError
from femtodriver.program.memory_map import POWER_SEQUENCES, POWER_VALUES, power_register
from femtodriver.program.metadata import ProgramInfo

# Which of the four changes is possible in which state, and what it leads to.
POWER_STATES: Mapping[str, Mapping[str, str]] = {
    "on": {"on": "on", "off": "off", "sleep": "asleep"},
    "asleep": {"wake": "on"},
    "off": {"on": "on", "off": "off"},
}


def next_power_state(state: str, change: str) -> str:
    """The state after ``change`` ("on", "off", "sleep", "wake"); UsageError when it is not possible in ``state``."""
    if change not in POWER_SEQUENCES:
        raise UsageError(f"power state: must be one of {', '.join(POWER_SEQUENCES)}, not {change!r}.")
    if change not in POWER_STATES[state]:
        allowed = " or ".join(POWER_STATES[state])
        raise UsageError(f"power state: memories that are {state} can be switched to {allowed}, not {change!r}.")
    return POWER_STATES[state][change]


def switch_memories(recorder: Recorder, info: ProgramInfo, change: str) -> None:
    """Take the used memories of every core through the register writes of a change of power state."""
    for core, bank in switched_banks(info):
        switch_bank(recorder, core, bank, change)


def switch_bank(recorder: Recorder, core: int, bank: str, change: str) -> None:
    """Take one bank through the register writes of a change of power state."""
    for command in POWER_SEQUENCES[change]:
        register = f"{bank[:2]}_CONF{bank[2:]}"
        recorder.write(
            "apb", power_register(core, bank), [POWER_VALUES[command]], f"core {core} mem {register} to {command}"
        )


def switched_banks(info: ProgramInfo) -> Iterator[tuple[int, str]]:
    """(core, bank) of every used memory with a power register: IM, then data banks, then table banks, per core."""
    for core in range(len(info.inst_counts)):
        yield core, "IM"
        for memory, sizes in (("DM", info.data_bank_sizes), ("TM", info.table_bank_sizes)):
            yield from ((core, f"{memory}{bank}") for bank, words in sizes.get(core, {}).items() if words)
