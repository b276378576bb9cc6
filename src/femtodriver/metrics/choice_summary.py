"""What a choice of the compiler costs, for comparing it with another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summary_of(doc: Mapping[str, Any]) -> dict[str, object]:
    """What a choice costs, from the document of its run: cores, cycles, share of the period, watts."""
    return {
        "cores": sum(core["busy"] > 0 for core in doc["cycles"]["per_core"]),
        "cycles": doc["cycles"]["total"],
        "worst_fraction_of_period": doc["deadline"]["worst_fraction_of_period"],
        "power_w": doc["power_w"]["total"],
    }
