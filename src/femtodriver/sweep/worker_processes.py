"""Several processes that compile and measure the programs of a sweep.

Each has a pipe of its own, and a new job when it has answered the last one. There are no threads and no queues, so
there is nothing to wait for when a process dies or the user interrupts: the others are ended.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType
from typing import Any

from femtodriver.errors import FemtoError, WorkerError
from femtodriver.sweep.measured_program import Job, Measured, measure

Answer = Sequence[Measured]


def measure_all(jobs: Sequence[Job], workers: int) -> list[Answer]:
    """What each job gives, in their order. WorkerError if a process dies; errors of the jobs are raised here."""
    found: dict[int, Answer] = {}
    waiting = list(enumerate(jobs))[::-1]
    with _processes(workers) as connections:
        idle, busy = list(connections), dict[Connection, int]()
        while len(found) < len(jobs):
            while idle and waiting:
                connection = idle.pop()
                busy[connection], job = waiting.pop()
                _send(connection, job)
            ready = wait(list(busy))
            for connection in [one for one in connections if one in ready]:
                found[busy.pop(connection)] = _received(connection)
                idle.append(connection)
    return [found[place] for place in range(len(jobs))]


def _send(connection: Connection, job: Job) -> None:
    try:
        connection.send(job)
    except OSError:
        raise _died() from None


def _received(connection: Connection) -> Answer:
    try:
        answer: Answer | FemtoError = connection.recv()
    except (EOFError, OSError):
        raise _died() from None
    if isinstance(answer, FemtoError):
        raise answer
    return answer


def _died() -> WorkerError:
    return WorkerError(
        "sweep: a process must live until its work is done, and one died, perhaps for want of memory. Use fewer "
        "workers."
    )


@contextmanager
def _processes(workers: int) -> Iterator[list[Connection]]:
    """New processes, by our ends of their pipes; none of them is left afterwards."""
    context = multiprocessing.get_context("spawn")
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # the first process would start it, and that lets Ctrl-C through
    started, connections = [], []
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            with _deaf_to_ctrl_c():
                process.start()
            theirs.close()
            started.append(process)
            connections.append(ours)
        yield connections
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join()
        for connection in connections:
            connection.close()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started meanwhile never gets Ctrl-C, which reaches all processes of a terminal: ours ends the others."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection) -> None:
    """The life of a process: jobs come and answers go until nobody asks any more."""
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        answer: Answer | FemtoError
        try:
            answer = measure(job)
        except FemtoError as error:
            answer = error
        connection.send(answer)


def _view(items: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(items)


def _reduced(view: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return _view, (dict(view),)


# Networks hold views of mappings, which no process could send to another otherwise.
ForkingPickler.register(MappingProxyType, _reduced)
