"""Hostile ``.fqir`` files: every row of docs/fqir-file.md is refused, with bounded memory, nothing is executed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fqir.exchange.attack_files import ATTACKS
from tests.fqir.exchange.fqir_samples import sample, written
from tests.fqir.exchange.largest_files import FILES
from tests.fqir.files import attack_runner

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 200_000_000
MOST_CALLS = 5_000_000
# Only ends a process that hangs: nothing is claimed about time.
KILL_AFTER_SECONDS = 500
MOST_MESSAGE = 400

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a fresh process says about each file."""
    folder = tmp_path_factory.mktemp("attacks")
    good = folder.parent / "good.fqir"
    good.write_bytes(written(sample()))
    for label, (_, make) in ATTACKS.items():
        (folder / f"{label}.fqir").write_bytes(make())
    for label, large in FILES.items():
        (folder / f"{label}.fqir").write_bytes(large())
    command = [sys.executable, "-m", attack_runner.__name__, str(good), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=KILL_AFTER_SECONDS, check=False)
    for path in folder.iterdir():
        path.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    return {row["case"].removesuffix(".fqir"): row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("label", ATTACKS)
def test_attack_is_refused(label: str, report: dict[str, dict[str, Any]]) -> None:
    row = report[label]
    assert row["verdict"] == "refused", row["message"]
    message = row["message"]
    assert re.search(ATTACKS[label][0], message)
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < MOST_MESSAGE
    assert row["events"] == []
    assert row["calls"] < MOST_CALLS
    assert row["peak"] < MOST_BYTES, "memory of the whole process, interpreter and numpy included"


@pytest.mark.parametrize(("label", "verdict"), [("nodes", "loaded"), ("texts", "loaded"), ("strangers", "refused")])
def test_the_largest_files_need_no_more_than_that(label: str, verdict: str, report: dict[str, dict[str, Any]]) -> None:
    row = report[label]
    assert (row["verdict"], row["events"]) == (verdict, [])
    assert row["calls"] < MOST_CALLS
    assert row["peak"] < MOST_BYTES


def test_the_page_lists_every_attack() -> None:
    page = (ROOT / "docs" / "fqir-file.md").read_text("utf-8")
    assert re.findall(r"^\| (\d\.\d+) \|", page, flags=re.MULTILINE) == list(ATTACKS)
