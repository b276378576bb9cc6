"""The document as text and as YAML."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.machine.run_report import FrameCycles, RunReport
from femtodriver.metrics import build_document, document_text, document_yaml
from femtodriver.metrics.text_cells import quantity
from femtodriver.part import Part
from femtodriver.program.description import DescribedLayer, Description, ModelOrigin

Golden = Callable[[str, str], None]
TOOL = {"version": "0.1.0", "native": False, "seed": 0}

# Not the shipped part: a golden file must not change with its comments.
PART = Part(
    name="spu001",
    cores=2,
    dm_banks=8,
    dm_bank_words=8192,
    tm_banks=4,
    tm_bank_words=2048,
    im_words=4096,
    threads=64,
    lanes=8,
    acc_rows=128,
    clock_hz=100e6,
    voltage_v=0.8,
    message_latency=4,
    router_words=256,
    input_buffer_words=4096,
    output_buffer_words=4096,
    link_bits=4,
    link_hz=50e6,
    link_kind="assumed",
    link_source="a quad SPI",
    sha256="cd" * 32,
)


def described(report: RunReport, description: Description) -> dict[str, Any]:
    return build_document(report, description, PART, input_period_s=0.016, tool=TOOL)


def test_text_of_a_described_run(two_core_report: RunReport, description: Description, golden: Golden) -> None:
    golden("described.txt", document_text(described(two_core_report, description)))


def test_yaml_of_a_described_run(two_core_report: RunReport, description: Description, golden: Golden) -> None:
    golden("described.yaml", document_yaml(described(two_core_report, description)))


def test_text_of_a_bare_program_that_is_too_slow(tiny_report: RunReport, golden: Golden) -> None:
    golden("bare.txt", document_text(build_document(tiny_report, None, PART, input_period_s=1e-7)))


def test_yaml_of_a_bare_program(tiny_report: RunReport, golden: Golden) -> None:
    golden("bare.yaml", document_yaml(build_document(tiny_report, None, PART)))


def test_yaml_comes_back_equal(two_core_report: RunReport, description: Description) -> None:
    doc = described(two_core_report, description)
    back = yaml.safe_load(document_yaml(doc))
    assert back == doc
    assert list(back) == list(doc)


@pytest.mark.slow
@given(st.floats(allow_nan=False), st.text())
def test_yaml_keeps_every_float_and_text(number: float, text: str) -> None:
    doc = {"Power (W)": number, text: [text, number, {"a": number}], "twice": [TOOL, TOOL]}
    assert yaml.safe_load(document_yaml(doc)) == doc


def test_yaml_has_no_anchors_and_no_tags(two_core_report: RunReport, description: Description) -> None:
    text = document_yaml(described(two_core_report, description))
    assert "&id" not in text
    assert "!!" not in text


def test_the_caveat_stands_once(two_core_report: RunReport, description: Description) -> None:
    text = " ".join(document_text(described(two_core_report, description)).split())
    assert text.count("validated on SPU silicon") == 1
    assert text.count("not the vendor's silicon") == 1


def test_text_says_that_the_period_was_assumed(tiny_report: RunReport) -> None:
    assert "input period 16.0 ms (assumed: none was given)" in document_text(build_document(tiny_report, None, PART))
    given_period = build_document(tiny_report, None, PART, input_period_s=0.016)
    assert "none was given" not in document_text(given_period)


def test_text_says_what_is_not_as_in_the_file_of_the_part(tiny_report: RunReport) -> None:
    text = document_text(build_document(tiny_report, None, PART, clock_hz=2e7, voltage_v=0.6))
    assert "20.0 MHz, 0.6 V, 25 degC (clock and voltage as given)" in text
    assert " as given)" not in document_text(build_document(tiny_report, None, PART))


def test_names_from_a_file_cannot_break_the_table(two_core_report: RunReport, description: Description) -> None:
    plain = document_text(described(two_core_report, description)).splitlines()
    evil = DescribedLayer("evil\n\x1b[31m" + "x" * 500, "o" * 99, "%x.12", 0)
    layers = (evil, *(description.layers or ())[1:])
    odd = replace(description, layers=layers, model=ModelOrigin("m\r\n" + "y" * 500))
    lines = document_text(described(two_core_report, odd)).splitlines()
    assert len(lines) == len(plain)
    assert max(len(line) for line in lines) <= 130
    assert "\x1b" not in "".join(lines)


def test_text_says_which_cores_a_layer_ran_on(two_core_report: RunReport, description: Description) -> None:
    doc = described(two_core_report, description)
    doc["layers"][0].update(core=None, cycles_per_core={0: 1, 1: 2})
    (row,) = [line for line in document_text(doc).splitlines() if line.startswith("  0  ")]
    assert " 0,1 " in row


def test_a_run_that_did_nothing_has_a_text(tiny_report: RunReport) -> None:
    nothing = RunReport(FrameCycles.of([5]), FrameCycles.of([5]), ())
    text = document_text(build_document(nothing, None, PART))
    assert "0.00 J typical" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00 W"),
        (2.1e-4, "210 uW"),
        (1.0, "1.00 W"),
        (0.99951, "1.00 W"),
        (0.9994, "999 mW"),
        (9.996e-3, "10.0 mW"),
        (99.96e-9, "100 nW"),
        (3e-13, "0.30 pW"),
        (2.5e9, "2.50 GW"),
    ],
)
def test_quantities(value: float, text: str) -> None:
    assert quantity(value, "W") == text


@given(st.floats(1e-12, 1e9))
def test_quantities_are_true_to_half_a_percent(value: float) -> None:
    figure, unit = quantity(value, "s").split(" ")
    scale = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}[unit[:-1]]
    assert math.isclose(float(figure) * scale, value, rel_tol=0.005)
