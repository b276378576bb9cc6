"""The boards that we can talk to: one row per hardware option.

To add one, add a row to ``BOARDS``. A board with a protocol of its own needs a ``Platform`` too, and one file with the
function that the row names as its maker. Help texts and the table of docs/devices.md follow from the rows. This module
loads nothing heavy: the help text of the command line waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from femtodriver.device.addresses import lab_address
from femtodriver.device.timeouts import USUAL, Timeouts
from femtodriver.errors import UsageError

DEFAULT_HARDWARE = "fakezynq"


class UnknownPlatformError(UsageError, NotImplementedError):
    """A platform that no board has."""


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
    SPI_CONF. ``reference_hz``: of the oscillator, None where it is not known. ``lock_bits``: any of these in
    PLL_LOCK means locked. ``checks_version``: whether a reset reads VERSION.
    """

    name: str
    reset: tuple[tuple[int, int, Pause], ...]
    timeouts: Timeouts = USUAL
    pll: Pause = Pause(200, 0.5)
    lock_poll: Pause = Pause(4000, 0.05)
    after_inputs: Pause = Pause(1000, 0.1)
    between_polls: Pause = Pause(1000, 50e-6)
    pad_conf: int | None = None
    multiplier: int | None = None
    spi_conf: tuple[int, ...] = (0x800, 0)
    reference_hz: float | None = None
    lock_bits: int = 0xFFFF
    checks_version: bool = False

    @property
    def vco_hz(self) -> float | None:
        """Frequency that the PLL is set to; None where the oscillator is not known."""
        if self.multiplier is None or self.reference_hz is None:
            return None
        return self.multiplier * self.reference_hz


@dataclass(frozen=True)
class Board:
    """A hardware option.

    ``summary``: what it is. ``maker``: the function that makes the link, as ``module:function`` below
    ``femtodriver.device``; it takes a ``LinkRequest`` and gives a ``Transport``. ``program_pll``: whether a reset sets
    the PLL. ``fake``: nothing is computed, answers are made up. ``address``: what its address looks like, "" if it
    cannot have any. ``without``: what happens without an address. ``usual_address``: the one to take if none is given;
    the board is refused when there is none either; None: it can do without. ``needs``: what has to be installed.
    """

    option: str
    summary: str
    platform: Platform
    maker: str
    program_pll: bool = False
    fake: bool = False
    address: str = ""
    without: str = ""
    usual_address: Callable[[], str | None] | None = None
    needs: str = ""


_RESET_TIME = Pause(1000, 3.0)
_ZCU104 = Platform("zcu104", ((0, 0, _RESET_TIME),))
_REDIS = Platform("redis", ((1, 1, Pause(20, 0.0)), (1, 0, _RESET_TIME)), Timeouts(io=600, output=600, lock=60))
_EVK2 = Platform(
    "evk2",
    ((0, 0, Pause(1000, 0.1)),),
    pll=Pause(5000, 0.1),
    after_inputs=Pause(5000, 0.01),
    pad_conf=0xC48,
    multiplier=4578,
    reference_hz=32768,
    spi_conf=(0x800, 0x800, 0, 0, 0),
    lock_bits=1,
    checks_version=True,
)

_ZYNQ_ADDRESS, _ZYNQ_WITHOUT = "HOST[:PORT], port 7", "refused, unless FS_HWTS_ZYNQ is set: then that of the lab"
_REDIS_ADDRESS = "HOST[:PORT] of a redis server"
_REDIS_WITHOUT = "this user's server on port 6379 + uid mod 20, started if none answers there"
_REDIS_NEEDS = "extra redis, and redis-server unless one runs"

