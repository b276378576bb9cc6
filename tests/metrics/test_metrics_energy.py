"""The energy table, its scaling, and what events are charged to."""

from __future__ import annotations

import math
import re
from importlib import resources

import pytest

from femtodriver.errors import UsageError
from femtodriver.machine.run_report import EVENTS
from femtodriver.metrics.energy import COLDEST_C, KINDS, Band, add, load_table, parse_table, table_names
from femtodriver.metrics.events import (
    CHARGES,
    COMPONENTS,
    NOT_ENERGY,
    ROWS_WITHOUT_EVENT,
    event_items,
    joules,
    joules_by_component,
)
from femtodriver.options.value_kinds import CELSIUS
from tests.metrics.energy_notes import CORNERS, noted, noted_rows


def test_the_table_has_every_row_of_the_notes() -> None:
    wanted = noted_rows()
    rows = load_table().rows
    differ = set(rows) ^ set(wanted)
    assert differ == set(), f"{differ}: tests/metrics/energy_notes.py must have the rows of 22nm.toml"
    for name, row in rows.items():
        figures = {corner: getattr(row.value, corner) for corner in CORNERS}
        assert figures == pytest.approx(wanted[name][0], rel=1e-12), name
        assert row.kind == wanted[name][1], name


def test_every_row_names_what_its_source_can_be_checked_by() -> None:
    for row in load_table().rows.values():
        assert row.kind in KINDS
        assert row.meaning
        named = re.search(r"\d|no publication found|no measurement found", row.source)
        assert named, f"{row.name}: the source must have a figure, or say that there is none"
        if row.kind == "measured on other chips":
            assert re.search(r"data sheet|JLPEA", row.source), f"{row.name}: measured where?"
        if row.kind == "computed":
            assert re.search(r"CACTI 7|Horowitz 2014|C V\^2|synthesis", row.source), f"{row.name}: computed how?"
        if "no publication" in row.source or "no measurement" in row.source:
            assert row.kind == "assumed"


def test_rows_scale_with_the_supply_that_they_have() -> None:
    fixed = {row.name for row in load_table().rows.values() if row.scaling == "fixed"}
    oscillators = {"always_on_clocked", "pll_on", "pll_lock", "crystal_start", "crystal_time", "wake_time"}
    assert fixed == {"spi_bit", *oscillators}
    for row in load_table().rows.values():
        if row.name not in fixed:
            assert row.scaling == ("leakage" if row.unit == "uW" else "dynamic"), row.name


def test_the_voltage_of_the_core_changes_neither_pads_nor_oscillators() -> None:
    home, elsewhere = load_table(), load_table().at(0.5, 45.0)
    for name in ("spi_bit", "always_on_clocked", "pll_on", "pll_lock", "wake_time"):
        assert elsewhere.value(name) == home.value(name)
    assert elsewhere.value("always_on_static").typical == pytest.approx(1.5e-6 * 0.5 / 0.8 * 4)


def test_every_event_is_charged_or_declared_free() -> None:
    differ = set(EVENTS) ^ (set(CHARGES) | set(NOT_ENERGY))
    assert differ == set(), f"src/femtodriver/metrics/events.py must say what each event of the machine costs: {differ}"
    assert not set(CHARGES) & set(NOT_ENERGY)


def test_every_row_is_charged_or_its_absence_is_explained() -> None:
    charged = {charge.row for charge in CHARGES.values()}
    idle = set(load_table().rows) - charged - set(ROWS_WITHOUT_EVENT)
    assert idle == set(), f"src/femtodriver/metrics/events.py must charge an event to {idle}, or say why none is"
    assert charged | set(ROWS_WITHOUT_EVENT) <= set(load_table().rows)
    assert not charged & set(ROWS_WITHOUT_EVENT)


