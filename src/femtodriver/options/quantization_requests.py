"""The options of the quantization report: how well values use their types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.option import option
from femtodriver.options.option_groups import INSIGHT
from femtodriver.options.value_kinds import PATH, SWITCH
from femtodriver.options.without_effect import QUANTIZATION

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class QuantizationRequest:
    """What is shown of the ranges of the values inside the network."""

    quantization: bool = option(
        False,
        kind=SWITCH,
        group=INSIGHT,
        acts=("fqir",),
        help="print how each value uses its type; runs fqir if no runner is named (docs/quantization.md)",
    )
    quantization_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=INSIGHT,
        acts=("fqir",),
        help="write the quantization report, with all its figures, to a .csv or .json file",
    )
    float_values: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=INSIGHT,
        acts=QUANTIZATION,
        help=".npz with the values of a float model by name, for the signal-to-noise ratio of each",
    )

    @property
    def asks_for_quantization(self) -> bool:
        """Whether a quantization report is shown or written."""
        return self.quantization or self.quantization_file is not None
