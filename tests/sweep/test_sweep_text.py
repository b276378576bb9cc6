"""The table and the CSV of a sweep."""

from __future__ import annotations

import csv
import io

from femtodriver.metrics.named_figures import FIGURES
from femtodriver.options.value_kinds import SWEEP_FORMS
from femtodriver.sweep.sweep_result import SweepResult, marked
from femtodriver.sweep.sweep_text import FORMS, SHOWN, column, sweep_csv, sweep_text
from tests.sweep.sweep_rows import result, row


def test_the_command_line_knows_every_form() -> None:
    assert tuple(FORMS) == SWEEP_FORMS
    assert set(SHOWN) <= set(FIGURES)


def test_the_table() -> None:
    found = result(
        row(2e-3, 1e-6, clock_hz=1e6, deadline_met=True),
        row(1e-3, 2e-6, clock_hz=2e6, deadline_met=True),
        row(1e-3, 1e-6, clock_hz=3e6, deadline_met=False),
        row(figures={}, reason="data memory: must have room\x1b", part="tiny", clock_hz=1e6),
        row(figures={}, reason="data memory: must have room\x1b", part="tiny", clock_hz=2e6),
    )
    text = sweep_text(found)
    lines = text.splitlines()
    assert lines[0] == "net: 5 variants, 2 frames from seed 0"
    assert lines[1] == "the same in all: voltage 0.8 V, input-period 16.0 ms, temperature 25 degC"
    cells = ["*", "spu001", "1.00", "MHz", "2.00", "ms", "-", "-", "1.00", "uW", "-", "-", "-", "met"]
    assert lines[4].split() == cells
    assert lines[5].startswith("  *  spu001")
    assert (lines[6].startswith("     spu001"), lines[6].endswith("MISSED")) == (True, True)
    assert lines[-2:] == ["impossible: part tiny", "  data memory: must have room?"]


def test_one_variant_that_is_impossible() -> None:
    text = sweep_text(SweepResult("a b", None, 1, None, ("a note",), marked([row(figures={}, reason="no")])))
    assert text.startswith('"a b": 1 variant, 1 frame\nnote: a note\nthe same in all: part spu001')
    assert text.endswith("degC\n\nimpossible: all\n  no")


def test_a_long_reason_is_wrapped_and_not_cut() -> None:
    reason = f"data memory: must have {'more ' * 60}room. Use another part."
    text = sweep_text(result(row(figures={}, reason=reason)))
    assert " ".join(text.splitlines()[-4:]).split("all")[-1].split() == reason.split()
    assert max(map(len, text.splitlines())) <= 120


def test_a_reason_in_csv_is_text() -> None:
    (only,) = csv.DictReader(io.StringIO(sweep_csv(result(row(figures={}, reason="=1\0")))))
    assert only["reason"] == r"'=1\x00"


def test_csv_has_every_setting_and_figure() -> None:
    found = result(
        row(2e-3, 1e-6, compiler_options={"cores": 1}, deadline_met=True),
        row(figures={}, reason='no "room", sorry', compiler_options={"cores": 2}, input_period_s=None),
    )
    first, second = csv.DictReader(io.StringIO(sweep_csv(found)))
    assert (first["cores"], first["latency_s"], first["power_w"], first["energy_j"]) == ("1", "0.002", "1e-06", "")
    assert (first["fits"], first["deadline_met"], first["optimal"], first["objective"]) == ("true", "true", "true", "")
    assert (second["fits"], second["reason"], second["input_period_s"]) == ("false", 'no "room", sorry', "")
    columns = list(first)
    assert len(columns) == len(set(columns))
    assert {column(name) for name in FIGURES} <= set(columns)
