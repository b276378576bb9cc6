"""The energy table, its scaling, and what events are charged to."""

from __future__ import annotations

import math
import re
from importlib import resources

import pytest

from femtodriver.errors import UsageError
from femtodriver.machine.run_report import EVENTS
from femtodriver.metrics.energy import KINDS, Band, add, load_table, parse_table, table_names
from femtodriver.metrics.events import (
    CHARGES,
    COMPONENTS,
    NOT_ENERGY,
    ROWS_WITHOUT_EVENT,
    joules,
    joules_by_component,
)

# Section 4 of the design notes, typed a second time: row, low, typical, high in the unit of the notes.
NOTES = """
bank_read 2.1 6 12          | bank_write 2.8 7 14         | small_read 0.65 1.5 3      | small_write 1.5 2 4
mac_8x8 0.04 0.12 0.35      | mac_8x16 0.08 0.24 0.7      | mac_16x16 0.15 0.45 1.3    | accumulator 0.05 0.25 0.6
alu 0.02 0.08 0.25          | sparse_index 0.02 0.10 0.30 | lookup 0.8 2.5 6           | decode 1 3 10
thread_switch 0.5 2 6       | core_cycle 2 8 20           | message_word 3 8 25        | pad_bit 10 20 35
bank_on 1 5 20              | bank_retention 0.2 1.5 5    | bank_off 0.005 0.05 0.3    | logic_on 3 15 60
logic_off 0.05 0.3 2        | always_on 1.5 20 80         | wake_retention 0.05 0.2 1  | wake_off 0.2 1 5
wake_core 0.5 3 20
"""
SCALE = {"pJ": 1e-12, "nJ": 1e-9, "uW": 1e-6}


def test_the_table_has_every_row_of_the_notes() -> None:
    wanted = {}
    for entry in NOTES.replace("\n", "|").split("|"):
        if entry.strip():
            name, *words = entry.split()
            wanted[name] = [float(word) for word in words]
    rows = load_table().rows
    assert set(rows) == set(wanted)
    for name, row in rows.items():
        figures = [row.value.low, row.value.typical, row.value.high]
        assert figures == pytest.approx([figure * SCALE[row.unit] for figure in wanted[name]], rel=1e-12), name


def test_every_row_has_a_source_and_a_kind() -> None:
    for row in load_table().rows.values():
        assert row.kind in KINDS
        assert len(row.source) > 20
        assert row.meaning


def test_assumed_rows_are_those_that_the_notes_call_assumed() -> None:
    assumed = {row.name for row in load_table().rows.values() if row.kind == "assumed"}
    assert assumed == {"thread_switch", "pad_bit", "logic_on", "logic_off", "wake_retention", "wake_off", "wake_core"}


def test_watts_scale_as_leakage_and_joules_as_dynamic() -> None:
    assert {(row.unit == "uW", row.scaling) for row in load_table().rows.values()} == {
        (True, "leakage"),
        (False, "dynamic"),
    }


def test_every_event_is_charged_or_declared_free() -> None:
    assert set(CHARGES) | set(NOT_ENERGY) == set(EVENTS)
    assert not set(CHARGES) & set(NOT_ENERGY)


def test_every_row_is_charged_or_its_absence_is_explained() -> None:
    charged = {charge.row for charge in CHARGES.values()}
    assert charged | set(ROWS_WITHOUT_EVENT) == set(load_table().rows)
    assert not charged & set(ROWS_WITHOUT_EVENT)


@pytest.mark.parametrize("event", list(CHARGES))
def test_one_event_costs_its_row(event: str) -> None:
    charge = CHARGES[event]
    cost = joules({event: 1}, load_table())
    row = load_table().value(charge.row)
    assert (cost.low, cost.typical, cost.high) == pytest.approx(
        (row.low * charge.units, row.typical * charge.units, row.high * charge.units)
    )
    parts = joules_by_component({event: 1}, load_table())
    assert tuple(parts) == COMPONENTS
    assert [name for name, band in parts.items() if band.typical] == [charge.component]


def test_a_host_word_is_64_bits_through_the_pads() -> None:
    assert joules({"host_word": 1}, load_table()).typical == pytest.approx(64 * 20e-12)


