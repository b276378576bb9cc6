"""Clips on processes of this computer.

Each process has the job once, and gets one clip at a time. A process that dies is replaced and its clip is tried once
more; a clip that ends two processes is reported and left out. Processes end with us, however we end.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType
from typing import Any

from femtodriver.errors import FemtoError, UsageError, WorkerError
from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask, died
from femtodriver.evaluation.evaluate_clip import ClipRunner

TRIES = 2
_HELLO, _READY = "hello", "ready"
_PATIENCE_S = 5.0


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_local(job: ClipJob, tasks: Iterable[ClipTask], workers: int) -> Generator[ClipResult, None, None]:
    """The results of all tasks, as they finish. Tasks are taken from ``tasks`` as workers become free.

    Raises WorkerError where a process cannot start, UsageError for a job that cannot be handed to another process.
    """
    pool = _Pool(_packed(job), tasks, workers)
    try:
        yield from pool.results()
    finally:
        pool.stop()


def _frozen(content: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


def _thawed(mapping: MappingProxyType[Any, Any]) -> tuple[Any, tuple[dict[Any, Any]]]:
    return _frozen, (dict(mapping),)


# Networks have such mappings, which Python itself does not hand to another process.
ForkingPickler.register(MappingProxyType, _thawed)


def _packed(job: ClipJob) -> bytes:
    """The job as bytes, once for all workers."""
    try:
        return bytes(ForkingPickler.dumps(job))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"rule: must be a function that other processes can import, not one inside a function or a lambda: {error}."
        ) from None


@dataclass(eq=False)
class _Worker:
    """One process, and the clip that it is at."""

    process: SpawnProcess
    link: Connection
    ready: bool = False
    task: ClipTask | None = None


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
        for _ in range(self.most):
            if not self._start():
                break
        while self.workers:
            ready = wait([worker.link for worker in self.workers])
            for worker in [worker for worker in self.workers if worker.link in ready]:
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
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs,), daemon=True, name="femtodriver clips")
        with _no_interrupt():  # it must not be told of a Ctrl-C, which is ours to handle
            process.start()
        theirs.close()
        self.workers.append(_Worker(process, ours, task=task))
        return True

    def _hear(self, worker: _Worker) -> ClipResult | None:
        """What a process has to say; or what follows from its end."""
        try:
            said = worker.link.recv()
        except (EOFError, OSError):
            return self._ended(worker)
        if isinstance(said, FemtoError):
            raise said
        if said == _HELLO:  # only now: a job is more than a pipe holds, and it may never be read
            with contextlib.suppress(OSError):
                worker.link.send_bytes(self.job)
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
                worker.link.send(worker.task)
        return result

    def _ended(self, worker: _Worker) -> ClipResult | None:
        task = worker.task
        self._close(worker)
        if not worker.ready:
            raise WorkerError(
                "evaluate: a worker process ended before it began; a script that evaluates must be a file and do its "
                'work under `if __name__ == "__main__":`, because workers import it.'
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
        worker.link.close()  # which ends a process that waits for a clip
        worker.process.join(_PATIENCE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.process.close()


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """A process that starts meanwhile hears of no Ctrl-C, where the system can arrange that; for us it comes later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(link: Connection) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError):  # we are not needed any more
        link.send(_HELLO)
        try:
            runner = ClipRunner(link.recv())
        except FemtoError as error:
            link.send(error)
            return
        link.send(_READY)
        while True:
            link.send(runner.run(link.recv()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
