"""The comparison with published chips: networks of the right sizes, and tables that follow from the figures."""

from __future__ import annotations

import re
from pathlib import Path

import equal_mac_networks as networks
import published_chips
import pytest
from equal_mac_networks import EqualMacNetwork

from femtodriver.metrics.power import CoreUse
from femtodriver.part import load_part
from tests.metrics.energy_notes import noted

PAGE = Path(__file__).resolve().parents[2] / "docs" / "energy.md"
PART = load_part("spu001")
NUMBER = r"\d[\d.,]*"


# Multiplications and weights as counted from the reference models.
@pytest.mark.parametrize(
    ("network", "macs", "weights"),
    [
        (networks.AD, 264_192, 264_192),
        (networks.KWS, 2_656_768, 22_016),
        (networks.IC, 12_501_632, 77_360),
        (networks.VWW, 7_489_664, 208_112),
        (networks.SWW_WINDOW, 826_368, 46_040),
        (networks.SWW_STREAM, 46_040, 46_040),
        (networks.TC_RESNET8, 1_522_560, 64_512),
        (networks.DENSE_570K, 570_000, 570_000),
    ],
)
def test_networks_have_the_multiplications_of_their_models(network: EqualMacNetwork, macs: int, weights: int) -> None:
    assert network.macs == macs
    assert network.weights == weights


def test_the_machine_executes_exactly_these_multiplications() -> None:
    for network in (networks.AD, networks.SWW_STREAM):
        work = networks.work_of(network, PART)
        assert work.counts["mac_8x8"] == work.counts["matrix_executed"] == network.macs
        assert work.cycles >= network.macs / PART.lanes


def test_zero_activations_of_a_whole_program_save_work() -> None:
    chain, dense = networks.work_of_chain(networks.AD, PART), networks.work_of(networks.AD, PART)
    assert chain.counts["matrix_stored"] == networks.AD.macs
    assert chain.counts["mac_8x8"] < dense.counts["mac_8x8"]


def test_weights_fill_banks_core_after_core() -> None:
    assert published_chips.core_uses(1, PART) == [CoreUse(True, 2), CoreUse(False, 0)]
    assert published_chips.core_uses(65536, PART) == [CoreUse(True, 2), CoreUse(False, 0)]
    assert published_chips.core_uses(570_000, PART) == [CoreUse(True, 8), CoreUse(True, 2)]


def test_what_is_compared_is_work_and_what_the_part_takes_while_it_runs() -> None:
    work = networks.work_of(networks.AD, PART)
    row, seconds = noted("typical"), work.cycles / PART.clock_hz
    counts = {
        "cycles": "core_cycle",
        "instructions": "decode",
        "im_read": "im_read",
        "dm_read": "bank_read",
        "dm_write": "bank_write",
        "acc_read": "accumulator_read",
        "acc_write": "accumulator_write",
        "alu": "alu",
        "mac_8x8": "mac_8x8",
        "index_group": "sparse_index",
        "thread_switch": "thread_switch",
    }
    charged = sum(work.counts[event] * row[name] for event, name in counts.items())
    memories, off = 6 + 0.75, 2 + 8 + 0.75  # 264,192 bytes fill five banks; one more for the rest
    static = row["logic_on"] + memories * row["bank_on"] + row["pll_on"] + row["always_on_static"]
    static += row["always_on_clocked"] + off * row["bank_off"] + row["logic_off"]
    assert published_chips.running_joules(work).typical == pytest.approx(charged + seconds * static)


def test_the_tables_of_the_page_are_those_of_the_model() -> None:
    """Names and published figures to the letter; ours within a tenth, so that a better compiler does not break it."""
    page = PAGE.read_text("utf-8")
    assert "<!-- chips -->" in page
    told, found = (re.findall(r"^\|.*\|$", text, re.MULTILINE) for text in (_marked(page), published_chips.report()))
    assert len(told) == len(found)
    for old, new in zip(told, found, strict=True):
        for was, now in zip(old.split("|"), new.split("|"), strict=True):
            numbers = [[float(word) for word in re.findall(NUMBER, cell.replace(",", ""))] for cell in (was, now)]
            renew = "renew the tables with: python benchmarks/published_chips.py --write docs/energy.md"
            assert re.sub(NUMBER, "", was) == re.sub(NUMBER, "", now), renew
            assert numbers[0] == pytest.approx(numbers[1], rel=0.1), renew


def _marked(page: str) -> str:
    """The text between the marks of the tables."""
    return page.partition("<!-- chips -->")[2].partition("<!-- end of chips -->")[0]


def test_ratios_are_published_over_ours() -> None:
    rows = re.findall(
        r"^\| [^|]+\| ([\d,]+) \| [^|]+\| ([\d.,]+) \| ([\d.,]+) \| [^|]+\| ([\d.,]+) \| ([\d.,]+) - ([\d.,]+) \| log",
        published_chips.report(),
        re.MULTILINE,
    )
    assert len(rows) == len(published_chips.INFERENCES)
    for row in rows:
        _, published, ours, ratio, least, most = (float(cell.replace(",", "")) for cell in row)
        assert ratio == pytest.approx(published / ours, rel=0.06)
        assert least < ratio < most
