"""Serving the virtual board until Ctrl-C, and listing the boards that are there."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from femtodriver.options.board_requests import BoardRequest
from femtodriver.options.option import given_options
from femtodriver.options.value_kinds import native_or_not

if TYPE_CHECKING:
    from femtodriver.device.virtual.link_faults import Faults


def serve_board(request: BoardRequest) -> int:
    """Serve until Ctrl-C or SIGTERM; gives the exit status."""
    from femtodriver.device.virtual.deciphering import decipherer
    from femtodriver.device.virtual.serve import serve
    from femtodriver.model.model_encryption import load_keyring
    from femtodriver.native.choose_machine import machine_text
    from femtodriver.part import load_part
    from femtodriver.program.bus.recorded_program import read_program

    part, faults = load_part(os.fspath(request.hw_config)), _faults(request)
    keyring = load_keyring(request.keyring)
    preload = None if request.replay is None else read_program(request.replay)
    keys, machine = _keys(keyring.indexes if keyring else ()), machine_text(native_or_not(request.machine))
    _print(f"virtual board: {part.name}, {part.cores} cores, {keys}, {machine}")
    if faults is not None:
        _print(f"faults: {faults}")
    if preload is not None:
        _print(f"replay: {sum(record.length for record in preload)} words of {request.replay}")

    def ready(address: str) -> None:
        hardware, what = ("zynq", "ZCU104") if request.listen else ("redis", "redis")
        _print(f"serving the {what} protocol at {address} (--hardware {hardware} --address {address}); Ctrl-C ends")

    with _stop_on_signals() as stop:
        serve(
            request.listen,
            request.redis,
            part,
            faults=faults,
            decipher=decipherer(keyring),
            preload=preload,
            tell=_print,
            ready=ready,
            stop=stop,
            native=native_or_not(request.machine),
        )
    _print("stopped")
    return 0


def _faults(request: BoardRequest) -> Faults | None:
    """The faults that are asked for; None for none. UsageError for numbers out of range."""
    rows = [option for option in given_options(request) if option.group == BoardRequest.faults]
    given = {option.name: getattr(request, option.name) for option in rows}
    if not set(given) - {"seed", "delay_s"}:
        return None
    from femtodriver.device.virtual.link_faults import Faults

    return Faults(**given)


def _keys(indexes: tuple[int, ...]) -> str:
    return f"keys {', '.join(map(str, indexes))}" if indexes else "no keys"


def _print(line: str) -> None:
    print(line)
    sys.stdout.flush()


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; a second Ctrl-C does what it always does."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are not ours to take
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in before:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
