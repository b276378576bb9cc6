"""Two small documents that differ a little in everything."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from femtodriver.machine.run_report import RunReport
from femtodriver.metrics import build_document
from femtodriver.part import load_part
from femtodriver.program.description import Description

Document = dict[str, Any]


@pytest.fixture
def before(two_core_report: RunReport, description: Description) -> Document:
    return build_document(two_core_report, description, load_part("spu001"), input_period_s=0.01)


@pytest.fixture
def after(before: Document) -> Document:
    """A layer gone, one added, one and a core changed; more cycles, less power, another period."""
    doc = copy.deepcopy(before)
    doc["Input Period (s)"] = 0.02
    doc["tool"]["compiler_options"]["cores"] = 1
    doc["cycles"]["total"] = before["cycles"]["total"] * 1.25
    doc["cycles"]["per_core"][1]["busy"] += 40
    doc["power_w"]["total"]["typical"] = before["power_w"]["total"]["typical"] / 2
    doc["memory_bytes"]["per_core"][0]["dm_used"] += 8
    first, second, *rest = doc["layers"]
    first["cycles"] += 100
    first["macs"]["executed"] += 1
    doc["layers"] = [first, {**second, "name": "gru.1 tanh"}, *rest]
    return doc
