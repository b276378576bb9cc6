"""Clips on the workers of a Dask cluster that is there already.

The job is a task of its own, so that the cluster can make it again when the worker that held it is gone. When a worker
dies, the cluster tries its clips on others, and gives up those that were on several workers that died, whichever of
them it was that did it. Those are tried again at the end, each alone: what dies then is reported and left out.

Dask packs and unpacks tasks and results with pickle: whoever controls the scheduler or a worker can run code here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from femtodriver import __version__
from femtodriver.errors import UsageError, WorkerError
from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask, died
from femtodriver.evaluation.evaluate_clip import run_clip

USUAL_TIMEOUT_S = 10.0
# Clips that the cluster has at a time, for each of its threads: enough that none waits for us.
_AHEAD = 3


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
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        client = _client(distributed, scheduler, wait_s)
        try:
            _check_workers(client, scheduler, wait_s)
            yield from _Cluster(distributed, client, job, scheduler).results(tasks)
        finally:
            client.close()


def _client(distributed: Any, scheduler: str, wait_s: float) -> Any:
    try:
        return distributed.Client(scheduler, timeout=wait_s, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WorkerError(
            f"scheduler: {scheduler}: must be the address of a Dask scheduler that answers within {wait_s:g} s, as in "
            f"tcp://127.0.0.1:8786: {reason:.200}."
        ) from None


def _check_workers(client: Any, scheduler: str, wait_s: float) -> None:
    try:
        client.wait_for_workers(1, timeout=wait_s)
    except TimeoutError:
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

    def results(self, tasks: Iterable[ClipTask]) -> Iterator[ClipResult]:
        """As they finish; then those that were on workers that died, one at a time."""
        left, again = iter(tasks), []
        sent: dict[Any, ClipTask] = {}
        finished = self._distributed.as_completed()
        while self._fill(sent, left, finished):
            future = next(finished)
            task = sent.pop(future)
            result = self._result(future)
            if result is None:
                again.append(task)
            else:
                yield result
        for task in again:
            yield self._result(self._submit(task)) or died(task)

    def _fill(self, sent: dict[Any, ClipTask], left: Iterator[ClipTask], finished: Any) -> bool:
        """Send as many clips as the cluster can do with; whether there are any."""
        threads = sum(self._client.nthreads().values())
        while len(sent) < _AHEAD * max(1, threads):
            task = next(left, None)
            if task is None:
                break
            future = self._submit(task)
            sent[future] = task
            finished.add(future)
        return bool(sent)

    def _submit(self, task: ClipTask) -> Any:
        return self._client.submit(run_clip, self._job, task, pure=False)

    def _result(self, future: Any) -> ClipResult | None:
        """The result of a clip; None if the cluster gave it up because workers died."""
        try:
            result: ClipResult = future.result()
        except self._distributed.scheduler.KilledWorker:
            return None
        except (self._distributed.client.FutureCancelledError, OSError) as error:
            raise WorkerError(f"scheduler: {self._scheduler}: must stay until all clips are done: {error}.") from None
        return result
