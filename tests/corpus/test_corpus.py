"""Every graph of the corpus: fqir = fmir = fasmir = the stored integers, all cases, all frames.

The table of all graphs is printed at the end of the run. Compile times are told, not tested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.corpus_check import (
    EXACT,
    REFUSED,
    WRONG,
    Case,
    DifferenceError,
    Row,
    Runner,
    check_graph,
    graph_names,
    run_case,
)
from tests.corpus.corpus_text import table_text, totals, truly_too_large

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "corpus"


@pytest.mark.slow
@pytest.mark.parametrize("graph", graph_names(FOLDER))
def test_exact_or_truly_too_large(corpus: Path, record_property: Callable[[str, object], None], graph: str) -> None:
    row = check_graph(corpus, graph)
    record_property("corpus row", asdict(row))
    assert row.verdict != WRONG, row.reason
    assert row.verdict == EXACT or truly_too_large(row), f"{row.kind}: {row.reason}"


@pytest.mark.slow
def test_a_graph_that_is_too_large_is_refused_with_numbers(corpus: Path, tmp_path: Path) -> None:
    part = tmp_path / "tiny.toml"
    shipped = Path(__file__).resolve().parents[2] / "src" / "femtodriver" / "part" / "parts" / "spu001.toml"
    part.write_text(shipped.read_text("utf-8").replace("dm_bank_words = 8192", "dm_bank_words = 16"), "utf-8")
    row = check_graph(corpus, "zoo/gru_kws_S_double_p0", str(part))
    assert row.verdict == REFUSED
    assert truly_too_large(row), row.reason


def test_only_true_numbers_excuse_a_refusal() -> None:
    sentence = "data memory of core 0 must hold {} bytes, but spu001 has 524288 per core"
    assert truly_too_large(Row("a", REFUSED, "CapacityError", sentence.format(524296)))
    assert not truly_too_large(Row("a", REFUSED, "CapacityError", sentence.format(524288)))
    assert not truly_too_large(Row("a", REFUSED, "CapacityError", "it does not fit"))
    assert not truly_too_large(Row("a", REFUSED, "UnsupportedError", sentence.format(524296)))


CASE = Case("outputs_rand", {"x": np.zeros((2, 3), np.int64)}, {"y": np.array([[1, 2, 3], [1, 2, 3]])}, 2)


@pytest.mark.parametrize("wrong", [[1, 2, 4], [1, 2]])
def test_a_wrong_frame_is_found(wrong: list[int]) -> None:
    runner = Runner("fmir", lambda: None, lambda frame: {"y": np.array(wrong)})
    with pytest.raises(DifferenceError, match=r"fmir, case outputs_rand, frame 0, output 'y'"):
        run_case(runner, CASE, independent=False)


def test_a_missing_output_is_found() -> None:
    with pytest.raises(DifferenceError, match=r"outputs are \[\], not \['y'\]"):
        run_case(Runner("fmir", lambda: None, lambda frame: {}), CASE, independent=False)


@pytest.mark.parametrize(("independent", "resets"), [(False, 1), (True, 3)])
def test_frames_of_graphs_without_init_start_afresh(independent: bool, resets: int) -> None:
    counted: list[int] = []
    runner = Runner("fmir", lambda: counted.append(0), lambda frame: {"y": np.array([1, 2, 3])})
    run_case(runner, CASE, independent=independent)
    assert len(counted) == resets


def test_an_input_too_wide_for_its_type_is_told(corpus: Path) -> None:
    name = "captured/0253_biquad__test_biquad_with_known_input_known_filter_True-int24-int16-2-992-input"
    row = check_graph(corpus, name)
    assert row.verdict == EXACT
    assert row.note.startswith("outputs_test, frame 0, for fqir alone: input '%input.6743': ")


def test_the_table_tells_what_went_wrong() -> None:
    rows = [
        Row("zoo/a", EXACT, cases=2, frames=96, nodes=5, load_s=0.5, compile_s=0.25, cycles=12.5, cores=1),
        Row("zoo/b", REFUSED, "CapacityError", "too big"),
        Row("captured/c", WRONG, "DifferenceError", "frame 3"),
    ]
    text = table_text(rows)
    assert text.startswith(
        "3 graphs: 1 exact, 1 refused, 1 wrong (fqir = fmir = fasmir = stored, 96 frames in 2 cases)"
    )
    assert "wrong: captured/c: DifferenceError: frame 3\nrefused: zoo/b: CapacityError: too big\n" in text
    assert text.endswith("zoo/a      5   0.500      0.250          12.5      1             0         0\n")
    assert "0 graphs" in totals([])
