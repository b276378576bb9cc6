"""A Dask cluster on the loopback interface, in a process of its own: ``python -m tests.evaluation.cluster WORKERS``.

It prints the address of its scheduler, and ends when its standard input does.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def cluster(workers: int, scratch: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A cluster with so many workers of one thread: the address of its scheduler, and its process."""
    command = [sys.executable, "-m", "tests.evaluation.cluster", str(workers), str(scratch)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip(), running
        finally:
            if running.stdin is not None:
                running.stdin.close()
            running.wait(60)


def main() -> int:
    """Serve until standard input ends."""
    import dask
    from distributed import LocalCluster

    settings = {
        "distributed.scheduler.allowed-failures": 0,  # fewer deaths, and so fewer starts of workers
        "distributed.deploy.lost-worker-timeout": "600s",  # a busy machine takes its time to start another worker
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=int(sys.argv[1]),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            local_directory=sys.argv[2],
            silence_logs=logging.CRITICAL,
        ) as served,
    ):
        print(served.scheduler_address, flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
