"""A runner for a hardware option."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from femtodriver.device.boards import board_of, platform_of
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.device.spu_runner import SPURunner
from femtodriver.device.transport import Timeouts
from femtodriver.errors import UsageError
from femtodriver.program.compiled_data import CompiledData

MOST_SECONDS = 1e6


def make_runner(
    data: CompiledData,
    hardware: str,
    *,
    address: str | None = None,
    timeout: float | None = None,
    timeouts: Timeouts | None = None,
    recording_dir: str | os.PathLike[str] | None = None,
    encrypted: bool | None = None,
    key_index: int | None = None,
    salt: int | None = None,
    fake_values: npt.ArrayLike | None = None,
    debug_places: Mapping[str, DataPlace] | None = None,
    settle_scale: float | None = None,
    verify: bool = False,
) -> SPURunner:
    """A runner of the program on the hardware of that option ("zynq", "fpgazynq", "fakezynq", "redis", ...).

    ``address``: ``HOST[:PORT]`` or a serial number; None: the usual one. ``timeout``: seconds for every answer and for
    the outputs of a frame; ``timeouts`` sets them one by one. ``recording_dir``: folder for recordings, None for none.
    ``encrypted``, ``key_index``, ``salt`` None: those of the program. ``fake_values``: what fakes answer, 32-bit words.
    ``debug_places``: what ``step`` reads besides the outputs. ``settle_scale``: share of the pauses for silicon that
    are slept; None: none of them at a loopback address. ``verify``: read the program back after loading.

    UsageError for an unknown option or an address that it cannot have; ProgramError for a damaged program.
    """
    options = runner_options(hardware, address=address, timeout=timeout, timeouts=timeouts)
    runner = SPURunner(
        data,
        debug_vars=debug_places or {},
        fake_hw_recv_vals=fake_values,
        encrypt=encrypted,
        encryption_key_idx=key_index,
        salt=salt,
        io_records_dir=recording_dir,
        settle_scale=settle_scale,
        verify=verify,
        **options,
    )
    runner.name = hardware
    return runner


def runner_options(
    hardware: str, *, address: str | None = None, timeout: float | None = None, timeouts: Timeouts | None = None
) -> dict[str, Any]:
    """The arguments of ``SPURunner`` that follow from a hardware option; see ``make_runner``."""
    board = board_of(hardware)
    if timeouts is None:
        timeouts = platform_of(board.platform).timeouts
    if timeout is not None:
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < MOST_SECONDS:
            raise UsageError(f"timeout: must be a positive number of seconds, not {timeout!r}.")
        timeouts = Timeouts(min(timeout, timeouts.connect), timeout, timeout, min(timeout, timeouts.lock))
    return {
        "platform": board.platform,
        "fake_connection": board.fake,
        "program_pll": board.program_pll,
        "hardware_address": address,
        "timeouts": timeouts,
    }
