"""What the tests of the driver share: a driver that finds nothing in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver import Femtodriver


@pytest.fixture
def fd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Femtodriver:
    """A driver in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Femtodriver()