BOARDS: Mapping[str, Board] = {
    row.option: row
    for row in (
        Board(
            "zynq",
            "a ZCU104 over TCP, or the virtual board",
            _ZCU104,
            "zcu104.tcp_link:make_link",
            program_pll=True,
            address=_ZYNQ_ADDRESS,
            without=_ZYNQ_WITHOUT,
            usual_address=lab_address,
        ),
        Board(
            "fpgazynq",
            "a ZCU104 with the part in its FPGA, which has no PLL",
            _ZCU104,
            "zcu104.tcp_link:make_link",
            address=_ZYNQ_ADDRESS,
            without=_ZYNQ_WITHOUT,
            usual_address=lab_address,
        ),
        Board("fakezynq", "none: made-up answers", _ZCU104, "fake.fake_link:make_link", fake=True),
        Board(
            "redis",
            "an RTL simulator, or the virtual board, behind a redis server",
            _REDIS,
            "redis.redis_link:make_link",
            program_pll=True,
            address=_REDIS_ADDRESS,
            without=_REDIS_WITHOUT,
            needs=_REDIS_NEEDS,
        ),
        Board(
            "fakeredis",
            "none: made-up answers that go through a redis server",
            _REDIS,
            "redis.fake_redis_link:make_link",
            fake=True,
            address=_REDIS_ADDRESS,
            without=_REDIS_WITHOUT,
            needs=_REDIS_NEEDS,
        ),
        Board(
            "evk2",
            "an EVK2 evaluation board over USB HID",
            _EVK2,
            "evk2.usb_boards:make_link",
            program_pll=True,
            address="serial number",
            without="the first free board",
            needs="extra hid",
        ),
    )
}


def board_of(option: str) -> Board:
    """The row of a hardware option; UsageError for any other text."""
    if option not in BOARDS:
        raise UsageError(f"hardware: must be one of {', '.join(BOARDS)}, not {option!r:.60}.")
    return BOARDS[option]


def board_like(platform: str, fake: bool, program_pll: bool) -> Board:
    """The row that these facts describe, whether the PLL is programmed counting least.

    UsageError, also a NotImplementedError, for a platform that no board has; UsageError where it has no fake.
    """
    rows = [row for row in BOARDS.values() if row.platform.name == platform]
    if not rows:
        names = dict.fromkeys(row.platform.name for row in BOARDS.values())
        raise UnknownPlatformError(f"platform: must be one of {', '.join(names)}, not {platform!r:.60}.")
    rows = [row for row in rows if row.fake == fake]
    if not rows:
        names = dict.fromkeys(row.platform.name for row in BOARDS.values() if row.fake)
        raise UsageError(f"platform {platform}: has no fake board; {' and '.join(names)} have one.")
    return next((row for row in rows if row.program_pll == program_pll), rows[0])


def no_address(option: str) -> str:
    """The sentence about a board that must have an address and was given none."""
    return (
        f"hardware {option}: must have an address, and none was given. Say where the board is with --address "
        "HOST[:PORT] (in Python: address=); `femtodrive board --listen 127.0.0.1:7007` serves a virtual one."
    )


def hardware_help() -> str:
    """The help text of the option ``--hardware``."""
    real = ", ".join(name for name, row in BOARDS.items() if not row.fake)
    fake = " or ".join(name for name, row in BOARDS.items() if row.fake)
    return f"{real}; or {fake}, which make up their answers (default {DEFAULT_HARDWARE})"


def address_help() -> str:
    """The help text of the option ``--address``."""
    forms: dict[str, list[str]] = {}
    for name, row in BOARDS.items():
        if row.address:
            forms.setdefault(row.address, []).append(name)
    return "where the board is: " + "; ".join(f"{form} ({', '.join(names)})" for form, names in forms.items())


def timeout_help() -> str:
    """The help text of the option ``--timeout``."""
    usual = USUAL.io
    others = {row.platform.name: row.platform.timeouts.io for row in BOARDS.values()}
    texts = [f"{usual:g}", *(f"{name} {io:g}" for name, io in others.items() if io != usual)]
    return f"seconds to wait for each answer (default {'; '.join(texts)})"


def boards_table() -> str:
    """The table of docs/devices.md."""
    lines = [
        "| `hardware` | what it is | PLL is programmed | `address` | without an address | needs |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in BOARDS.items():
        pll = "yes" if row.program_pll else "no"
        cells = (f"`{name}`", row.summary, pll, row.address or "cannot have one", row.without, row.needs)
        lines.append("| " + " | ".join(cells).replace("|  |", "| |") + " |")
    return "\n".join(line.replace("|  |", "| |") for line in lines) + "\n"
