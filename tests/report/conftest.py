"""Reports that several tests look at, and the browser that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from headless_chromium import Chromium, find_chromium

from tests.report.report_runs import attacked, spotter

NO_CHROMIUM = "needs the program chromium (Debian: apt install chromium)"


@pytest.fixture(scope="session")
def spotter_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the keyword spotter."""
    return spotter(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def attack_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a network whose names try to be HTML."""
    return attacked(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    """A headless Chromium; without one the test is skipped."""
    if find_chromium() is None:
        pytest.skip(NO_CHROMIUM)
    with Chromium() as made:
        yield made
