"""What a board measured: units are true, and what was not measured says so."""

from __future__ import annotations

import pytest

from femtodriver.device.boards import BOARDS
from femtodriver.metrics.hardware_metrics import hardware_metrics


def test_units_are_those_of_the_names() -> None:
    found = hardware_metrics([1000, 3000, 2000], 0.5, BOARDS["evk2"].platform.vco_hz)
    assert found["PLL VCO frequency (MHz)"] == pytest.approx(150.011904)
    assert (found["Frames Simulated"], found["Input Period (s)"]) == (3, 0.5)
    assert found["Latency (s)"] == pytest.approx(0.002)
    assert found["Power (W)"] == "not measured on hardware"
    assert found["Frames"] == {number: {"Latency (s)": s} for number, s in enumerate((0.001, 0.003, 0.002))}
    assert found["Frame Statistics"]["Latency (s)"] == {
        "min": 0.001,
        "mean": found["Latency (s)"],
        "max": 0.003,
        "values": [0.001, 0.003, 0.002],
    }


def test_what_was_not_measured_is_none() -> None:
    found = hardware_metrics([-1, -1])
    assert found["PLL VCO frequency (MHz)"] is None
    assert found["Input Period (s)"] == 0.016
    assert (found["Frames Simulated"], found["Frames"], found["Latency (s)"]) == (2, {}, None)
    assert found["Frame Statistics"]["Latency (s)"] == {"min": None, "mean": None, "max": None, "values": []}
    some = hardware_metrics([-1, 5])
    assert list(some["Frames"]) == [1]


def test_only_boards_whose_oscillator_is_known_have_a_vco() -> None:
    assert {name for name, board in BOARDS.items() if board.platform.vco_hz is not None} == {"evk2"}
