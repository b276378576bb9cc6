"""Real worker processes: the same results from any number of them, and what becomes of clips that end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from femtodriver.errors import UsageError, WorkerError
from femtodriver.evaluation.clip_job import DIED
from tests.evaluation.evaluation_bench import (
    NUMBER,
    POISON,
    POISONED,
    SLOW,
    evaluate,
    parquet_bytes,
    rows,
    write_clips,
)

pytestmark = pytest.mark.slow


def test_any_number_of_workers_gives_the_same_bytes_and_spares_the_neighbours_of_a_poisoned_clip(here: Path) -> None:
    write_clips(here / "clips", [1, 2, POISON, 777, 5, 6])
    Path("rules.py").write_text(POISONED)
    doc, said = evaluate(rule="rules.py:rule", workers=2, output_dir="two")
    assert [row["predicted"] for row in rows("two")] == ["1", "2", None, "777", "5", "6"]
    assert [row["error"] for row in rows("two")] == [None, None, DIED, None, None, None]
    assert doc["clips"]["failed"] == 1
    assert f"failed: clips/002.npy: {DIED}" in said[-1]
    evaluate(rule="rules.py:rule", workers=1, output_dir="one")
    assert parquet_bytes("one") == parquet_bytes("two")


COMMAND = [sys.executable, "-m", "femtodriver", "evaluate", "LOOPBACK", "--inputs", "clips", "--rule", "rules.py:rule"]


def begun(here: Path, least: int) -> subprocess.Popen[str]:
    """The command at work, after it has seen some clips."""
    running = subprocess.Popen(
        [*COMMAND, "--workers", "2"],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen = here / "seen"
    while running.poll() is None and len(seen.read_text().split() if seen.exists() else ()) < least:
        time.sleep(0.05)
    return running


def journal_lines(here: Path) -> int:
    (journal,) = (here / "evaluations" / "LOOPBACK" / "journal").iterdir()
    return journal.read_bytes().count(b"\n") - 1


def test_ctrl_c_and_kill_lose_no_clip_that_has_finished(here: Path) -> None:
    clips = 30
    write_clips(here / "clips", [*range(1, clips + 1)])
    Path("rules.py").write_text(SLOW)
    running = begun(here, 6)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to workers too
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    first = len(rows())
    assert first >= 4
    assert err == f"femtodrive: interrupted after {first} of {clips} clips; what was done so far was written as such.\n"
    assert out.endswith("the same command goes on from here\n")

    running = begun(here, first + 8)
    running.kill()
    running.communicate(timeout=60)
    second = journal_lines(here)
    assert second >= first + 4
    assert len(rows()) >= first

    done = subprocess.run(COMMAND, cwd=here, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{second} of {clips} clips have been run before, and are not run again" in done.stdout
    assert [row["predicted"] for row in rows()] == [str(number) for number in range(1, clips + 1)]
    seen = [int(word) for word in Path("seen").read_text().split()]
    assert set(seen) == set(range(1, clips + 1))
    assert len(seen) - clips <= 4  # those that were being run at the two interruptions
    interrupted = parquet_bytes()

    evaluate(rule="rules.py:rule", workers=2, output_dir="whole")
    assert parquet_bytes("whole") == interrupted


def test_a_rule_that_others_cannot_import_is_refused(here: Path) -> None:
    write_clips(here / "clips", [1])
    with pytest.raises(UsageError, match=r"^rule: must be a function that other processes can import"):
        evaluate(rule=lambda outputs: 1)


SCRIPT = """
from femtodriver import Femtodriver
Femtodriver().evaluate("LOOPBACK", inputs="clips", workers=1)
"""


def test_a_script_without_a_guard_is_told_so(here: Path) -> None:
    write_clips(here / "clips", [1])
    Path("script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert (
        f"{WorkerError.__name__}: evaluate: a worker process ended before it began; a script that starts workers"
        in done.stderr
    )


def number(outputs: object) -> object:
    """A rule that workers can import."""
    space: dict[str, object] = {}
    return len(space)


def test_a_function_of_python_is_a_rule(here: Path) -> None:
    write_clips(here / "clips", [1])
    Path("rules.py").write_text(NUMBER)
    evaluate(rule=number)
    assert [row["predicted"] for row in rows()] == ["0"]
