"""Clips on processes of this computer.

Each process has the job once, and gets one clip at a time. A process that dies is replaced and its clip is tried once
more; a clip that ends two processes is reported and left out. Processes end with us, however we end.
"""

from __future__ import annotations

import contextlib
import pickle
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from femtodriver.errors import FemtoError, UsageError, WorkerError
from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask, died
from femtodriver.evaluation.evaluate_clip import ClipRunner
from femtodriver.worker_process import WorkerProcess, packed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

TRIES = 2
_READY = "ready"


def run_local(job: ClipJob, tasks: Iterable[ClipTask], workers: int) -> Generator[ClipResult, None, None]:
    """The results of all tasks, as they finish. Tasks are taken from ``tasks`` as workers become free.

    Raises WorkerError where a process cannot start, UsageError for a job that cannot be handed to another process.
    """
    pool = _Pool(_packed(job), tasks, workers)
    try:
        yield from pool.results()
    finally:
        pool.stop()


def _packed(job: ClipJob) -> bytes:
    """The job as bytes, once for all workers."""
    try:
        return packed(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"rule: must be a function that other processes can import, not one inside a function or a lambda: {error}."
        ) from None


@dataclass(eq=False)
class _Worker:
    """One process, and the clip that it is at."""

    process: WorkerProcess
    task: ClipTask | None = None
    ready: bool = False


@dataclass(eq=False)
class _Pool:
    """The processes, and the clips that are still to be done. ``job``: packed."""

    job: bytes
    tasks: Iterable[ClipTask]
    most: int
    again: deque[ClipTask] = field(default_factory=deque)
    deaths: dict[str, int] = field(default_factory=dict)
    workers: list[_Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = iter(self.tasks)

    def results(self) -> Iterator[ClipResult]:
        """As they finish."""
        from multiprocessing.connection import wait

        for _ in range(self.most):
            if not self._start():
                break
        while self.workers:
            ready = wait([worker.process.link for worker in self.workers])
            for worker in [worker for worker in self.workers if worker.process.link in ready]:
                found = self._hear(worker)
                if found is not None:
                    yield found

    def stop(self) -> None:
        """End what runs."""
        for worker in self.workers:
            worker.process.kill()
        while self.workers:
            self._close(self.workers[0])

    def _next(self) -> ClipTask | None:
        return self.again.popleft() if self.again else next(self._left, None)

    def _start(self) -> bool:
        """One more process, if there is something to do for it."""
        task = self._next()
        if task is None:
            return False
        self.workers.append(_Worker(WorkerProcess.start(_work, "clips"), task))
        return True

    def _hear(self, worker: _Worker) -> ClipResult | None:
        """What a process has to say; or what follows from its end."""
        try:
            said = worker.process.heard("evaluate")
        except (EOFError, OSError):
            return self._ended(worker)
        if isinstance(said, FemtoError):
            raise said
        if said is None:  # only now: a job is more than a pipe holds, and it may never be read
            with contextlib.suppress(OSError):
                worker.process.link.send_bytes(self.job)
            return None
        result = None
        if isinstance(said, ClipResult):
            result = said
            worker.task = self._next()
        worker.ready = True
        if worker.task is None:
            self._close(worker)
        else:
            with contextlib.suppress(OSError):  # its end is heard of in the next round
                worker.process.link.send(worker.task)
        return result

    def _ended(self, worker: _Worker) -> ClipResult | None:
        task = worker.task
        self._close(worker)
        if not worker.ready:
            raise WorkerError(
                "evaluate: a worker process must live until its work is done, and one died while it took up the "
                "program, perhaps for want of memory. Use fewer workers."
            )
        result = None
        if task is not None:
            self.deaths[task.name] = self.deaths.get(task.name, 0) + 1
            if self.deaths[task.name] < TRIES:
                self.again.append(task)
            else:
                result = died(task)
        self._start()
        return result

    def _close(self, worker: _Worker) -> None:
        self.workers.remove(worker)
        worker.process.end()


def _work(link: Connection) -> None:
    """The life of a worker process."""
    try:
        runner = ClipRunner(link.recv())
    except FemtoError as error:
        link.send(error)
        return
    link.send(_READY)
    while True:
        link.send(runner.run(link.recv()))
