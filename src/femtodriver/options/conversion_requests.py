"""The options of converting a PyTorch module into a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from femtodriver.options.option import option
from femtodriver.options.option_groups import CONVERTING
from femtodriver.options.value_kinds import ANYTHING, PRECISION, SECONDS, whole

USUAL_PRECISION = "double"
USUAL_TIMEOUT_S = 600.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ConversionRequest:
    """How a PyTorch module becomes a network (docs/pytorch.md)."""

    calibration: Any = option(
        None,
        kind=ANYTHING,
        metavar="FILE",
        group=CONVERTING,
        aliases=("calibrate",),
        help="typical inputs of the module, with labels or targets if there are any: .npz or .npy (docs/pytorch.md)",
    )
    precision: str | None = option(
        None,
        kind=PRECISION,
        metavar="NAME",
        group=CONVERTING,
        help="bits of activations and weights: double (16 and 8, default), standard (8 and 4) or eights (8 and 8)",
    )
    time_axis: int | None = option(
        None,
        kind=whole(1, 2),
        metavar="N",
        group=CONVERTING,
        help="which axis of the calibration counts frames: 1 or 2 (default: the one that may be shorter)",
    )
    conversion_timeout: float | None = option(
        None,
        kind=SECONDS,
        metavar="S",
        group=CONVERTING,
        help="how long the conversion may take in seconds (default 600)",
    )
