"""Serving the virtual board until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from femtodriver.device.addresses import ZYNQ_PORT, endpoint_text, is_loopback, parse_endpoint, redis_port
from femtodriver.device.chip_versions import chip_of_environment
from femtodriver.device.redis.simulator_side import RedisPeer
from femtodriver.device.virtual.link_faults import Faults
from femtodriver.device.virtual.program_engine import Decipher
from femtodriver.device.virtual.redis_side import NAME, RedisBoard
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import UsageError
from femtodriver.part import Part, load_part
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.memory_map import TOP_REGISTERS

Tell = Callable[[str], None]
_log = logging.getLogger(__name__)


def serve(
    listen: str | None = None,
    redis: str | None = None,
    part: Part | str | Path = "spu001",
    *,
    faults: Faults | None = None,
    decipher: Decipher | None = None,
    preload: Iterable[Transaction] | None = None,
    tell: Tell | None = None,
    ready: Tell | None = None,
    stop: threading.Event | None = None,
    native: bool | None = None,
) -> None:
    """Serve a virtual board: the ZCU104 protocol on ``listen`` (``HOST[:PORT]``), or the redis one on ``redis``.

    ``faults``: of the TCP link. ``decipher``: for encrypted programs; None: words are taken as they are. ``preload``:
    writes that load a program beforehand, as an evaluation board does from its SD card. ``tell`` gets a line for
    every violation and client, and a warning where other machines can reach the board; ``ready`` the address once
    clients can come. Ends when ``stop`` is set, or with KeyboardInterrupt. ``native``: see ``make_spu``.
    The board has the registers of the chip that ``FS_HW_CFG`` names.

    UnsupportedError if the native loop is insisted on and not there; UsageError for contradicting arguments, and an
    unknown chip; DeviceError for an address that cannot be used, or a lost redis server.
    """
    if (listen is None) == (redis is None):
        raise UsageError("board: must have either an address to listen on or a redis server, not both or none.")
    if redis is not None and faults is not None:
        raise UsageError("board: faults are for the TCP link; with redis they must be left out.")
    chip = chip_of_environment()
    board = VirtualBoard(part if isinstance(part, Part) else load_part(part), decipher, tell, native, chip)
    if preload is not None:
        preload_program(board, preload)
    stop = stop or threading.Event()
    if listen is not None:
        _serve_tcp(board, *parse_endpoint(listen, ZYNQ_PORT, "listen"), faults, tell, ready, stop)
    else:
        _serve_redis(board, *parse_endpoint(redis or "", redis_port(), "redis"), ready, stop)


def preload_program(board: VirtualBoard, records: Iterable[Transaction]) -> None:
    """Put a recorded program (``0PROG_*``) into a board whose clocks its own firmware has started."""
    board.hard_reset()
    board.top_write(TOP_REGISTERS["PLL_CONF"], 0x40)
    for record in records:
        if record.msgtype == "apb" and record.direction == "w":
            board.apb_write(record.start_addr, np.array(record.vals, np.uint32))


def _serve_tcp(
    board: VirtualBoard,
    host: str,
    port: int,
    faults: Faults | None,
    tell: Tell | None,
    ready: Tell | None,
    stop: threading.Event,
) -> None:
    server = BoardServer(board, host, port, faults, tell)
    try:
        if not is_loopback(server.address[0]):
            (tell or _log.warning)(
                f"warning: {server.endpoint} can be reached from other machines, and the protocol has no "
                "authentication: anyone who can reach it controls this board."
            )
        if ready is not None:
            ready(server.endpoint)
        server.serve(stop)
    finally:
        server.close()


def _serve_redis(board: VirtualBoard, host: str, port: int, ready: Tell | None, stop: threading.Event) -> None:
    def told() -> None:
        if ready is not None:
            ready(endpoint_text(host, port))

    RedisPeer(host, port, NAME, RedisBoard(board), board.note).serve(stop, told)
