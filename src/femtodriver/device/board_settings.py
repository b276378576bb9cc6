"""``BoardSettings``: everything that can be chosen about a board, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords
from femtodriver.device.boards import BOARDS, DEFAULT_HARDWARE, Board, board_of, no_address
from femtodriver.device.fake.made_up_words import reply_words
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.device.timeouts import Timeouts, is_seconds
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath
from femtodriver.program.bus.load_sequence import MAX_KEY_INDEX
from femtodriver.safe_text import shown

MOST_TRIES = 1000
_LARGEST_SALT = (1 << 64) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class BoardSettings:
    """Which board, and how it is used. Making one checks everything that can be known before a link is opened.

    ``hardware``: a row of ``BOARDS``. ``address``: ``HOST[:PORT]`` or a serial number, as the row says; None: what the
    row says of that. ``timeout``: seconds for every answer and for the outputs of a frame; ``timeouts``: the same one
    by one. ``settle_scale``: the share of the pauses for silicon that is slept; None: none of them at a loopback
    address. ``verify``: read the program back after loading; None: wherever a board is that can be read.
    ``reconnect``: how often in a row to try to go on after a cut link, at the frame at which it was cut
    (docs/devices.md); 0: never. ``reply_values``: what a fake answers, 32-bit words: a list for every read, or 2-D with
    a row for the outputs of each frame. ``encrypted``, ``key_index``, ``salt``: None for those of the program.
    ``debug_places``: what ``step`` reads besides the outputs, by name. ``records_dir``: folder for recordings, None:
    nothing is recorded; ``write_records`` False: ``reset`` writes no files there, but ``write_APB_files`` does.

    UsageError for a value that cannot be, or an address where the board cannot have any; InputError (a UsageError) for
    reply values that are no 32-bit words. That a board must have an address is checked by ``check_reachable``, and
    when the link is opened.
    """

    hardware: str = DEFAULT_HARDWARE
    address: str | None = None
    timeout: float | None = None
    timeouts: Timeouts | None = None
    settle_scale: float | None = None
    verify: bool | None = None
    reconnect: int = 0
    reply_values: npt.ArrayLike | None = None
    encrypted: bool | None = None
    key_index: int | None = None
    salt: int | None = None
    debug_places: Mapping[str, DataPlace] = field(default_factory=dict)
    records_dir: AnyPath | None = None
    write_records: bool = True

    def __post_init__(self) -> None:
        board = self.board
        _check_address(board, self.address)
        if self.timeout is not None and (not is_seconds(self.timeout) or self.timeout == 0):
            raise UsageError(f"timeout: must be a positive number of seconds, not {shown(self.timeout)}.")
        if self.settle_scale is not None and not is_seconds(self.settle_scale):
            raise UsageError(f"settle_scale: must be a number from 0, not {shown(self.settle_scale)}.")
        for name in ("verify", "encrypted"):
            if getattr(self, name) not in (None, True, False):
                raise UsageError(f"{name}: must be True, False or None, not {shown(getattr(self, name))}.")
        _check_whole("reconnect", self.reconnect, MOST_TRIES)
        _check_whole("key_index", self.key_index, MAX_KEY_INDEX)
        _check_whole("salt", self.salt, _LARGEST_SALT)
        if self.reply_values is not None:
            if not board.fake:
                raise UsageError(f"hardware {board.option}: reply values are for fake boards; this is a real one.")
            _ = self.reply_words
        wrong = [name for name, place in self.debug_places.items() if not isinstance(place, DataPlace)]
        if wrong:
            raise UsageError(f"debug places: must be DataPlace values, not {shown(wrong[0])}.")

    @property
    def board(self) -> Board:
        """The board's row."""
        return board_of(self.hardware)

    @property
    def reached_at(self) -> str | None:
        """The address, or the one that the board usually has."""
        usual = self.board.usual_address
        return usual() if self.address is None and usual is not None else self.address

    def check_reachable(self) -> None:
        """UsageError for a board that must have an address and was given none."""
        if self.board.usual_address is not None and self.reached_at is None:
            raise UsageError(no_address(self.hardware))

    @property
    def waits(self) -> Timeouts:
        """How long to wait for what."""
        waits = self.timeouts or self.board.platform.timeouts
        return waits if self.timeout is None else waits.limited(self.timeout)

    @property
    def reply_words(self) -> BusWords | None:
        """What a fake answers, as 32-bit words; None for its usual answers."""
        return None if self.reply_values is None else reply_words(self.reply_values)

    @property
    def verifies(self) -> bool:
        """Whether the program is read back after loading."""
        return not self.board.fake and self.verify is not False


def _check_address(board: Board, address: str | None) -> None:
    if address is not None and not isinstance(address, str):
        raise UsageError(f"address: must be a text, not {shown(address)}.")
    if address is not None and not board.address:
        real = ", ".join(name for name, row in BOARDS.items() if row.address and not row.fake)
        raise UsageError(
            f"hardware {board.option}: must not have an address ({shown(address)}), because nothing is there; choose a "
            f"board with --hardware ({real})."
        )


def _check_whole(name: str, value: object, most: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= most:
        raise UsageError(f"{name}: must be a whole number in 0...{most}, not {shown(value)}.")
