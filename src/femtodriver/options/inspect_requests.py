"""The options of ``femtodrive inspect`` and ``femtodrive disasm``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.option import option
from femtodriver.options.value_kinds import PATH, SWITCH

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectRequest(DebugRequest):
    """What ``femtodrive inspect`` takes."""

    file: AnyPath = option(positional=True, metavar="FILE", kind=PATH, help="what to look at")
    json: bool = option(False, kind=SWITCH, help="print one JSON document instead of tables")


@dataclass(frozen=True, kw_only=True, eq=False)
class DisasmRequest(DebugRequest):
    """What ``femtodrive disasm`` takes."""

    file: AnyPath = option(
        positional=True,
        metavar="FILE",
        kind=PATH,
        help="a .femto, a memory-image zip or the folder of a compiled model",
    )
    json: bool = option(False, kind=SWITCH, help="print one JSON document instead of a listing")
    keyring: AnyPath | None = option(
        None, kind=PATH, metavar="FILE", help="file with keys, for encrypted programs (default: FS_KEYRING)"
    )
