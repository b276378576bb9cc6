"""What a link is made from, and the making of it by the board's row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from femtodriver.arrays import BusWords
from femtodriver.device.boards import Board, no_address
from femtodriver.device.timeouts import USUAL, Timeouts
from femtodriver.device.transport import Transport
from femtodriver.errors import UsageError

Outputs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkRequest:
    """What the maker of a link gets.

    ``address``: as the board's row says; None only where the row can do without. ``settle_scale``: share of the pauses
    for silicon that are slept; None: the link decides. ``encrypted``: whether the program is. ``reply_values``: the
    32-bit words that a fake answers; None: its usual ones. ``outputs``: (mailbox, payload in 64-bit words) of each
    output, by mailbox.
    """

    hardware: str
    address: str | None = None
    timeouts: Timeouts = USUAL
    settle_scale: float | None = None
    encrypted: bool = False
    reply_values: BusWords | None = None
    outputs: Outputs = ()


class UnreachableLink(Transport):
    """The link to a board without an address: opening it is a UsageError that says how to name the board."""

    def _open(self) -> None:
        raise UsageError(no_address(self.name))

    def _close(self) -> None:
        """Nothing is held."""

    def _write(self, target: str, start: int, words: BusWords) -> None:
        raise UsageError(no_address(self.name))

    def _read(self, target: str, start: int, length: int) -> BusWords:
        raise UsageError(no_address(self.name))


def make_link(board: Board, request: LinkRequest) -> Transport:
    """The link to a board; nothing is opened yet. UsageError for an address that the board cannot have."""
    if board.usual_address is not None and request.address is None:
        return UnreachableLink(request.hardware, request.timeouts)
    module, _, function = board.maker.partition(":")
    make = cast(Callable[[LinkRequest], Transport], getattr(import_module(f"{__package__}.{module}"), function))
    return make(request)
