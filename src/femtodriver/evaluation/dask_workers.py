"""Clips on the workers of a Dask cluster that is there already.

The job is a task of its own, so that the cluster can make it again when the worker that held it is gone. When a worker
dies, the cluster tries its clips on others, and gives up those that were on several workers that died, whichever of
them it was that did it. Those are tried again at the end, each alone: what dies then is reported and left out.

Dask packs and unpacks tasks and results with pickle: whoever controls the scheduler or a worker can run code here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import queue
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from femtodriver import __version__
from femtodriver.errors import UsageError, WorkerError
from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask, died
from femtodriver.evaluation.evaluate_clip import run_clip

USUAL_TIMEOUT_S = 10.0
# Clips that the cluster has at a time, for each of its threads: enough that none waits for us.
_AHEAD = 3
# How often we look whether there are still workers, and how long the cluster may be without one.
_LOOK_S, _PATIENCE_S = 2.0, 120.0


def check_distributed() -> None:
    """UsageError where the package distributed is missing."""
    if importlib.util.find_spec("distributed") is None:
        raise UsageError("scheduler: the package distributed must be installed: pip install 'open-femtodriver[dask]'")


def run_on_cluster(
    job: ClipJob, tasks: Iterable[ClipTask], scheduler: str, timeout_s: float | None
) -> Generator[ClipResult, None, None]:
    """The results of all tasks, as they finish. ``timeout_s``: how long to wait for the scheduler and a first worker.

    Raises WorkerError for a cluster that does not answer, has no workers or other versions, or goes away.
    """
    import dask
    import distributed

    wait_s = USUAL_TIMEOUT_S if timeout_s is None else timeout_s
    with _quiet(), dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        client = _client(distributed, scheduler, wait_s)
        try:
            _check_workers(client, scheduler, wait_s)
            yield from _Cluster(distributed, client, job, scheduler).results(tasks)
        finally:
            client.close()


def _client(distributed: Any, scheduler: str, wait_s: float) -> Any:
    import asyncio  # which takes time to load: here and below, for the sake of runs without a cluster
    from concurrent.futures import ThreadPoolExecutor

    try:
        with ThreadPoolExecutor(1) as thread:  # this one may have a loop that runs
            thread.submit(asyncio.run, _greeted(distributed, scheduler, wait_s)).result()
        return distributed.Client(scheduler, timeout=wait_s, set_as_default=False)
    except (OSError, ValueError, TypeError, asyncio.TimeoutError) as error:  # TypeError: tls:// without certificates
        reason = str(error).splitlines()[0] if str(error) else "it does not answer"
        raise WorkerError(
            f"scheduler: {scheduler}: must be the address of a Dask scheduler that answers within {wait_s:g} s, as in "
            f"tcp://127.0.0.1:8786: {reason:.200}."
        ) from None


async def _greeted(distributed: Any, scheduler: str, wait_s: float) -> None:
    """A client waits without end for somebody who takes a connection and says nothing; this does not."""
    import asyncio

    async def greet() -> None:
        arguments = distributed.Security().get_connection_args("client")
        link = await distributed.comm.connect(scheduler, timeout=wait_s, **arguments)
        await link.close()

    await asyncio.wait_for(greet(), wait_s)


def _check_workers(client: Any, scheduler: str, wait_s: float) -> None:
    import asyncio

    try:
        client.wait_for_workers(1, timeout=wait_s)
    except asyncio.TimeoutError:
        raise WorkerError(f"scheduler: {scheduler}: must have a worker within {wait_s:g} s, not none.") from None
    for address, found in client.run(_version, on_error="return").items():
        if found != __version__:
            raise WorkerError(
                f"scheduler: {scheduler}: the worker {address} must have open-femtodriver {__version__}, not {found}."
            )


def _version() -> str:
    return __version__


def _same(job: ClipJob) -> ClipJob:
    return job


class _Cluster:
    """A client at work."""

    def __init__(self, distributed: Any, client: Any, job: ClipJob, scheduler: str) -> None:
        self._distributed, self._client, self._scheduler = distributed, client, scheduler
        self._job = client.submit(_same, job, key=f"femtodriver-job-{job.identity}", pure=False)
        self._sent: dict[str, tuple[Any, ClipTask]] = {}
        self._finished: queue.SimpleQueue[str] = queue.SimpleQueue()

    def results(self, tasks: Iterable[ClipTask]) -> Iterator[ClipResult]:
        """As they finish; then those that were on workers that died, one at a time."""
        left, again = iter(tasks), []
        while self._fill(left):
            task, result = self._next()
            if result is None:
                again.append(task)
            else:
                yield result
        for task in again:
            self._submit(task)
            yield self._next()[1] or died(task)

    def _fill(self, left: Iterator[ClipTask]) -> bool:
        """Send as many clips as the cluster can do with; whether there are any."""
        threads = self._threads()
        while len(self._sent) < _AHEAD * max(1, threads):
            task = next(left, None)
            if task is None:
                break
            self._submit(task)
        return bool(self._sent)

    def _submit(self, task: ClipTask) -> None:
        future = self._client.submit(run_clip, self._job, task, pure=False)
        self._sent[future.key] = (future, task)
        future.add_done_callback(lambda done: self._finished.put(done.key))

    def _next(self) -> tuple[ClipTask, ClipResult | None]:
        """The next clip that is done, and its result: None if the cluster gave it up because workers died."""
        import asyncio

        alone_s = 0.0
        while True:
            with contextlib.suppress(queue.Empty, asyncio.TimeoutError):
                return self._fetched(self._finished.get(timeout=_LOOK_S))
            alone_s = 0.0 if self._threads() else alone_s + _LOOK_S
            if alone_s >= _PATIENCE_S:
                raise self._gone(f"it has had no worker for {_PATIENCE_S:g} s")

    def _fetched(self, key: str) -> tuple[ClipTask, ClipResult | None]:
        """A clip that was done, and its result. TimeoutError where that went with a worker and is made again."""
        import asyncio

        future, task = self._sent[key]
        result: ClipResult | None = None
        try:
            result = future.result(timeout=_LOOK_S)
        except self._distributed.scheduler.KilledWorker:
            result = None
        except asyncio.TimeoutError:
            self._finished.put(key)  # others may be there in the meantime
            raise
        except (self._distributed.client.FutureCancelledError, OSError) as error:
            raise self._gone(str(error).splitlines()[0]) from None
        del self._sent[key]
        return task, result

    def _threads(self) -> int:
        """How many threads work for the cluster now."""
        try:
            return sum(self._client.nthreads().values())
        except (OSError, ValueError) as error:  # no connection, or none any more
            raise self._gone(str(error).splitlines()[0]) from None

    def _gone(self, why: str) -> WorkerError:
        return WorkerError(
            f"scheduler: {self._scheduler}: the cluster must stay until all clips are done: {why.rstrip('.')}; the "
            "same command goes on where this one ended."
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Dask tells on standard error what we report in a sentence, or what is no fault."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "distributed.comm")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
