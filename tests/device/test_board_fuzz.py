"""A short run of ``board_fuzz``; the long one is a command, see there."""

from __future__ import annotations

import pytest

from tests.device.board_fuzz import run


@pytest.mark.slow
def test_mutated_traffic_is_answered_or_noted() -> None:
    tally = run(4000, seed=11)
    assert sum(tally.mutants.values()) == 4000
    assert tally.frames > 100
    assert {"protocol", "message", "address", "power", "fault"} <= set(tally.noted)