def test_events_that_are_free_cost_nothing() -> None:
    assert joules(dict.fromkeys(NOT_ENERGY, 10**9), load_table()) == Band()


@pytest.mark.parametrize(("corner", "picojoule"), [("low", 0.65), ("typical", 2.4), ("high", 5.6)])
def test_dense_int8_work_costs_what_the_notes_say(corner: str, picojoule: float) -> None:
    # 128 x 128 weights of 8 bits: one word is eight of them, and each product reads and writes its accumulator.
    macs = 128 * 128
    counts = {
        "cycles": macs // 8,
        "mac_8x8": macs,
        "dm_read": macs // 8 + 128 // 8,
        "acc_read": macs,
        "acc_write": macs,
        "instructions": 2,
        "im_read": 2,
    }
    assert getattr(joules(counts, load_table()), corner) / macs == pytest.approx(picojoule * 1e-12, rel=0.03)


def test_scaling_of_voltage() -> None:
    table = load_table().at(1.6, 25.0)
    assert table.value("bank_read").typical == pytest.approx(4 * 6e-12)
    assert table.value("wake_core").high == pytest.approx(4 * 20e-9)
    assert table.value("bank_on").low == pytest.approx(2 * 1e-6)


def test_scaling_of_temperature() -> None:
    table = load_table().at(0.8, 55.0)
    assert table.value("bank_read").typical == pytest.approx(6e-12)
    assert table.value("bank_on").typical == pytest.approx(8 * 5e-6)
    assert load_table().at(0.8, 15.0).value("always_on").typical == pytest.approx(10e-6)


def test_scaling_at_home_changes_nothing() -> None:
    assert load_table().at(0.8, 25.0) == load_table()


@pytest.mark.parametrize("celsius", [55.1, 85.0, -41.0, math.nan])
def test_a_temperature_beyond_the_law_is_refused(celsius: float) -> None:
    with pytest.raises(UsageError, match=r"the temperature must be between -40 and 55 degC, not"):
        load_table().at(0.8, celsius)


@pytest.mark.parametrize("volts", [0.0, -0.8, math.inf, math.nan])
def test_a_voltage_that_is_none_is_refused(volts: float) -> None:
    with pytest.raises(UsageError, match="the voltage must be positive, not"):
        load_table().at(volts, 25.0)


def test_an_unknown_table_is_refused() -> None:
    assert table_names() == ("22nm",)
    with pytest.raises(UsageError, match=r"energy table: must be one of 22nm, not '\.\./22nm'"):
        load_table("../22nm")


def shipped() -> str:
    return (resources.files("femtodriver.metrics") / "tables" / "22nm.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("low = 2.1", "low = 6.5", r"row bank_read: must be 0 <= low <= typical <= high, not \[6.5, 6.0, 12.0\]"),
        ("low = 2.1", "low = -1.0", "must be 0 <= low"),
        ("low = 2.1", 'low = "2.1"', "must be 0 <= low"),
        ("low = 2.1", "", "must be TOML with the entries of 22nm.toml: 'low'"),
        ('unit = "pJ"', 'unit = "J"', "row bank_read: must be one of pJ, nJ, uW, not 'J'"),
        ('kind = "computed"', 'kind = "guessed"', "must be one of measured, computed, assumed, not 'guessed'"),
        ('name = "22nm"', "", "must be TOML with the entries of 22nm.toml"),
        ('name = "22nm"', "name = ", "must be TOML"),
    ],
)
def test_a_table_that_is_wrong_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_table(shipped().replace(old, new, 1))


def test_a_row_without_a_source_is_refused() -> None:
    text = re.sub(r'source = """.*?"""', 'source = ""', shipped(), count=1, flags=re.DOTALL)
    with pytest.raises(UsageError, match="row bank_read: the source must be named, not left empty"):
        parse_table(text)


def test_bands_add_and_scale() -> None:
    assert add([Band(1, 2, 3), Band(10, 20, 30)]) == Band(11, 22, 33)
    assert add([]) == Band()
    assert Band(1, 2, 3).times(2) == Band(2, 4, 6)
