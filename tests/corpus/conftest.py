"""The table of the graphs that were checked, at the end of the run."""

from __future__ import annotations

import pytest

from tests.corpus.corpus_check import Row
from tests.corpus.corpus_text import table_text


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # Rows travel in the reports, so that tests may run in other processes.
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    properties = [entry for report in reports for entry in getattr(report, "user_properties", ())]
    rows = [Row(**value) for name, value in properties if name == "corpus row"]
    if rows:
        terminalreporter.section("corpus", sep="-")
        terminalreporter.write(table_text(sorted(rows, key=lambda row: row.name)))
