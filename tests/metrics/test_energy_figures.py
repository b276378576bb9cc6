"""Joules and watts of the document, computed a second time from the design notes, in another way."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import pytest

from femtodriver.errors import UsageError
from femtodriver.machine.run_report import FrameCycles, RunReport
from femtodriver.metrics import build_document
from femtodriver.part import load_part
from femtodriver.program.description import Description
from tests.metrics.energy_notes import CORNERS, Figures, noted

PART = load_part("spu001")
PERIOD = 0.016
# Words of 64 bits of instruction and table memory of one core, as a share of a bank of 64 kB.
OTHER = (4096 * 8 + 4 * 2048 * 2) / 65536


def band(doc: Any) -> list[float]:
    return [doc[corner] for corner in CORNERS]


def tiny_work(row: Figures) -> float:
    """Joules of the whole run of ``tiny_report``, by hand."""
    return math.fsum(
        [
            24 * row["core_cycle"],
            4 * row["decode"],
            4 * row["im_read"],
            40 * row["bank_read"],
            4 * row["bank_write"],
            176 * row["accumulator_read"],
            160 * row["accumulator_write"],
            160 * row["mac_8x8"],
            20 * row["sparse_index"],
            16 * row["alu"],
        ]
    )


def two_core_work(row: Figures) -> tuple[float, float]:
    """Joules of the run of ``two_core_report`` on each core, by hand."""
    first = [
        1011 * row["core_cycle"],
        7 * (row["decode"] + row["im_read"]),
        2000 * row["bank_read"],
        100 * row["bank_write"],
        8000 * (row["accumulator_read"] + row["accumulator_write"]),
        7000 * row["mac_8x8"],
        500 * row["mac_8x16"],
        250 * row["mac_16x16"],
        300 * row["sparse_index"],
        3 * row["thread_switch"],
        17 * row["message_word"],
    ]
    second = [400 * row["core_cycle"], 6 * (row["decode"] + row["im_read"]), 640 * row["alu"], 128 * row["tm_read"]]
    return math.fsum(first), math.fsum(second)


@pytest.mark.parametrize("corner", CORNERS)
def test_work_of_a_tiny_run(tiny_report: RunReport, corner: str) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=PERIOD)
    row = noted(corner)
    assert doc["energy_j"]["total"][corner] == pytest.approx(tiny_work(row) / 2)
    assert doc["energy_j"]["by_component"]["macs"][corner] == pytest.approx(160 * row["mac_8x8"] / 2)
    assert doc["energy_j"]["by_component"]["decode"][corner] == pytest.approx(4 * row["decode"] / 2)
    assert doc["energy_j"]["by_core"][1][corner] == 0
    assert doc["energy_j"]["link"][corner] == 0
    assert doc["power_w"]["dynamic"][corner] == pytest.approx(tiny_work(row) / 2 / PERIOD)


@pytest.mark.parametrize("corner", CORNERS)
def test_power_of_a_tiny_run(tiny_report: RunReport, corner: str) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=PERIOD)
    row = noted(corner)
    active, memories = 150e-9, 2 + OTHER  # bank 0 was read, bank 1 was written
    pause = PERIOD - active
    leakage = active * (row["logic_on"] + memories * row["bank_on"])
    leakage += pause * (row["logic_off"] + memories * row["bank_retention"])
    leakage += PERIOD * ((6 + 8 + OTHER) * row["bank_off"] + row["logic_off"])
    waking = row["wake_core"] + memories * row["wake_retention"] + row["pll_on"] * row["pll_lock"]
    wanted = {
        "dynamic": tiny_work(row) / 2,
        "link": 0.0,
        "leakage": leakage,
        "waking": waking,
        "pll": active * row["pll_on"],
        "always_on": PERIOD * (row["always_on_static"] + row["always_on_clocked"]),
    }
    found = {account: doc["power_w"][account][corner] * PERIOD for account in wanted}
    assert found == pytest.approx(wanted, rel=1e-7)
    assert doc["power_w"]["total"][corner] == pytest.approx(math.fsum(wanted.values()) / PERIOD)
    assert doc["energy_j"]["period"][corner] == pytest.approx(math.fsum(wanted.values()))


@pytest.mark.parametrize("corner", CORNERS)
def test_work_of_two_cores_and_their_layers(two_core_report: RunReport, description: Description, corner: str) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART, input_period_s=PERIOD)
    row = noted(corner)
    first, second = two_core_work(row)
    assert [core[corner] for core in doc["energy_j"]["by_core"]] == pytest.approx([first / 3, second / 3])
    assert doc["energy_j"]["total"][corner] == pytest.approx((first + second) / 3)
    assert doc["energy_j"]["link"][corner] == pytest.approx(9 * 64 * row["spi_bit"] / 3)
    assert doc["layers"][1]["energy_band_j"][corner] == pytest.approx(second / 3)
    runtime = 11 * row["core_cycle"] + 4 * (row["decode"] + row["im_read"])
    runtime += 3 * row["thread_switch"] + 17 * row["message_word"]
    assert doc["layers"][2]["energy_band_j"][corner] == pytest.approx(runtime / 3)


def test_power_is_that_of_the_typical_corner(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART)
    assert doc["Power (W)"] == doc["power_w"]["total"]["typical"]


def test_states_of_the_part_add_up_to_the_period(two_core_report: RunReport, description: Description) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART, input_period_s=PERIOD)
    duty = doc["duty"]
    assert duty["running"]["time_s"] + duty["pause"]["time_s"] == pytest.approx(PERIOD)
    for corner in CORNERS:
        parts = [duty[state]["time_s"] * duty[state]["power_w"][corner] for state in ("running", "pause")]
        assert math.fsum([*parts, duty["waking"]["energy_j"][corner]]) == pytest.approx(
            doc["energy_j"]["period"][corner], rel=1e-7
        )
    assert {name: nap["sleeps"] for name, nap in duty["sleep"].items()} == dict.fromkeys(
        ("memories", "logic", "pll"), True
    )
    assert band(duty["waking"]["time_s"]) == pytest.approx([7e-6, 60e-6, 700e-6])


def test_kinds_are_the_shares_of_the_rows(two_core_report: RunReport, description: Description) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART, input_period_s=PERIOD)
    for account, shares in doc["power_kinds"].items():
        rows = [row for row in doc["energy_rows"] if account in ("total", row["account"])]
        whole = math.fsum(row["energy_j"]["typical"] for row in rows)
        for kind, share in shares.items():
            joules = math.fsum(row["energy_j"]["typical"] for row in rows if row["kind"] == kind)
            assert share == pytest.approx(joules / whole if whole else 0.0, rel=1e-6)
    assert doc["power_kinds"]["always_on"]["assumed"] == 1


def test_every_charged_row_is_there_once_with_kind_and_source(
    two_core_report: RunReport, description: Description
) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART, input_period_s=PERIOD)
    names = [(row["account"], row["row"]) for row in doc["energy_rows"]]
    assert len(set(names)) == len(names)
    always = {name for account, name in names if account == "always_on"}
    assert always == {"always_on_static", "always_on_clocked"}
    assert not any("always_on" in name for account, name in names if account != "always_on")
    assert all(row["kind"] and row["source"] for row in doc["energy_rows"])


def test_the_lowest_clock_is_the_one_at_which_the_slowest_frame_just_fits(tiny_report: RunReport) -> None:
    report = dataclasses.replace(tiny_report, frame_cycles=FrameCycles.of([10, 16]))
    doc: dict[str, Any] = build_document(report, None, PART, input_period_s=PERIOD)
    hertz = doc["lowest_clock"]["clock_hz"]
    assert hertz == 1000  # 16 cycles in 16 ms
    for clock_hz, met in ((hertz, True), (hertz - 1, False)):
        slow: dict[str, Any] = build_document(
            report, None, dataclasses.replace(PART, clock_hz=float(clock_hz)), input_period_s=PERIOD
        )
        assert slow["deadline"]["met"] is met
        if met:
            assert slow["power_w"]["total"] == doc["lowest_clock"]["power_w"]


def test_a_part_that_is_too_slow_would_need_a_faster_clock(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=1e-7)
    assert doc["deadline"]["met"] is False
    assert doc["lowest_clock"]["clock_hz"] == 150_000_000
    assert doc["duty"]["pause"] == {"time_s": 0.0, "power_w": None}


def test_life_of_a_battery(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=PERIOD, battery_mwh=225.0)
    assert doc["battery"]["capacity_mwh"] == 225.0
    # 225 mWh are 810 J; the shortest life is that at the highest power.
    for life, power in (("low", "high"), ("typical", "typical"), ("high", "low")):
        assert doc["battery"]["life_h"][life] * 3600 * doc["power_w"]["total"][power] == pytest.approx(810, rel=1e-7)
    assert build_document(tiny_report, None, PART)["battery"] is None


def test_start_up_loads_the_program_over_the_link(two_core_report: RunReport, description: Description) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART)
    # Core 0: 1000 + 10 + 64 + 32 bytes of data, which are 139 words; instructions 10 + 4, table words 256.
    words, instructions, tables = 139, 14, 256
    assert doc["start_up"]["bytes"] == 8 * (words + instructions) + 2 * tables
    assert doc["start_up"]["link_s"] == pytest.approx(8 * doc["start_up"]["bytes"] / (PART.link_bits * PART.link_hz))
    memories = 3 + 2 * OTHER  # banks 0 and 1 of core 0, bank 0 of core 1
    for corner in CORNERS:
        row = noted(corner)
        link = 8 * doc["start_up"]["bytes"] * row["spi_bit"]
        work = words * row["bank_write"] + (instructions + tables) * row["small_write"]
        waking = memories * row["wake_off"] + 2 * row["wake_core"] + row["pll_on"] * row["pll_lock"]
        assert doc["start_up"]["link_j"][corner] == pytest.approx(link)
        assert doc["start_up"]["energy_j"][corner] == pytest.approx(link + work + waking)
    assert build_document(two_core_report, None, PART)["start_up"] is None


def test_voltage_and_temperature_reach_the_figures(two_core_report: RunReport) -> None:
    def document(volts: float, celsius: float) -> dict[str, Any]:
        return build_document(
            two_core_report, None, PART, input_period_s=PERIOD, voltage_v=volts, temperature_c=celsius
        )

    cold, warm = document(0.8, 25.0), document(0.4, 45.0)
    assert warm["hardware"]["temperature_c"] == 45.0
    assert warm["energy_j"]["total"]["typical"] == pytest.approx(cold["energy_j"]["total"]["typical"] / 4)
    for fixed in ("link", "pll"):
        assert warm["power_w"][fixed] == cold["power_w"][fixed]
    # Half the volts, and twice as much for each of two steps of 10 degC.
    assert warm["power_w"]["leakage"]["typical"] == pytest.approx(2 * cold["power_w"]["leakage"]["typical"])
    assert cold["power_w"]["always_on"]["typical"] == pytest.approx(2.5e-6)
    assert warm["power_w"]["always_on"]["typical"] == pytest.approx(2 * 1.5e-6 + 1e-6)


def test_another_clock_changes_times_and_not_the_work(two_core_report: RunReport) -> None:
    own: dict[str, Any] = build_document(two_core_report, None, PART, input_period_s=PERIOD)
    slow: dict[str, Any] = build_document(two_core_report, None, PART, input_period_s=PERIOD, clock_hz=1e6)
    assert own["hardware"]["given"] == []
    assert slow["hardware"]["given"] == ["clock_hz"]
    assert slow["hardware"]["clock_hz"] == 1e6
    assert slow["latency_s"]["mean"] == pytest.approx(100 * own["latency_s"]["mean"])
    assert slow["duty"]["running"]["time_s"] == pytest.approx(100 * own["duty"]["running"]["time_s"])
    assert slow["energy_j"]["total"] == own["energy_j"]["total"]
    other = dataclasses.replace(PART, clock_hz=1e6)
    same: dict[str, Any] = build_document(two_core_report, None, other, input_period_s=PERIOD)
    assert same["power_w"] == slow["power_w"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"clock_hz": 0.0}, "clock: must be a positive number of hertz, not 0.0"),
        ({"clock_hz": math.nan}, "clock: must be a positive number of hertz, not nan"),
        ({"voltage_v": -1.0}, "the voltage must be positive, not -1.0 V"),
        ({"temperature_c": 56.0}, "the temperature must be between -40 and 55 degC, not 56"),
    ],
)
def test_conditions_that_have_no_meaning_are_refused(tiny_report: RunReport, given: Any, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        build_document(tiny_report, None, PART, **given)
