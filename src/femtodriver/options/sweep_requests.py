"""The options of ``femtodrive sweep`` and of ``Femtodriver.sweep``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from femtodriver.options.compile_requests import ModelWordRequest, RequantizeRequest
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.input_requests import InputRequest
from femtodriver.options.option import option
from femtodriver.options.value_kinds import (
    CELSIUS,
    HERTZ,
    OBJECTIVE,
    PAIRS,
    PATH,
    PERIOD,
    SWEEP_FORM,
    VOLTS,
    whole,
)
from femtodriver.options.value_series import PATHS, series, several

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath

Numbers = float | Sequence[float]
VARIED = "what is varied: a value, several (A,B,...) or a range (LO..HI:N)"


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepRequest(InputRequest, RequantizeRequest, ConversionRequest):
    """How a model is swept. Where it says "each", the option takes several values, and all are tried."""

    model_name: str | None = option(
        None, metavar="NAME", help="what the model is called (default: the name of its file, else fqir)"
    )
    hw_config: AnyPath | Sequence[AnyPath] | None = option(
        None, kind=PATHS, metavar="PARTS", group=VARIED, help="each part: a name or a .toml file (default spu001)"
    )
    objective: str | Sequence[str] | None = option(
        None,
        kind=several(OBJECTIVE),
        metavar="WHAT",
        group=VARIED,
        help="what to choose the number of cores for: each of cycles, energy and balanced that is named",
    )
    compiler_options: Mapping[str, Any] | Sequence[str] | None = option(
        None,
        kind=PAIRS,
        metavar="NAME=VALUES",
        group=VARIED,
        repeated=True,
        aliases=("compiler_option",),
        help="each value of an option of the compiler, as in cores=1,2; may be repeated, see docs/compiler.md",
    )
    clock: Numbers | None = option(
        None, kind=series(HERTZ), metavar="HZ", group=VARIED, help="each clock (default: the part's)"
    )
    voltage: Numbers | None = option(
        None, kind=series(VOLTS), metavar="V", group=VARIED, help="each core voltage (default: the part's)"
    )
    input_period: Numbers | None = option(
        None,
        kind=series(PERIOD),
        metavar="S",
        group=VARIED,
        help="each time from one frame to the next (default 0.016, or what the input says)",
    )
    temperature: Numbers | None = option(
        None, kind=series(CELSIUS), metavar="DEGC", group=VARIED, help="each temperature of the part (default 25)"
    )
    workers: int | None = option(
        None,
        kind=whole(1, 256),
        metavar="N",
        help="processes that compile and simulate (default: as many as there are processors; in Python 1)",
    )
    sort: str | None = option(
        None, metavar="NAME", help="order by a figure or a setting, smallest first (default: as they were varied)"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepCommandRequest(SweepRequest, DebugRequest, ModelWordRequest):
    """What ``femtodrive sweep`` takes."""

    format: str = option("text", kind=SWEEP_FORM, metavar="FORM", help="text (default), csv or json")
    plot: AnyPath | None = option(
        None, kind=PATH, metavar="FILE", help="draw latency against power into this .svg or .png (needs matplotlib)"
    )
