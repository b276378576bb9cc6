"""Many clips on several runners of one model, in as many threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy.typing as npt

from femtodriver.errors import UsageError
from femtodriver.runners.runner import Runner, Values

Clip = Mapping[str, npt.ArrayLike]


def run_many(runners: Sequence[Runner], clips: Iterable[Clip]) -> Iterator[Values]:
    """The outputs of each clip, in the order of the clips: int64 arrays (frames, elements) by name.

    clips: inputs by name, as ``Runner.run`` takes them, each run from the initial state on. They are taken from the
    iterable as runners become free, so it may make or load them on the way; outputs that nobody has taken yet are kept
    for at most twice as many clips as there are runners.
    runners: equal ones, each used by one thread at a time. The native loop runs without Python's lock, so as many of
    them as the processor has cores use all of it; runners on NumPy gain little.

    Raises what ``Runner.run`` does for the first clip that fails, and UsageError without runners.
    """
    if not runners:
        raise UsageError("run_many: runners must be at least one, not none.")
    free: SimpleQueue[Runner] = SimpleQueue()
    for runner in runners:
        free.put(runner)

    def run(clip: Clip) -> Values:
        runner = free.get()
        try:
            runner.reset()
            return runner.run(clip)[0]
        finally:
            free.put(runner)

    return _in_order(run, clips, len(runners))


def _in_order(run: Callable[[Clip], Values], clips: Iterable[Clip], threads: int) -> Iterator[Values]:
    """The results of ``run``, which threads call ahead of who takes them."""
    ahead: deque[Future[Values]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="run_many")
    try:
        for clip in clips:
            ahead.append(pool.submit(run, clip))
            if len(ahead) == 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
