"""Hostile files: every row of parts 1 to 3 is refused, with bounded memory and work, without executing anything."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_limits import MAX_OPCODES
from femtodriver.fqir.files.load_network import load_network
from tests.fqir.files import attack_runner
from tests.fqir.files.attack_builders import ATTACKS
from tests.fqir.files.attack_runner import Watch
from tests.fqir.graph_wire import archive, bare, constant, graph, ignored, legacy

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 200_000_000
MOST_CALLS = 8 * MAX_OPCODES
# Only ends a process that hangs: nothing is claimed about time.
KILL_AFTER_SECONDS = 500
MOST_MESSAGE = 600

Report = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What a fresh process says about each file."""
    folder = tmp_path_factory.mktemp("attacks")
    good = folder.parent / "good.pt"
    good.write_bytes(archive(graph()))
    for label, attack in ATTACKS.items():
        (folder / label).write_bytes(attack.build())
    command = [sys.executable, "-m", attack_runner.__name__, str(good), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=KILL_AFTER_SECONDS, check=False)
    for path in folder.iterdir():
        path.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    return {row["case"]: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("label", ATTACKS)
def test_attack_is_refused(label: str, report: Report) -> None:
    row = report[label]
    assert row["verdict"] == "refused", row["message"]
    message = row["message"]
    assert re.search(ATTACKS[label].says, message)
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < MOST_MESSAGE
    assert row["events"] == []
    assert row["calls"] < MOST_CALLS
    assert row["peak"] < MOST_BYTES, "memory of the whole process, interpreter and numpy included"


def test_the_watch_can_see_execution() -> None:
    watch = Watch()
    with watch.on():
        watch("open", ("a.pt",))
        watch("os.system", (b"true",))
        watch("import", ("os",))
    watch("exec", ())
    assert watch.events == ["os.system", "import"]


def test_the_listed_attacks_are_all_there() -> None:
    assert len(ATTACKS) >= 197


@pytest.mark.parametrize("wrap", [archive, bare, legacy])
@pytest.mark.parametrize("harmless", [graph(), constant([1, 2]), ignored({"a": [None]})])
def test_what_the_attacks_are_made_from_is_harmless(wrap: Any, harmless: Any) -> None:
    """The refusals above are due to what each attack changes."""
    assert load_network(wrap(harmless)).frame.nodes[0].op == "relu"


def test_a_refusal_says_which_input_it_is_about() -> None:
    with pytest.raises(ModelError, match=r"^the 0 bytes given: "):
        load_network(b"")
