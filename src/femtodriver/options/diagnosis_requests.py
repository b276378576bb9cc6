"""The options of ``femtodrive doctor`` and ``femtodrive devices``."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.option import option
from femtodriver.options.value_kinds import SWITCH


@dataclass(frozen=True, kw_only=True, eq=False)
class DoctorRequest(DebugRequest):
    """What ``femtodrive doctor`` takes."""

    json: bool = option(False, kind=SWITCH, help="print one JSON document instead of a text")


@dataclass(frozen=True, kw_only=True, eq=False)
class DevicesRequest(DebugRequest):
    """What ``femtodrive devices`` takes."""

    spu: str = option("all", positional=True, metavar="SPU", help="the part, as in SPU001 (default: all)")
