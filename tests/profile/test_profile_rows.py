from __future__ import annotations

import math
from pathlib import Path

import pytest

from femtodriver.machine.run_report import EVENTS, STALLS
from femtodriver.profile.profile_rows import ClippedAt, CoreTime
from tests.notebook_tables import table_of
from tests.profile.profile_runs import Measured, hand_made, measured, run_of, spotter


def check_sums(run: Measured) -> None:
    """Rows add up to the totals: counts to the last one, joules up to the rounding of the document."""
    profile, cores = run.profile, run.report.cores
    for event in EVENTS:
        assert sum(row.counts.get(event, 0) for row in profile.rows) == sum(core.total(event) for core in cores), event
        assert profile.total.counts.get(event, 0) == sum(core.total(event) for core in cores)
    assert profile.busy == sum(row.cycles for row in profile.rows)
    for core in profile.cores:
        assert core.busy + sum(core.waiting.values()) == profile.elapsed == run.report.frame_cycles.total
    for corner in ("low", "typical", "high"):
        whole = getattr(profile.energy_j, corner)
        assert math.isclose(math.fsum(getattr(row.energy_j, corner) for row in profile.rows), whole, rel_tol=1e-7)
        rest = math.fsum(getattr(band, corner) for band in profile.outside.values())
        assert math.isclose(whole + rest, run.doc["energy_j"]["period"][corner], rel_tol=1e-7)
    for cause in STALLS:
        waited = sum(core.waiting[cause] for core in profile.cores)
        assert sum(row.waits[cause] for row in profile.rows) == waited
    for row in profile.rows:
        assert row.saturated == sum(place.elements for place in row.clipped_at)
        for event in EVENTS:
            assert row.counts.get(event, 0) == sum(own.get(event, 0) for own in row.per_core.values())
        assert not (row.fate and row.cycles), "a layer with instructions has no other fate"


ZOO = (
    "biquad_int16_opt conditional_energy_gate conv2d_kws_S_double femtogru_denoise_M_double fft64_int16 fir_int24_opt "
    "gru_kws_M_double_p80 i24_stft_ola loop_bandgru loop_tanh lstm_vad_S_double_p0 mlp_mix_eights multi_io_double "
    "rnn_tag_S_double sru_denoise_M_double_p80 strided_n4_k3 swa_S_double tdnn_kws_S_double_p0 writer_math"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO.split())
def test_sums_equal_the_totals_to_the_cycle(corpus: Path, name: str) -> None:
    check_sums(run_of(corpus / "zoo" / name / "graph.pt", scale=30000))


def test_sums_of_a_run_on_two_cores() -> None:
    check_sums(spotter())
    assert spotter().profile.rows[0].cores == (0, 1)


def test_a_program_without_description_is_one_row() -> None:
    report, _ = hand_made()
    (row,) = measured(report, None).profile.rows
    assert (row.label, row.op, row.cycles, row.saturated) == ("(program)", "program", 42, 9)


def test_rows_of_a_run_by_hand() -> None:
    profile = measured(*hand_made()).profile
    assert [(row.place, row.label, row.op, row.cycles) for row in profile.rows] == [
        (0, "lin", "addmm", 20),
        (1, "lin %x.2", "relu", 0),
        (2, "gru rnn.py:4", "vvadd", 13),
        (3, "(frame end)", "frame_end", 5),
        (4, "(runtime)", "runtime", 4),
    ]
    product, relu, added, *_ = profile.rows
    assert (product.macs_dense, product.macs_stored, product.macs_executed) == (64, 32, 8)
    assert (product.weight_density, product.activation_density) == (0.5, None)
    assert (product.read, product.written, product.includes) == (24, 0, (1,))
    assert profile.utilisation(product) == 8 / (20 * profile.lanes)
    assert relu.is_idle
    assert relu.fate is not None
    assert relu.fate.into == (0,)
    assert added.cores == (0, 1)
    assert added.activation_density == 0.4
    assert added.written == 16
    assert added.clipped_at == (ClippedAt(0, 2, 3), ClippedAt(1, 0, 5))
    assert profile.utilisation(added) is None
    assert profile.cores == (
        CoreTime(35, {"message": 0, "dependency": 3, "idle": 4}),
        CoreTime(7, {"message": 1, "dependency": 0, "idle": 34}),
    )
    assert (profile.per_frame(42), profile.per_frame(13)) == (21, 6.5)


def test_the_repr_is_short() -> None:
    assert repr(spotter().profile) == "<Profile of 'keyword_spotter': 36 layers, 24 frames of 636.2 cycles>"


def test_a_notebook_shows_the_layers_that_cost_something_and_their_sum() -> None:
    report, description = hand_made()
    profile = measured(report, description).profile
    (_, *rows) = table_of(profile._repr_html_())
    assert [row[0] for row in rows] == [*(row.label for row in profile.rows if not row.is_idle), "all layers"]
    assert [row[2:4] for row in rows][-1] == [f"{profile.busy / profile.frames:g}", "100.0 %"]
    assert rows[0][4].endswith("J")


def test_the_document_says_the_same_of_each_layer() -> None:
    run = measured(*hand_made())
    told = run.doc["layers"][2]
    assert (told["label"], told["module"], told["line"]) == ("gru rnn.py:4", "gru", "rnn.py:4")
    assert (told["saturations"], told["cycles_per_core"], told["fate"]) == (4, {0: 3, 1: 3.5}, None)
    assert run.doc["layers"][1]["fate"] == {"how": "fused", "into": [0]}
    assert run.doc["layers"][1]["cycles_per_core"] == {}
