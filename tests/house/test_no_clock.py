"""A test never asserts how long something took: on a busy machine that says nothing about us.

So no file of the tests reads a clock, whatever it does with the reading, but for those of READERS. The fields in which
these keep what they read are not looked at by any test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source_code import ROOT

TESTS = ROOT / "tests"
HARMLESS = {"sleep", "struct_time"}
# Clocks outside the modules time and timeit, by the end of their names.
CLOCKS = ("ru_utime", "ru_stime", "datetime.now", "datetime.utcnow", "os.times")

# Files that may read a clock: why, and the fields that the readings end in.
READERS: dict[str, tuple[str, set[str]]] = {
    "agree/random_graphs.py": ("as a script it prints how long it took", set()),
    "board_bench.py": ("waits for a board until a deadline", set()),
    "corpus/corpus_check.py": ("the table of the corpus has a column for it", {"load_s", "compile_s"}),
    "device/board_fuzz.py": ("as a script it prints the slowest mutant", {"slowest_s"}),
    "device/soak.py": ("as a script it prints how long it took", {"seconds"}),
    "fqir/exchange/measure_reading.py": ("as a script it prints how long reading takes", set()),
    "program/program_fuzz.py": ("as a script it prints the slowest mutant", {"slowest_s"}),
    "tflite/measure_shapes.py": ("as a script it prints how long the compiler took", set()),
}
FIELDS = set().union(*(fields for _, fields in READERS.values()))


def clock_readings(text: str) -> list[str]:
    """Everything that could give the time, with its line: called, imported, or handed on under another name."""
    return [f"line {line}: {what}" for line, what in _found(ast.parse(text))]


def _found(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_clock(node):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "timeit"):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name not in HARMLESS)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            renamed = [alias for alias in node.names if alias.name in ("time", "timeit") and alias.asname]
            yield from ((node.lineno, f"{alias.name} as {alias.asname}") for alias in renamed)


def _is_clock(node: ast.Attribute) -> bool:
    module, _, name = ast.unparse(node).rpartition(".")
    return (module in ("time", "timeit") and name not in HARMLESS) or ast.unparse(node).endswith(CLOCKS)


def timed_fields(text: str) -> list[str]:
    """Places that look at a field with a reading in it."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute) and node.attr in FIELDS]
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in nodes]


def files() -> dict[str, str]:
    return {path.relative_to(TESTS).as_posix(): path.read_text("utf-8") for path in sorted(TESTS.rglob("*.py"))}


def test_no_file_reads_the_clock() -> None:
    found = {name: clock_readings(text) for name, text in files().items() if name not in READERS}
    assert {name: readings for name, readings in found.items() if readings} == {}


def test_files_that_may_read_it_do() -> None:
    assert [name for name in READERS if not clock_readings(files()[name])] == []


def test_no_test_looks_at_a_reading() -> None:
    tests = {name: text for name, text in files().items() if Path(name).name.startswith("test_")}
    found = {name: timed_fields(text) for name, text in tests.items()}
    assert {name: places for name, places in found.items() if places} == {}


def test_files_that_may_read_it_assert_nothing_about_it() -> None:
    for name in READERS:
        claims = [ast.unparse(node) for node in ast.walk(ast.parse(files()[name])) if isinstance(node, ast.Assert)]
        assert [claim for claim in claims if clock_readings(claim) or timed_fields(claim)] == [], name


@pytest.mark.parametrize(
    "text",
    [
        "import time\nstart = time.monotonic()",
        "from time import time\nx = [time()]",
        "import time\ndef f(stats, t):\n    stats.slowest = time.perf_counter() - t",
        "import time\nclock = time.process_time",
        "import time as t\nx = t.time()",
        "from timeit import default_timer",
        "import timeit\nassert timeit.timeit(f) < 3",
        "from datetime import datetime\nx = datetime.now()",
        "import resource\nx = resource.getrusage(0).ru_utime",
    ],
)
def test_a_reading_is_found(text: str) -> None:
    assert clock_readings(text) + timed_fields(text) != []


def test_a_look_at_a_reading_is_found() -> None:
    assert timed_fields("assert result.slowest_s < 3") != []


@pytest.mark.parametrize("text", ["time.sleep(1)", "runner.time()", "wait(timeout=60)", "from time import sleep"])
def test_what_is_no_reading_is_left_alone(text: str) -> None:
    assert clock_readings(text) == []
