"""A transport for a row of the board table."""

from __future__ import annotations

import numpy.typing as npt

from femtodriver.device.addresses import ZYNQ_PORT, parse_endpoint, redis_port, zynq_host
from femtodriver.device.boards import Board
from femtodriver.device.fake.fake_link import FakeLink, FakeRedisLink, FakeWords, Layout
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.device.transport import Timeouts, Transport
from femtodriver.device.zcu104.tcp_link import TcpLink
from femtodriver.errors import UsageError


def make_link(
    board: Board,
    address: str | None,
    timeouts: Timeouts,
    *,
    encrypted: bool = False,
    fake_values: npt.ArrayLike | None = None,
    layout: Layout = (),
    settle_scale: float | None = None,
) -> Transport:
    """The link to a board; nothing is opened yet.

    ``address``: what the board's row says, None for the usual one. ``encrypted``: told to a redis client side.
    ``fake_values``, ``layout``: see ``FakeWords``. ``settle_scale``: see ``TcpLink``. UsageError for an address that
    the board cannot have; InputError for fake values that are no 32-bit words.
    """
    if fake_values is not None and not board.fake:
        raise UsageError(f"hardware {board.option}: values for a fake board are of no use on a real one.")
    if settle_scale is not None and not 0 <= settle_scale < 1e6:
        raise UsageError(f"hardware {board.option}: the scale of pauses must be a number from 0, not {settle_scale!r}.")
    if board.platform == "redis":
        server = None if address is None else parse_endpoint(address, redis_port(), "hardware address")
        if board.fake:
            return FakeRedisLink(server, FakeWords(fake_values, layout), timeouts, encrypted)
        return RedisLink(server, timeouts, encrypted)
    if board.fake:
        return FakeLink(FakeWords(fake_values, layout), timeouts)
    if board.platform == "evk2":
        from femtodriver.device.evk2.hid_link import EvkLink
        from femtodriver.device.evk2.usb_boards import EvkOpener

        return EvkLink(EvkOpener(address), timeouts)
    host, port = parse_endpoint(zynq_host() if address is None else address, ZYNQ_PORT, "zynq host")
    return TcpLink(host, port, timeouts, settle_scale)
