"""A real Dask cluster on the loopback interface: the same bytes as local processes, with workers that die."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from femtodriver.errors import WorkerError
from femtodriver.evaluation import dask_workers
from femtodriver.evaluation.clip_job import DIED
from tests.evaluation.cluster import cluster
from tests.evaluation.evaluation_bench import POISON, evaluate, parquet_bytes, rows, write_clips

pytestmark = pytest.mark.slow

# Notes who works; ends its process for one clip.
NOTING = """
import os, pathlib, time

def rule(outputs):
    first = int(next(iter(outputs.values()))[0, 0])
    with open(pathlib.Path(__file__).with_name("seen"), "a") as seen:
        seen.write(f"{os.getpid()} {first}\\n")
    if first == 666:
        os._exit(3)
    time.sleep(0.05)
    return first
"""


def seen(here: Path) -> list[tuple[int, int]]:
    """Who has worked on what so far."""
    with contextlib.suppress(FileNotFoundError):
        words = (here / "seen").read_text().split()
        return [(int(pid), int(clip)) for pid, clip in zip(words[::2], words[1::2], strict=False)]
    return []


@contextlib.contextmanager
def killing(here: Path, least: int, signals: dict[int, signal.Signals] | None = None) -> Iterator[None]:
    """Kills the process that worked first (or those of ``signals``), when so many clips have been begun."""

    def watch() -> None:
        while len(seen(here)) < least:
            time.sleep(0.02)
        for pid, number in (signals or {seen(here)[0][0]: signal.SIGKILL}).items():
            os.kill(pid, number)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    watcher.join(60)
    assert not watcher.is_alive()


def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed_and_a_clip_is_poisoned(here: Path) -> None:
    numbers = [*range(1, 25)]
    numbers[17] = POISON
    write_clips(here / "clips", numbers)
    Path("rules.py").write_text(NOTING)
    with cluster(2, here / "scratch") as (address, _), killing(here, 8):
        doc, _ = evaluate(rule="rules.py:rule", workers=None, scheduler=address, output_dir="cluster")
    assert [row["predicted"] for row in rows("cluster")] == [str(n) if n != POISON else None for n in numbers]
    assert [row["error"] for row in rows("cluster")] == [None if n != POISON else DIED for n in numbers]
    assert doc["clips"] == {"all": 24, "done": 24, "failed": 1, "frames": 23 * 5}
    (journal,) = Path("cluster/LOOPBACK/journal").iterdir()
    assert journal.read_bytes().count(b"\n") == 1 + 24  # every clip exactly once
    evaluate(rule="rules.py:rule", workers=2, output_dir="local")
    assert parquet_bytes("cluster") == parquet_bytes("local")


def test_a_cluster_that_goes_away_is_one_sentence_and_nothing_is_lost(here: Path) -> None:
    write_clips(here / "clips", [*range(1, 41)])
    Path("rules.py").write_text(NOTING)
    with (
        cluster(1, here / "scratch") as (address, running),
        killing(here, 6, {running.pid: signal.SIGKILL}),
        pytest.raises(WorkerError, match=rf"^scheduler: {address}: the cluster must stay until all clips are done"),
    ):
        evaluate(rule="rules.py:rule", workers=None, scheduler=address)
    assert len(rows()) >= 1
    doc, said = evaluate(rule="rules.py:rule", workers=2)
    assert "of 40 clips have been run before" in said[1]
    assert doc["clips"]["done"] == 40
    assert [row["predicted"] for row in rows()] == [str(number) for number in range(1, 41)]


def test_a_cluster_without_workers_is_one_sentence(here: Path) -> None:
    write_clips(here / "clips", [1])
    with (
        cluster(0, here / "scratch") as (address, _),
        pytest.raises(WorkerError, match=rf"^scheduler: {address}: must have a worker within 0\.5 s, not none\.$"),
    ):
        evaluate(workers=None, scheduler=address, scheduler_timeout=0.5)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:{silent}", "tcp://127.0.0.1:{closed}", "tls://127.0.0.1:1", "nonsense://x", "a b"]
)
def test_a_scheduler_that_does_not_answer_is_one_sentence(here: Path, address: str) -> None:
    write_clips(here / "clips", [1])
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        full = address.format(silent=silent.getsockname()[1], closed=closed.getsockname()[1])
        with pytest.raises(WorkerError, match=r"must be the address of a Dask scheduler that answers within 0\.5 s"):
            evaluate(workers=None, scheduler=full, scheduler_timeout=0.5)


def test_workers_of_another_version_are_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clips(here / "clips", [1])
    monkeypatch.setattr(dask_workers, "__version__", "9.9")
    with (
        cluster(1, here / "scratch") as (address, _),
        pytest.raises(WorkerError, match=r"the worker tcp://.* must have open-femtodriver 9\.9, not "),
    ):
        evaluate(workers=None, scheduler=address)
