"""Comparing runs: equal or not, and if not, which outputs differ, where first and by how much."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol, TypeVar

import numpy.typing as npt

from femtodriver.arrays import Int64Array
from femtodriver.errors import ComparisonError, UsageError
from femtodriver.runners.difference import Difference, differences, internal_difference
from femtodriver.safe_text import shown
from femtodriver.stop_signals import FrameBrokenError

Values = dict[str, Int64Array]
RunProgress = Callable[[str, int, int], None]
_log = logging.getLogger(__name__)


class Comparable(Protocol):
    """What a comparison needs of a runner."""

    name: str
    runs_first: bool

    def reset(self) -> None: ...

    def run(
        self,
        inputs: Mapping[str, npt.ArrayLike],
        progress: Callable[[int, int], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[Values, Values, Mapping[str, object]]: ...

    def finish(self) -> None: ...


R = TypeVar("R", bound=Comparable)


@dataclass(frozen=True)
class Verdict:
    """Two runs compared: every output that differs, the first in time first, and the first internal value that does.

    ``maker``: the operator that makes the internal value in question, "" if nobody knows.
    """

    first: str
    other: str
    outputs: tuple[Difference, ...]
    internals: Difference | None = None
    maker: str = ""

    @property
    def lines(self) -> list[str]:
        """ "first != other: where" of each output that differs."""
        return [f"{self.first} != {self.other}: {found.text}" for found in self.outputs]

    @property
    def inside(self) -> str:
        """ "" for equal internal values, else "first != other inside: where (made by ...)"."""
        if self.internals is None:
            return ""
        maker = f" (made by {self.maker})" if self.maker else ""
        return f"{self.first} != {self.other} inside: {self.internals.text}{maker}"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs of the same inputs: outputs and internal values by runner, and each run compared with the first.

    ``streamed``: how many frames each runner did whose values were not kept; then there are neither outputs nor
    internal values.
    """

    outputs: Mapping[str, Values]
    internals: Mapping[str, Values]
    verdicts: tuple[Verdict, ...]
    tolerance: float | None = None
    streamed: Mapping[str, int] | None = None

    @property
    def frames(self) -> dict[str, int]:
        """How many frames each runner did: those of its longest output."""
        if self.streamed is not None:
            return dict(self.streamed)
        return {name: max(map(len, values.values()), default=0) for name, values in self.outputs.items()}

    @property
    def passed(self) -> bool:
        """Whether all outputs agree; internal values alone fail nothing."""
        return not any(verdict.outputs for verdict in self.verdicts)

    @property
    def lines(self) -> list[str]:
        """The verdict in words: what was equal, or each output that differs; then internal values that differ."""
        told = [line for verdict in self.verdicts for line in verdict.lines]
        if self.passed:
            told = [_passed_text(self.frames, self.tolerance)]
        return [*told, *(verdict.inside for verdict in self.verdicts if verdict.inside)]

    @property
    def status(self) -> str:
        """The same in one line."""
        return "; ".join(self.lines)


def check_tolerance(tolerance: Any) -> None:
    """UsageError unless it is None or a number from 0."""
    if tolerance is not None and not (_is_real(tolerance) and 0 <= tolerance < math.inf):
        raise UsageError(f"tolerance: must be a number from 0, not {shown(tolerance)}.")


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def verdict(found: Difference | None) -> int:
    """0 for no difference; else -1, and the difference goes to the log."""
    if found is None:
        return 0
    _log.info("%s", found.text)
    return -1


def compare_runs(
    inputs: Mapping[str, npt.ArrayLike],
    runners: Sequence[Comparable],
    *,
    names: Sequence[str] | None = None,
    with_internals: bool = False,
    except_on_error: bool = True,
    error_tolerance: float | None = None,
    no_reset: bool = False,
    compare_status: MutableMapping[str, Any] | None = None,
) -> tuple[dict[str, Values], dict[str, Values]]:
    """Run every runner on the same inputs, and compare each with the first.

    Returns outputs and internal values by runner name. ``compare_status`` receives "pass" (bool) and "status_str"
    (the verdict, naming all outputs that differ). Otherwise as ``run_all``. Raises ComparisonError for a difference if
    ``except_on_error``.
    """
    found = run_all(
        inputs,
        runners,
        names=names,
        with_internals=with_internals,
        error_tolerance=error_tolerance,
        no_reset=no_reset,
    )
    if compare_status is not None:
        compare_status["pass"] = found.passed
        compare_status["status_str"] = found.status
    if not found.passed and except_on_error:
        raise ComparisonError(f"compare: {found.status}.")
    return dict(found.outputs), dict(found.internals)


