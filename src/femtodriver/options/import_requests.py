"""The options of ``femtodrive import``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.compile_requests import ModelWordRequest, RequantizeRequest
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.option import option
from femtodriver.options.value_kinds import PATH

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class ImportRequest(RequantizeRequest, DebugRequest, ModelWordRequest, ConversionRequest):
    """What ``femtodrive import`` takes."""

    output: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        short="o",
        help="the .fqir to write, in place of what is there (default: the name of the model with .fqir)",
    )
    model_name: str | None = option(
        None, metavar="NAME", help="what the network is called (default: the name of its file, else fqir)"
    )
