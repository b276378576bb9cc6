"""Results are dicts that show their shapes, and so do models and programs."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.runners.run_result import RunResult
from femtodriver.sweep import run_sweep

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
ROWS = np.zeros((3, 2), np.int64)


def words(text: str) -> str:
    """The text that a notebook shows; the HTML must be well formed."""
    return " ".join(ElementTree.fromstring(f"<x>{text}</x>").itertext())


def test_it_is_a_dict() -> None:
    plain = {
        "pass": True,
        "status_str": "a = b\nc",
        "outputs": {"a": {"y": ROWS}, "b": {}},
        "internals": {"a": {"z": ROWS}},
    }
    result = RunResult(plain)
    assert isinstance(result, dict)
    assert result == plain
    assert {**result} == plain
    assert type(copy.copy(result)) in (RunResult, dict)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(result))["outputs"]["a"]["y"], ROWS)
    assert repr(result) == "<a = b: a y (3, 2); internal values: 1>"
    assert "internal value" in words(result._repr_html_())


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (RunResult(), "<nothing ran: no outputs>"),
        (RunResult(outputs={"fqir": {"y": ROWS}}, compare_str="Single Runner"), "<fqir ran: fqir y (3, 2)>"),
    ],
)
def test_results_without_a_verdict(result: RunResult, shown: str) -> None:
    assert repr(result) == shown
    assert words(result._repr_html_())


@pytest.mark.slow
def test_what_a_prompt_and_a_notebook_show(tmp_path: Path) -> None:
    with Femtodriver() as fd:
        fd.compile(SPOTTER, output_dir=tmp_path)
        result, metrics = fd.simulate(fd.generate_inputs(n_frames=4))
        compared = fd.compare(fd.generate_inputs(n_frames=4), "fqir,fasmir")
        assert fd.fqir is not None
        assert fd.compiled_data is not None
        shown: list[tuple[object, str]] = [
            (fd.fqir, "<Network keyword_spotter: 34 nodes, 12,053 parameters; features (32 x 16 bits) to output.0"),
            (fd.fqir.frame, "<Graph"),
            (fd.compiled_data, "<CompiledData: 2 cores; DM "),
            (fd._model, "<CompiledModel: <Built keyword_spotter for spu001: <CompiledData: 2 cores; "),
            (run_sweep(SPOTTER, clock=[1e6, 2e6]), "<SweepResult of keyword_spotter: 2 variants, 2 possible, 1 "),
        ]
    assert repr(result) == "<fasmir ran: fasmir output.0 (4, 5)>"
    assert repr(compared) == "<fqir = fasmir, 4 frames, bit-exact: fqir output.0 (4, 5), fasmir output.0 (4, 5)>"
    for thing, start in shown:
        assert repr(thing).startswith(start)
        assert len(repr(thing)) < 250
    for thing in (*(one for one, _ in shown), result, compared, metrics):
        if hasattr(thing, "_repr_html_"):
            assert words(thing._repr_html_())