# What one event costs, typed a second time: row of the notes, and how many times.
COSTS = {
    "cycles": ("core_cycle", 1),
    "instructions": ("decode", 1),
    "im_read": ("im_read", 1),
    "dm_read": ("bank_read", 1),
    "dm_write": ("bank_write", 1),
    "tm_read": ("tm_read", 1),
    "acc_read": ("accumulator_read", 1),
    "acc_write": ("accumulator_write", 1),
    "alu": ("alu", 1),
    "mac_8x8": ("mac_8x8", 1),
    "mac_8x16": ("mac_8x16", 1),
    "mac_16x16": ("mac_16x16", 1),
    "index_group": ("sparse_index", 1),
    "thread_switch": ("thread_switch", 1),
    "message_word": ("message_word", 1),
    "host_word": ("spi_bit", 64),
}


@pytest.mark.parametrize("event", list(EVENTS))
def test_one_event_is_charged_to_one_row_once(event: str) -> None:
    items = event_items({event: 1}, load_table())
    if event not in COSTS:
        assert items == []
        return
    (item,) = items
    row, times = COSTS[event]
    for corner in CORNERS:
        assert getattr(item.joules, corner) == pytest.approx(times * noted(corner)[row])
    assert (item.row, item.state) == (row, "running")
    assert item.account == ("link" if event == "host_word" else "dynamic")
    parts = joules_by_component({event: 1}, load_table())
    assert tuple(parts) == COMPONENTS
    assert math.fsum(band.typical for band in parts.values()) == pytest.approx(
        0.0 if event == "host_word" else times * noted("typical")[row]
    )


def test_reading_an_instruction_is_charged_once() -> None:
    # One word read, decoded and executed in one cycle: no row holds the read of another.
    counts = {"cycles": 1, "instructions": 1, "im_read": 1}
    assert joules(counts, load_table()).typical == pytest.approx((8 + 1.5 + 5) * 1e-12)
    assert {item.row for item in event_items(counts, load_table())} == {"core_cycle", "decode", "im_read"}


def test_the_link_is_not_the_work_of_the_part() -> None:
    assert joules({"host_word": 7}, load_table()) == Band()
    (item,) = event_items({"host_word": 7}, load_table())
    assert item.joules.typical == pytest.approx(7 * 64 * 20e-12)


def test_events_that_are_free_cost_nothing() -> None:
    assert joules(dict.fromkeys(NOT_ENERGY, 10**9), load_table()) == Band()


@pytest.mark.parametrize(("corner", "picojoule"), [("low", 1.23), ("typical", 3.03), ("high", 7.95)])
def test_dense_int8_work_costs_what_the_notes_say(corner: str, picojoule: float) -> None:
    # 128 x 128 weights of 8 bits: one word is eight of them, and each product reads and writes its accumulator, so the
    # formula of the notes is core / 8 + read / 8 + accumulator read + write + MAC.
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
    assert getattr(joules(counts, load_table()), corner) / macs == pytest.approx(picojoule * 1e-12, rel=0.01)


def test_scaling_of_voltage() -> None:
    table = load_table().at(1.6, 25.0)
    assert table.value("bank_read").typical == pytest.approx(4 * 6e-12)
    assert table.value("wake_core").high == pytest.approx(4 * 20e-9)
    assert table.value("bank_on").low == pytest.approx(2 * 1e-6)


def test_scaling_of_temperature() -> None:
    table = load_table().at(0.8, 55.0)
    assert table.value("bank_read").typical == pytest.approx(6e-12)
    assert table.value("bank_on").typical == pytest.approx(8 * 5e-6)
    assert load_table().at(0.8, 15.0).value("always_on_static").typical == pytest.approx(0.75e-6)


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
        ('unit = "pJ"', 'unit = "J"', "row bank_read: must be one of pJ, nJ, uW, us, not 'J'"),
        (
            'kind = "computed"',
            'kind = "guessed"',
            "must be one of measured on other chips, computed, assumed, not 'guessed'",
        ),
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
    assert Band(1, 2, 3).product(Band(2, 3, 4)) == Band(2, 6, 12)
    assert Band(1, 2, 3).times(2) == Band(2, 4, 6)


def test_the_option_takes_the_temperatures_that_the_law_holds_for() -> None:
    for celsius in (COLDEST_C, load_table().temperature_max_c):
        assert CELSIUS.accepts(celsius)
        load_table().at(0.8, celsius)
    for celsius in (COLDEST_C - 0.1, load_table().temperature_max_c + 0.1, math.nan, True):
        assert not CELSIUS.accepts(celsius)
