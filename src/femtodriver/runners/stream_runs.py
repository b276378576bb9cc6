"""Running runners over frames that come one block after the other, comparing as they go: nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

from femtodriver.inputs.frame_stream import FrameSource
from femtodriver.runners.compare_runs import Comparison, RunProgress, Values, Verdict, in_order
from femtodriver.runners.difference import Difference, differences
from femtodriver.runners.runner import Runner
from femtodriver.stop_signals import FrameBrokenError, Stop

Give = Callable[[Values], None]
"""Takes the outputs of a block of frames, (frames, elements) by name."""


class RunningComparison:
    """Two runs that are compared block by block: the same as comparing all frames at the end."""

    def __init__(self, kind: str, first: str, other: str, tolerance: float | None) -> None:
        self._kind, self._first, self._other, self._tolerance = kind, first, other, tolerance
        self._found: dict[str, Difference] = {}
        self._compared: dict[str, int] = {}
        self._frames = 0

    def add(self, a: Values, b: Values) -> None:
        """The frames that follow, of both; where one has ended before the other, what both have is compared."""
        frames = min(min(map(len, values.values()), default=0) for values in (a, b))
        if not frames:
            return
        for name, rows in a.items():
            self._compared[name] = self._compared.get(name, 0) + rows[:frames].size
        for part in differences(self._kind, self._first, a, self._other, b, self._tolerance, self._frames):
            before = self._found.get(part.variable)
            self._found[part.variable] = part if before is None else _joined(before, part)
        self._frames += frames

    @property
    def found(self) -> tuple[Difference, ...]:
        """Every variable in which the runs differ, the first in time first."""
        order = [name for name in ("", *self._compared) if name in self._found]
        whole = [replace(self._found[name], compared=self._compared.get(name, 0)) for name in order]
        return tuple(sorted(whole, key=lambda one: one.frame))


def _joined(before: Difference, part: Difference) -> Difference:
    return replace(before, count=before.count + part.count, largest=max(before.largest, part.largest))


class _RunPair:
    """A runner's outputs and internal values beside those of the first runner."""

    def __init__(self, first: str, other: str, tolerance: float | None) -> None:
        self._names = (first, other)
        self._outputs = RunningComparison("output", first, other, tolerance)
        self._internals = RunningComparison("internal value", first, other, tolerance)

    def add(self, a: tuple[Values, Values], b: tuple[Values, Values]) -> None:
        self._outputs.add(a[0], b[0])
        shared = [name for name in a[1] if name in b[1]]
        self._internals.add(*({name: values[name] for name in shared} for values in (a[1], b[1])))

    def verdict(self, makers: Mapping[str, str]) -> Verdict:
        inside = next(iter(self._internals.found), None)
        return Verdict(*self._names, self._outputs.found, inside, makers.get(inside.variable, "") if inside else "")


def stream_all(
    source: FrameSource,
    runners: Mapping[str, Runner],
    give: Give | None = None,
    *,
    stop: Stop,
    tolerance: float | None = None,
    progress: RunProgress | None = None,
    makers: Mapping[str, str] | None = None,
) -> Comparison:
    """Run every runner on the frames of a source, a block at a time, and compare each with the first of them.

    ``give`` gets what the first runner makes. The run ends with the source, or between two blocks when ``stop`` is
    asked. ``progress(name, done, frames)`` is called after each block, with the names of all runners in one, and 0
    frames where their number is not known; at the end, the frames are those that were done. Every runner is finished,
    also when one raises.
    """
    names = list(runners)
    done = dict.fromkeys(names, 0)
    pairs = {name: _RunPair(names[0], name, tolerance) for name in names[1:]}
    order = in_order(names, list(runners.values()))
    most = min(runner.frames_at_once for runner in runners.values())
    with ExitStack() as finishing:
        for _, runner in order:
            finishing.callback(runner.finish)
            with suppress(FrameBrokenError):  # the run is to end
                runner.reset()
        while not stop.asked and (block := source.next_frames(most)):
            made = _run_all_blocks(order, block)
            if made is None:
                break
            for name, (outputs, _) in made.items():
                done[name] += max(map(len, outputs.values()), default=0)
            if give is not None:
                give(made[names[0]][0])
            for name, pair in pairs.items():
                pair.add(made[names[0]], made[name])
            if progress is not None:
                progress(", ".join(names), max(done.values()), source.n_frames or 0)
        if progress is not None and max(done.values()) != source.n_frames:
            progress(", ".join(names), max(done.values()), max(done.values()))  # that was all
    verdicts = tuple(pair.verdict(makers or {}) for pair in pairs.values())
    return Comparison({}, {}, verdicts, tolerance, done)


def _run_all_blocks(order: Sequence[tuple[str, Runner]], block: Values) -> dict[str, tuple[Values, Values]] | None:
    """What all runners make of a block; None if one of them gave a frame up, because the run is to end."""
    frames = len(next(iter(block.values()), ()))
    made = {}
    for name, runner in order:
        left = runner.frames_left
        made[name] = _run_block(runner, block)
        done = max(map(len, made[name][0].values()), default=0)
        if runner.runs_first and done < (frames if left is None else min(left, frames)):
            return None
    return made


def _run_block(runner: Runner, block: Values) -> tuple[Values, Values]:
    """Outputs and internal values; {} of a runner that has ended."""
    return ({}, {}) if runner.frames_left == 0 else runner.run(block)[:2]
