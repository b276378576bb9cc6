"""The ways in which a network can be laid out over cores; ``choose_cores`` says which are tried."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Order(Enum):
    """How values that stay in one piece find their core."""

    TIME = "where the result is there first"
    FILL = "core after core, each filled up to its share"
    LARGEST = "as FILL, but the largest values and layers choose first"


@dataclass(frozen=True)
class SharingPlan:
    """``cores``: how many; ``least_groups``: products with fewer groups of weights stay whole, on one core, and so do
    all but the ``most`` largest ones.

    ``order``: which core that is; with FILL and LARGEST each is filled up to ``fill`` times its share of the whole.
    ``copies``: keep delay lines that shared products read on every core. ``blocks``: cut the largest states.
    """

    cores: int
    least_groups: float
    order: Order = Order.TIME
    copies: bool = True
    fill: float = 1.05
    blocks: bool = False
    most: int | None = None
