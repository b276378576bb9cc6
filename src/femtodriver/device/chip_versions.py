"""Versions of the SPU-001, and in what their registers differ: 1.3 is the part that is made, 1.2 a test chip before it.

``FS_HW_CFG`` (or its older name ``FS_HW_ISA``) chooses the one that a board carries: one row for each.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.errors import UsageError
from femtodriver.program.memory_map import SYSTEM_REGISTERS
from femtodriver.safe_text import shown

VARIABLES = ("FS_HW_CFG", "FS_HW_ISA")


@dataclass(frozen=True)
class ChipVersion:
    """One version of the chip.

    ``config``: the value of the environment variable. ``version``: what VERSION reads. ``has_keys``: whether it has the
    registers for key and salt, so that programs can be encrypted. ``divider_shift``: how far the fields of the PLL's
    dividers are shifted to the left. ``has_gates``: whether the clock gate is opened, and the cores are let go, by
    registers. ``tells_outputs``: whether OUTPUT_INT says that an output waits; else the host waits ``frame_s`` seconds.
    """

    name: str
    config: str
    version: int
    has_keys: bool = True
    divider_shift: int = 0
    has_gates: bool = True
    tells_outputs: bool = True
    frame_s: float = 1.0

    def has_register(self, address: int) -> bool:
        """Whether the system register at that address of the "apb" space is there."""
        return self.has_keys or address not in KEY_REGISTERS


KEY_REGISTERS = frozenset(address for name, address in SYSTEM_REGISTERS.items() if name.startswith("SPI_ENCRYPTION_"))
CHIP_1_3 = ChipVersion("1.3", "spu1p3v1.dat", 0x13)
CHIP_1_2 = ChipVersion(
    "1.2", "spu1p2v1.dat", 0x12, has_keys=False, divider_shift=1, has_gates=False, tells_outputs=False
)
CHIP_VERSIONS: Mapping[str, ChipVersion] = {row.config: row for row in (CHIP_1_3, CHIP_1_2)}


def chip_of_environment(environment: Mapping[str, str] | None = None) -> ChipVersion:
    """The chip of the board, 1.3 if the environment does not say. UsageError for one that is not known here."""
    found = os.environ if environment is None else environment
    for variable in VARIABLES:
        if value := found.get(variable):
            if value not in CHIP_VERSIONS:
                known = " or ".join(CHIP_VERSIONS)
                raise UsageError(
                    f"{variable}: the chip of a board must be {known}, not {shown(value)}. Set it, or unset it."
                )
            return CHIP_VERSIONS[value]
    return CHIP_1_3


def other_chip(version: int) -> str:
    """What to do if a board reads that VERSION instead of the one that it should; "" where nobody knows."""
    for row in CHIP_VERSIONS.values():
        if row.version == version:
            return f"This is the hardware {row.name}: set {VARIABLES[0]}={row.config}."
    return ""
