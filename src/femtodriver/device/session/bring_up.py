"""Waking a board up: hard reset, PLL, clocks, core reset; and switching memories on and off."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from femtodriver.device.boards import Pause, Platform
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.bus.load_sequence import PLL_MULTIPLIER
from femtodriver.program.memory_map import (
    POWER_SEQUENCES,
    POWER_VALUES,
    SYSTEM_REGISTERS,
    TOP_REGISTERS,
    power_register,
)
from femtodriver.program.metadata import ProgramInfo

CLOCK_GATE_OPEN = 0x40
VERSION = 0x13
# Which of the four changes is possible in which state, and what it leads to.
POWER_STATES: Mapping[str, Mapping[str, str]] = {
    "on": {"on": "on", "off": "off", "sleep": "asleep"},
    "asleep": {"wake": "on"},
    "off": {"on": "on", "off": "off"},
}


def bring_up(recorder: Recorder, platform: Platform, program_pll: bool) -> None:
    """From any state to clocked cores out of reset, memories off. DeviceError when the PLL does not lock."""
    for address, value, pause in platform.reset:
        recorder.write("host", address, [value], "hard reset")
        _settle(recorder, pause)
    if platform.pad_conf is not None:
        _top(recorder, "PAD_CONF", platform.pad_conf)
    if program_pll:
        multiplier = platform.multiplier or PLL_MULTIPLIER
        for name, value in (
            ("PLL_BWADJ", multiplier // 2 - 1),
            ("PLL_CLKOD", 0),
            ("PLL_CLKF", multiplier - 1),
            ("PLL_CLKR", 0),
            ("PLL_CONF", 0x01),
            ("PLL_CONF", 0x00),
        ):
            _top(recorder, name, value)
        _settle(recorder, platform.pll)
        _wait_for_lock(recorder, platform)
    _top(recorder, "PLL_CONF", CLOCK_GATE_OPEN, "open clock gate")
    for value in platform.spi_conf:
        _top(recorder, "SPI_CONF", value, "hold cores in reset" if value else "release cores")


def check_version(recorder: Recorder) -> None:
    """DeviceError when VERSION is not that of the part."""
    found = int(recorder.read("apb", SYSTEM_REGISTERS["VERSION"], 1, "VERSION")[0])
    if found != VERSION:
        raise DeviceError(
            f"{recorder.transport.name}: VERSION must read {VERSION:#04x} (SPU-001), not {found:#x}. "
            "Check that the board carries this part and that its clock runs."
        )


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


def _wait_for_lock(recorder: Recorder, platform: Platform) -> None:
    transport = recorder.transport
    deadline = time.monotonic() + transport.timeouts.lock
    while True:
        _settle(recorder, platform.lock_poll)
        lock = int(recorder.read("spu_top", TOP_REGISTERS["PLL_LOCK"], 1, "PLL_LOCK")[0])
        if lock & platform.lock_bits or transport.ready_always:
            return
        if time.monotonic() > deadline:
            raise DeviceError(
                f"{transport.name}: PLL_LOCK stayed {lock:#x} for {transport.timeouts.lock:g} s; the reference clock "
                "may be missing. A board without a PLL (FPGA) is the hardware fpgazynq."
            )
        transport.wait(0, 1e-3)


def _top(recorder: Recorder, name: str, value: int, comment: str | None = None) -> None:
    recorder.write("spu_top", TOP_REGISTERS[name], [value], comment or name)


def _settle(recorder: Recorder, pause: Pause) -> None:
    recorder.transport.settle(pause.cycles, pause.seconds)