def run_all(
    inputs: Mapping[str, npt.ArrayLike],
    runners: Sequence[Comparable],
    *,
    names: Sequence[str] | None = None,
    with_internals: bool = False,
    error_tolerance: float | None = None,
    no_reset: bool = False,
    progress: RunProgress | None = None,
    makers: Mapping[str, str] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Comparison:
    """Run every runner on the same inputs, and compare each with the first.

    Every runner is finished, also when one raises. A difference of internal values alone is told but fails nothing;
    ``makers`` says which operator makes each. ``stop()`` is asked between frames: if it says so, there are only the
    frames that were done, of the runners that had begun. Raises UsageError for names that do not distinguish the
    runners, or a tolerance that is none.
    """
    check_tolerance(error_tolerance)
    called = _checked_names(names if names is not None else [runner.name for runner in runners], len(runners))
    made: dict[str, tuple[Values, Values]] = {}
    for name, runner in in_order(called, runners):
        if not (made and stop is not None and stop()):
            made[name] = _run(name, runner, inputs, no_reset, progress, stop)
    called = [name for name in called if name in made]
    outputs, internals = ({name: made[name][kind] for name in called} for kind in (0, 1))
    verdicts = []
    for other in called[1:]:
        pair = (called[0], other)
        apart = differences("output", pair[0], outputs[pair[0]], other, outputs[other], error_tolerance)
        inside = None
        if with_internals:
            inside = internal_difference(pair[0], internals[pair[0]], other, internals[other], error_tolerance)
        maker = (makers or {}).get(inside.variable, "") if inside else ""
        verdicts.append(Verdict(*pair, apart, inside, maker))
    return Comparison(outputs, internals, tuple(verdicts), error_tolerance)


def _checked_names(names: Sequence[str], runners: int) -> list[str]:
    if len(names) != runners or len(set(names)) != len(names):
        raise UsageError(f"compare: names must be one for each of the {runners} runners, all different, not {names}.")
    if not names:
        raise UsageError("compare: runners must be at least one, not none.")
    return list(names)


def in_order(names: Sequence[str], runners: Sequence[R]) -> list[tuple[str, R]]:
    """Names and runners in the order in which they run: first those that may fail for reasons outside."""
    return sorted(zip(names, runners, strict=True), key=lambda pair: not pair[1].runs_first)


def _run(
    name: str,
    runner: Comparable,
    inputs: Mapping[str, npt.ArrayLike],
    no_reset: bool,
    progress: RunProgress | None,
    stop: Callable[[], bool] | None,
) -> tuple[Values, Values]:
    def tell(done: int, frames: int) -> None:
        if progress is not None:
            progress(name, done, frames)

    _log.debug("runner %s: all frames", name)
    try:
        if not no_reset and not _is_reset(runner):
            return {}, {}
        outputs, internals, _ = runner.run(inputs, tell if progress is not None else None, stop)
        if stop is not None and stop():
            done = max(map(len, outputs.values()), default=0)
            tell(done, done)  # that was all
    finally:
        runner.finish()
    return outputs, internals


def _is_reset(runner: Comparable) -> bool:
    """Reset the runner; False if the run is to end meanwhile."""
    try:
        runner.reset()
    except FrameBrokenError:
        return False
    return True


def _passed_text(done: Mapping[str, int], tolerance: float | None) -> str:
    least, most = min(done.values(), default=0), max(done.values(), default=0)
    frames = f"{least} frame{'' if least == 1 else 's'}" + ("" if least == most else f" of {most}")
    return f"{' = '.join(done)}, {frames}, {f'within {tolerance:g}' if tolerance else 'bit-exact'}"
