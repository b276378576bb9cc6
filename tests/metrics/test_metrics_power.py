"""Leakage over one input period, by hand."""

from __future__ import annotations

import dataclasses

import pytest

from femtodriver.metrics.energy import Band, load_table
from femtodriver.metrics.events import joules
from femtodriver.metrics.power import CoreUse, idle_joules, leakage_joules
from femtodriver.part import load_part

PART = load_part("spu001")
TABLE = load_table()
IDLE_CORE = CoreUse(used=False, banks=0)
# Instruction and table memory of a core, in banks of 64 kB.
OTHER = (4096 * 8 + 4 * 2048 * 2) / 65536


def test_a_block_sleeps_only_where_that_is_cheaper() -> None:
    on, asleep, wake = Band(1e-6, 5e-6, 20e-6), Band(0.2e-6, 1.5e-6, 5e-6), Band(0.05e-9, 0.2e-9, 1e-9)
    # 0.2 nJ / 3.5 uW = 57 us
    assert idle_joules(on, asleep, wake, 57e-6).typical == pytest.approx(57e-6 * 5e-6)
    assert idle_joules(on, asleep, wake, 58e-6).typical == pytest.approx(58e-6 * 1.5e-6 + 0.2e-9)
    assert idle_joules(on, asleep, wake, 1.0).low == pytest.approx(0.2e-6 + 0.05e-9)
    assert idle_joules(on, asleep, wake, 0.0) == Band()


def test_a_part_that_does_nothing_is_off_but_for_the_always_on_domain() -> None:
    leaked = leakage_joules(TABLE, PART, [IDLE_CORE, IDLE_CORE], 0.0, 1.0)
    assert leaked.typical == pytest.approx(20e-6 + 2 * (0.3e-6 + (8 + OTHER) * 0.05e-6))


def test_one_used_core_by_hand() -> None:
    leaked = leakage_joules(TABLE, PART, [CoreUse(True, 3), IDLE_CORE], 0.001, 0.016)
    memories = 3 + OTHER
    on = 0.001 * (15e-6 + memories * 5e-6)
    asleep = 0.015 * (0.3e-6 + memories * 1.5e-6)
    wakes = 3e-9 + memories * 0.2e-9
    off = 0.016 * (5 * 0.05e-6 + 0.3e-6 + (8 + OTHER) * 0.05e-6)
    assert leaked.typical == pytest.approx(on + asleep + wakes + off + 0.016 * 20e-6)


def test_without_idle_time_nothing_sleeps_or_wakes() -> None:
    leaked = leakage_joules(TABLE, PART, [CoreUse(True, 8), CoreUse(True, 8)], 0.016, 0.016)
    assert leaked.typical == pytest.approx(0.016 * (20e-6 + 2 * (15e-6 + (8 + OTHER) * 5e-6)))


def test_smaller_banks_leak_less() -> None:
    half = dataclasses.replace(PART, dm_bank_words=4096, cores=1)
    leaked = leakage_joules(TABLE, half, [CoreUse(True, 8)], 1.0, 1.0)
    assert leaked.typical == pytest.approx(20e-6 + 15e-6 + (4 + OTHER) * 5e-6)


def test_more_use_and_more_activity_never_leak_less() -> None:
    def leaked(banks: int, active_s: float) -> Band:
        return leakage_joules(TABLE, PART, [CoreUse(True, banks), IDLE_CORE], active_s, 0.016)

    for fewer, more in ((leaked(1, 0.001), leaked(2, 0.001)), (leaked(2, 0.001), leaked(2, 0.002))):
        assert fewer.low < more.low
        assert fewer.typical < more.typical
        assert fewer.high < more.high


def test_a_speech_enhancer_that_fills_the_part_takes_about_the_power_of_the_notes() -> None:
    # 1 MB of int8 weights read once per frame of 8 ms, split over both cores.
    macs = 2**20
    work = {"cycles": macs // 8, "mac_8x8": macs, "dm_read": macs // 8, "acc_read": macs, "acc_write": macs}
    leaked = leakage_joules(TABLE, PART, [CoreUse(True, 8), CoreUse(True, 8)], macs / 16 / PART.clock_hz, 0.008)
    watts = (joules(work, TABLE).typical + leaked.typical) / 0.008
    assert watts == pytest.approx(0.4e-3, rel=0.1)
