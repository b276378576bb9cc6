"""Several processes that compile and measure the programs of a sweep, one job at a time each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

from femtodriver.errors import FemtoError, WorkerError
from femtodriver.sweep.measured_program import Job, Measured, measure
from femtodriver.worker_process import WorkerProcess

Answer = Sequence[Measured]


def measure_all(jobs: Sequence[Job], workers: int) -> list[Answer]:
    """What each job gives, in their order. WorkerError if a process dies; errors of the jobs are raised here."""
    found: dict[int, Answer] = {}
    waiting = list(enumerate(jobs))[::-1]
    with _processes(workers, _serve) as processes:
        busy: dict[Connection, int] = {}
        while len(found) < len(jobs):
            ready = wait([one.link for one in processes if not one.begun or one.link in busy])
            for process in [one for one in processes if one.link in ready]:
                answer = _received(process)
                if answer is not None:
                    found[busy.pop(process.link)] = answer
                if waiting:
                    busy[process.link], job = waiting.pop()
                    _send(process.link, job)
    return [found[place] for place in range(len(jobs))]


def _send(link: Connection, job: Job) -> None:
    try:
        link.send(job)
    except OSError:
        raise _died() from None


def _received(process: WorkerProcess) -> Answer | None:
    """An answer; None from a process that has begun."""
    try:
        answer: Answer | FemtoError | None = process.heard("sweep")
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
def _processes(count: int, work: Callable[[Connection], None]) -> Iterator[list[WorkerProcess]]:
    """New processes; none of them is left afterwards."""
    started: list[WorkerProcess] = []
    try:
        for _ in range(count):
            started.append(WorkerProcess.start(work, "sweep"))
        yield started
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.end()


def _serve(link: Connection) -> None:
    """The life of a process: jobs come and answers go."""
    while True:
        job = link.recv()
        answer: Answer | FemtoError
        try:
            answer = measure(job)
        except FemtoError as error:
            answer = error
        link.send(answer)
