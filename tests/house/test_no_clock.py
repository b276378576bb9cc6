"""A test never asserts how long something took: on a busy machine that says nothing about us."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.source_code import ROOT

CLOCKS = {"perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "time"}
READINGS = CLOCKS | {f"time.{clock}" for clock in CLOCKS}


def clock_readings(text: str) -> list[str]:
    """Calls like ``time.monotonic()``, with their lines."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [f"line {call.lineno}: {ast.unparse(call)}" for call in calls if ast.unparse(call.func) in READINGS]


def test_no_test_reads_the_clock() -> None:
    found = {path.relative_to(ROOT).as_posix(): clock_readings(path.read_text("utf-8")) for path in files()}
    assert {name: readings for name, readings in found.items() if readings} == {}


def files() -> list[Path]:
    return sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("text", ["import time\nstart = time.monotonic()", "from time import time\nx = [time()]"])
def test_a_reading_is_found(text: str) -> None:
    assert clock_readings(text) != []


@pytest.mark.parametrize("text", ["time.sleep(1)", "runner.time()", "wait(timeout=60)"])
def test_what_is_no_reading_is_left_alone(text: str) -> None:
    assert clock_readings(text) == []
