"""Boards: links to them, programs on them, and a virtual one.

``SPURunner`` runs a program on the board that ``BoardSettings`` describes, ``serve`` runs the virtual board,
``list_boards`` finds boards on USB.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from femtodriver.device.board_settings import BoardSettings as BoardSettings
    from femtodriver.device.boards import BOARDS as BOARDS
    from femtodriver.device.evk2.usb_boards import list_boards as list_boards
    from femtodriver.device.session.debug_values import DataPlace as DataPlace
    from femtodriver.device.spu_runner import FakeSPURunner as FakeSPURunner
    from femtodriver.device.spu_runner import SPURunner as SPURunner
    from femtodriver.device.spu_runner import make_runner as make_runner
    from femtodriver.device.timeouts import Timeouts as Timeouts
    from femtodriver.device.virtual.link_faults import Faults as Faults
    from femtodriver.device.virtual.serve import serve as serve

# Imported when first used: who talks to a board needs no machine, who serves one needs no runner.
_HOMES = {
    "BOARDS": "femtodriver.device.boards",
    "BoardSettings": "femtodriver.device.board_settings",
    "DataPlace": "femtodriver.device.session.debug_values",
    "FakeSPURunner": "femtodriver.device.spu_runner",
    "Faults": "femtodriver.device.virtual.link_faults",
    "SPURunner": "femtodriver.device.spu_runner",
    "Timeouts": "femtodriver.device.timeouts",
    "list_boards": "femtodriver.device.evk2.usb_boards",
    "make_runner": "femtodriver.device.spu_runner",
    "serve": "femtodriver.device.virtual.serve",
}
__all__ = [
    "BOARDS",
    "BoardSettings",
    "DataPlace",
    "FakeSPURunner",
    "Faults",
    "SPURunner",
    "Timeouts",
    "list_boards",
    "make_runner",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
