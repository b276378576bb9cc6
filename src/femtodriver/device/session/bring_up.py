"""Waking a board up: hard reset, PLL, clocks, core reset."""

from __future__ import annotations

import time

from femtodriver.device.boards import Pause, Platform
from femtodriver.device.chip_versions import ChipVersion, other_chip
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.errors import DeviceError
from femtodriver.program.bus.load_sequence import PLL_MULTIPLIER
from femtodriver.program.memory_map import (
    SYSTEM_REGISTERS,
    TOP_REGISTERS,
)

CLOCK_GATE_OPEN = 0x40


def bring_up(recorder: Recorder, platform: Platform, program_pll: bool, chip: ChipVersion) -> None:
    """From any state to clocked cores out of reset, memories off. DeviceError when the PLL does not lock."""
    for address, value, pause in platform.reset:
        recorder.write("host", address, [value], "hard reset")
        _settle(recorder, pause)
    if platform.pad_conf is not None:
        _top(recorder, "PAD_CONF", platform.pad_conf)
    if program_pll:
        multiplier, shift = platform.multiplier or PLL_MULTIPLIER, chip.divider_shift
        for name, value in (
            ("PLL_BWADJ", multiplier // 2 - 1 << shift),
            ("PLL_CLKOD", 0),
            ("PLL_CLKF", multiplier - 1 << shift),
            ("PLL_CLKR", 0),
            ("PLL_CONF", 0x01),
            ("PLL_CONF", 0x00),
        ):
            _top(recorder, name, value)
        _settle(recorder, platform.pll)
        _wait_for_lock(recorder, platform)
    if not chip.has_gates:
        return
    _top(recorder, "PLL_CONF", CLOCK_GATE_OPEN, "open clock gate")
    for value in platform.spi_conf:
        _top(recorder, "SPI_CONF", value, "hold cores in reset" if value else "release cores")


def check_version(recorder: Recorder, chip: ChipVersion) -> None:
    """DeviceError when VERSION is not that of the part."""
    found = int(recorder.read("apb", SYSTEM_REGISTERS["VERSION"], 1, "VERSION")[0])
    if found != chip.version:
        advice = other_chip(found) or "Check that the board carries this part and that its clock runs."
        raise DeviceError(
            f"{recorder.transport.name}: VERSION must read {chip.version:#04x} (SPU-001, hardware {chip.name}), not "
            f"{found:#x}. {advice}"
        )


def _wait_for_lock(recorder: Recorder, platform: Platform) -> None:
    transport = recorder.transport
    deadline = time.monotonic() + transport.timeouts.lock
    while True:
        _settle(recorder, platform.lock_poll)
        lock = int(recorder.read("spu_top", TOP_REGISTERS["PLL_LOCK"], 1, "PLL_LOCK")[0])
        if lock & platform.lock_bits or transport.is_fake:
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
