"""The rows of the corpus are computed once, for the graphs that were asked for, and shown at the end of the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus_check import Row, check_all
from corpus_text import table_text

_ROWS = pytest.StashKey[dict[str, Row]]()


@pytest.fixture(scope="session")
def rows(request: pytest.FixtureRequest, corpus: Path) -> dict[str, Row]:
    """The row of every graph whose test was collected, by name."""
    wanted: dict[str, None] = dict.fromkeys(
        item.callspec.params["graph"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "graph" in item.callspec.params
    )
    found = {row.name: row for row in check_all(corpus, list(wanted))}
    request.config.stash[_ROWS] = found
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_ROWS, {})
    if found:
        terminalreporter.section("corpus", sep="-")
        terminalreporter.write(table_text(list(found.values())))
