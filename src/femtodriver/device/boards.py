"""The boards that we can talk to: one row per hardware option, one per platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.device.transport import Timeouts
from femtodriver.errors import UsageError


class UnknownPlatformError(UsageError, NotImplementedError):
    """A platform that has no row here."""


@dataclass(frozen=True)
class Pause:
    """Time for the board: clock cycles for simulators, seconds for silicon."""

    cycles: int
    seconds: float


@dataclass(frozen=True)
class Platform:
    """How a carrier board is reset and clocked.

    ``reset``: host writes (address, value) with the pause after each. ``pad_conf``: written before the PLL, if given.
    ``multiplier``: of the PLL; None for that of the program-load sequence (122). ``spi_conf``: the values written to
    SPI_CONF. ``lock_bits``: any of these in PLL_LOCK means locked. ``checks_version``: whether a reset reads VERSION.
    """

    name: str
    reset: tuple[tuple[int, int, Pause], ...]
    timeouts: Timeouts
    pll: Pause = Pause(200, 0.5)
    lock_poll: Pause = Pause(4000, 0.05)
    after_inputs: Pause = Pause(1000, 0.1)
    between_polls: Pause = Pause(1000, 50e-6)
    pad_conf: int | None = None
    multiplier: int | None = None
    spi_conf: tuple[int, ...] = (0x800, 0)
    lock_bits: int = 0xFFFF
    checks_version: bool = False


@dataclass(frozen=True)
class Board:
    """A hardware option. ``fake``: nothing is computed. ``address``: what the option's address is, for messages."""

    option: str
    platform: str
    program_pll: bool
    fake: bool
    address: str


_RESET_TIME = Pause(1000, 3.0)

PLATFORMS: Mapping[str, Platform] = {
    row.name: row
    for row in (
        Platform("zcu104", ((0, 0, _RESET_TIME),), Timeouts()),
        Platform("redis", ((1, 1, Pause(20, 0.0)), (1, 0, _RESET_TIME)), Timeouts(io=600, output=600, lock=60)),
        Platform(
            "evk2",
            ((0, 0, Pause(1000, 0.1)),),
            Timeouts(),
            pll=Pause(5000, 0.1),
            after_inputs=Pause(5000, 0.01),
            pad_conf=0xC48,
            multiplier=4578,
            spi_conf=(0x800, 0x800, 0, 0, 0),
            lock_bits=1,
            checks_version=True,
        ),
    )
}

BOARDS: Mapping[str, Board] = {
    row.option: row
    for row in (
        Board("zynq", "zcu104", True, False, "HOST[:PORT]"),
        Board("fpgazynq", "zcu104", False, False, "HOST[:PORT]"),
        Board("fakezynq", "zcu104", False, True, "none"),
        Board("redis", "redis", True, False, "HOST[:PORT] of a redis server"),
        Board("fakeredis", "redis", False, True, "HOST[:PORT] of a redis server"),
        Board("evk2", "evk2", True, False, "serial number"),
    )
}


def board_of(option: str) -> Board:
    """The row of a hardware option; UsageError for any other text."""
    if option not in BOARDS:
        raise UsageError(f"hardware: must be one of {', '.join(BOARDS)}, not {option!r}.")
    return BOARDS[option]


def platform_of(name: str) -> Platform:
    """The row of a platform; UsageError (also a NotImplementedError) for any other text."""
    if name not in PLATFORMS:
        raise UnknownPlatformError(f"platform: must be one of {', '.join(PLATFORMS)}, not {name!r}.")
    return PLATFORMS[name]
