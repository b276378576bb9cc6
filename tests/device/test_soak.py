"""A short run of ``soak``; the long one is a command, see there."""

from __future__ import annotations

import sys

import pytest

from tests.device.soak import soak


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of processes from /proc")
def test_frames_over_tcp_stay_equal_and_memory_flat() -> None:
    result = soak(4000)
    assert result.frames == 4000
    assert result.client_growth < 4096
    assert result.board_growth < 4096
