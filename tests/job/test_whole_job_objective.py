"""The option ``objective``: what is compiled, and what the report says of the other choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from femtodriver import Femtodriver

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def metrics(folder: Path, objective: str, period: float, clock: float | None = None) -> Any:
    with Femtodriver() as fd:
        fd.run(
            SPOTTER,
            runners="fasmir",
            n_frames=2,
            input_period=period,
            objective=objective,
            clock=clock,
            output_dir=folder,
            hw_config="spu001x4",
        )
    return yaml.safe_load((folder / "keyword_spotter" / "metrics.yaml").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize(("objective", "other"), [("energy", "cycles"), ("cycles", "energy"), ("balanced", "energy")])
def test_the_other_choice_is_what_it_would_be(tmp_path: Path, objective: str, other: str) -> None:
    """The figures of the other choice are those of a run with it."""
    mine, its = (metrics(tmp_path / name, name, 0.016) for name in (objective, other))
    told = mine["other_choice"]
    assert told["objective"] == other
    assert told["cycles"] == its["cycles"]["total"]
    assert told["power_w"] == its["power_w"]["total"]
    assert mine["tool"]["compiler_options"]["objective"] == objective


@pytest.mark.slow
def test_a_short_period_takes_more_cores(tmp_path: Path) -> None:
    far, near = metrics(tmp_path / "far", "energy", 0.016), metrics(tmp_path / "near", "energy", 1e-6)
    assert near["cycles"]["total"] < far["cycles"]["total"]
    assert far["tool"]["compiler_options"]["deadline"] == 1_600_000


@pytest.mark.slow
def test_the_deadline_is_that_of_the_clock_that_is_given(tmp_path: Path) -> None:
    """At 100 kHz one core misses a period that more cores meet."""
    slow = metrics(tmp_path, "energy", 0.008, clock=1e5)
    assert slow["tool"]["compiler_options"]["deadline"] == 800
    assert slow["deadline"]["met"]
