"""What the part takes over one input period besides its work, by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from femtodriver.metrics.accounts import ACCOUNTS, STATES, by_account, by_row, by_state, shares_by_kind, total
from femtodriver.metrics.energy import Band, load_table
from femtodriver.metrics.events import joules
from femtodriver.metrics.power import CoreUse, Period, period_power
from femtodriver.part import load_part

PART = load_part("spu001")
TABLE = load_table()
IDLE_CORE = CoreUse(used=False, banks=0)
# Instruction and table memory of a core, in banks of 64 kB.
OTHER = (4096 * 8 + 4 * 2048 * 2) / 65536


def typical(period: Period) -> dict[str, float]:
    return {account: band.typical for account, band in by_account(period.items).items()}


def test_a_part_that_does_nothing_is_off_but_for_the_always_on_domain() -> None:
    period = period_power(TABLE, PART, [IDLE_CORE, IDLE_CORE], 0.0, 1.0)
    joules_of = typical(period)
    assert joules_of["always_on"] == pytest.approx(1.5e-6 + 1e-6)
    assert joules_of["leakage"] == pytest.approx(2 * (0.3e-6 + (8 + OTHER) * 0.05e-6))
    assert joules_of["waking"] == joules_of["pll"] == joules_of["dynamic"] == joules_of["link"] == 0
    assert period.naps == ()
    assert period.wake_s == Band()


def test_one_used_core_by_hand() -> None:
    period = period_power(TABLE, PART, [CoreUse(True, 3), IDLE_CORE], 0.001, 0.016)
    memories = 3 + OTHER
    on = 0.001 * (15e-6 + memories * 5e-6)
    asleep = 0.015 * (0.3e-6 + memories * 1.2e-6)
    off = 0.016 * (5 * 0.05e-6 + 0.3e-6 + (8 + OTHER) * 0.05e-6)
    wanted = {
        "dynamic": 0.0,
        "link": 0.0,
        "leakage": on + asleep + off,
        "waking": 3e-9 + memories * 0.2e-9 + 130e-6 * 40e-6,
        "pll": 0.001 * 130e-6,
        "always_on": 0.016 * 2.5e-6,
    }
    assert typical(period) == pytest.approx(wanted)
    assert (period.wake_s.low, period.wake_s.typical, period.wake_s.high) == pytest.approx((7e-6, 60e-6, 700e-6))


def test_the_corners_of_waking_the_pll_are_power_times_time() -> None:
    items = period_power(TABLE, PART, [CoreUse(True, 1), IDLE_CORE], 0.0, 1.0).items
    lock = by_row(items)["waking", "pll_lock"]
    assert (lock.low, lock.typical, lock.high) == pytest.approx((0.15e-9, 5.2e-9, 400e-9))


def test_two_cores_share_one_pll_and_one_always_on_domain() -> None:
    one = typical(period_power(TABLE, PART, [CoreUse(True, 4), IDLE_CORE], 0.001, 0.016))
    two = typical(period_power(TABLE, PART, [CoreUse(True, 4), CoreUse(True, 4)], 0.001, 0.016))
    assert two["pll"] == pytest.approx(one["pll"])
    assert two["always_on"] == pytest.approx(one["always_on"])
    assert two["waking"] - one["waking"] == pytest.approx(3e-9 + (4 + OTHER) * 0.2e-9)


@pytest.mark.parametrize(
    ("pause_s", "asleep"),
    [
        (59e-6, set()),  # waking takes 60 us
        (61e-6, {"memories", "pll"}),
        (203e-6, {"memories", "pll"}),  # 3 nJ / 14.7 uW = 204 us
        (205e-6, {"memories", "pll", "logic"}),
    ],
)
def test_a_block_sleeps_only_where_that_is_cheaper_and_there_is_time(pause_s: float, asleep: set[str]) -> None:
    period = period_power(TABLE, PART, [CoreUse(True, 2), IDLE_CORE], 0.001, 0.001 + pause_s)
    assert {nap.block for nap in period.naps if nap.sleeps} == asleep
    memories = 2 + OTHER
    pauses = math.fsum(item.joules.typical for item in period.items if item.state == "pause" and item.row[:4] == "bank")
    watts = memories * (1.2e-6 if "memories" in asleep else 5e-6) + (6 + 8 + OTHER) * 0.05e-6
    assert pauses == pytest.approx(pause_s * watts)


def test_without_a_pause_nothing_sleeps_or_wakes() -> None:
    period = period_power(TABLE, PART, [CoreUse(True, 8), CoreUse(True, 8)], 0.016, 0.016)
    leaked = 0.016 * 2 * (15e-6 + (8 + OTHER) * 5e-6)
    assert total(period.items).typical == pytest.approx(leaked + 0.016 * (2.5e-6 + 130e-6))
    assert by_state(period.items)["waking"] == Band()
    assert by_state(period.items)["pause"] == Band()


def test_rows_that_nothing_is_charged_to_are_not_listed() -> None:
    rows = by_row(period_power(TABLE, PART, [CoreUse(True, 8), CoreUse(True, 8)], 0.016, 0.016).items)
    assert {row for _, row in rows} == {"bank_on", "logic_on", "pll_on", "always_on_static", "always_on_clocked"}


def test_smaller_banks_leak_less() -> None:
    half = dataclasses.replace(PART, dm_bank_words=4096, cores=1)
    leaked = by_account(period_power(TABLE, half, [CoreUse(True, 8)], 1.0, 1.0).items)["leakage"]
    assert leaked.typical == pytest.approx(15e-6 + (4 + OTHER) * 5e-6)


def test_more_use_and_more_activity_never_leak_less() -> None:
    def leaked(banks: int, active_s: float) -> Band:
        return total(period_power(TABLE, PART, [CoreUse(True, banks), IDLE_CORE], active_s, 0.016).items)

    for fewer, more in ((leaked(1, 0.001), leaked(2, 0.001)), (leaked(2, 0.001), leaked(2, 0.002))):
        assert fewer.low < more.low
        assert fewer.typical < more.typical
        assert fewer.high < more.high


def test_sums_by_account_state_and_row_are_the_same() -> None:
    items = period_power(TABLE, PART, [CoreUse(True, 3), IDLE_CORE], 0.001, 0.016).items
    accounts, states, rows = by_account(items), by_state(items), by_row(items)
    assert tuple(accounts) == tuple(ACCOUNTS)
    assert tuple(states) == STATES
    for bands in (accounts.values(), states.values(), rows.values()):
        assert math.fsum(band.high for band in bands) == pytest.approx(total(items).high)
    assert all(band.high for band in rows.values())


def test_kinds_are_shares_of_the_typical_figure() -> None:
    items = period_power(TABLE, PART, [CoreUse(True, 1), IDLE_CORE], 0.0, 1.0).items
    shares = shares_by_kind(items, TABLE)
    # Retention and the PLL's lock are measured on other chips; the rest is assumed.
    measured = (1 + OTHER) * 1.2e-6 + 5.2e-9
    assert shares["measured on other chips"] == pytest.approx(measured / total(items).typical)
    assert shares["computed"] == 0
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert set(shares_by_kind([], TABLE).values()) == {0.0}


def test_a_speech_enhancer_that_fills_the_part_takes_about_the_power_of_the_notes() -> None:
    # 1 MB of int8 weights read once per frame of 8 ms, split over both cores: 3.03 pJ a MAC.
    macs = 2**20
    work = {"cycles": macs // 8, "mac_8x8": macs, "dm_read": macs // 8, "acc_read": macs, "acc_write": macs}
    period = period_power(TABLE, PART, [CoreUse(True, 8), CoreUse(True, 8)], macs / 16 / PART.clock_hz, 0.008)
    watts = (joules(work, TABLE).typical + total(period.items).typical) / 0.008
    assert watts == pytest.approx(0.45e-3, rel=0.1)
