"""Look-up tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from femtodriver.fqir.graph import Table
from tests.fqir.small_networks import applied


def squares(bits: int) -> Table:
    addresses = np.arange(-(1 << bits - 1), 1 << bits - 1)
    return Table("square", addresses, addresses**2)


def test_lut_saturates_its_address() -> None:
    constants: dict[str, Any] = {"shamt_address": 0, "bw_address": 8, "table": squares(8), "function": "square"}
    assert applied("lut", {"x": [3, -3, 127, -128, 500, -500]}, **constants) == [[9, 9, 16129, 16384, 16129, 16384]]


def test_lut_floors_a_shifted_address() -> None:
    constants: dict[str, Any] = {"shamt_address": -2, "bw_address": 4, "table": squares(4), "function": None}
    assert applied("lut", {"x": [-1, 7, 40]}, **constants) == [[1, 1, 49]]
