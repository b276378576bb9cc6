"""Comparing runs: equal or not, and if not, where the first difference is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from femtodriver.errors import ComparisonError, UsageError

if TYPE_CHECKING:
    from femtodriver.runners.base import Runner

Values = dict[str, npt.NDArray[np.int64]]
RunProgress = Callable[[str, int, int], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Difference:
    """The first place where two runs part. ``frame`` is -1 where they cannot be compared frame by frame."""

    frame: int
    text: str
    variable: str = ""


@dataclass(frozen=True)
class _Pair:
    """One variable of two runs."""

    kind: str
    variable: str
    name_a: str
    name_b: str

    def __str__(self) -> str:
        return f"{self.kind} {self.variable!r}"


def difference(
    kind: str,
    name_a: str,
    a: Mapping[str, Any],
    name_b: str,
    b: Mapping[str, Any],
    error_tolerance: float | None = None,
) -> Difference | None:
    """The first difference in time between two sets of arrays (frames, elements), or None.

    Both must have the same variables of the same rank. Where exactly one axis has two lengths, what both have is
    compared; if that is nothing, or more axes differ, the variable differs. Values may differ by at most
    ``error_tolerance`` (None: not at all).
    """
    if a.keys() != b.keys():
        lists = [", ".join(map(repr, values)) or "none" for values in (a, b)]
        return Difference(-1, f"the {kind}s must be the same: {name_a} has {lists[0]}, {name_b} has {lists[1]}")
    found = [_variable(_Pair(kind, name, name_a, name_b), a[name], b[name], error_tolerance) for name in a]
    return min((one for one in found if one is not None), key=lambda one: one.frame, default=None)


def internal_difference(
    name_a: str, a: Mapping[str, Any], name_b: str, b: Mapping[str, Any], error_tolerance: float | None = None
) -> Difference | None:
    """The first difference between the internal values that both runs have, or None."""
    shared = [name for name in a if name in b]
    both = [{name: values[name] for name in shared} for values in (a, b)]
    return difference("internal value", name_a, both[0], name_b, both[1], error_tolerance)


def verdict(found: Difference | None) -> int:
    """0 for no difference; else -1, and the difference goes to the log."""
    if found is None:
        return 0
    _log.info("%s", found.text)
    return -1


def compare_runs(
    inputs: Mapping[str, npt.ArrayLike],
    runners: Sequence[Runner],
    *,
    names: Sequence[str] | None = None,
    with_internals: bool = False,
    except_on_error: bool = True,
    error_tolerance: float | None = None,
    no_reset: bool = False,
    compare_status: MutableMapping[str, Any] | None = None,
    progress: RunProgress | None = None,
    makers: Mapping[str, str] | None = None,
) -> tuple[dict[str, Values], dict[str, Values]]:
    """Run every runner on the same inputs, and compare each with the first.

    Returns outputs and internal values by runner name. ``compare_status`` receives "pass" (bool) and "status_str"
    (the verdict, naming the first difference). Every runner is finished, also when one raises. A difference of
    internal values alone is told but fails nothing; ``makers`` says which operator makes each. Raises ComparisonError
    for a difference if ``except_on_error``, UsageError for names that do not tell the runners apart.
    """
    called = _checked_names(names if names is not None else [runner.name for runner in runners], len(runners))
    outputs: dict[str, Values] = {}
    internals: dict[str, Values] = {}
    for name, runner in zip(called, runners, strict=True):
        outputs[name], internals[name] = _run(name, runner, inputs, no_reset, progress)
    lines = [judge(called[0], other, outputs, error_tolerance) for other in called[1:]]
    passed = not any(lines)
    status = _passed_text(called, outputs, error_tolerance) if passed else "; ".join(filter(None, lines))
    if with_internals:
        status += _internals_text(called, internals, error_tolerance, makers or {})
    if compare_status is not None:
        compare_status["pass"] = passed
        compare_status["status_str"] = status
    if not passed and except_on_error:
        raise ComparisonError(f"compare: {status}.")
    return outputs, internals


def judge(first: str, other: str, outputs: Mapping[str, Values], error_tolerance: float | None) -> str:
    """ "" if the outputs of the two runs agree, else "first != other: where"."""
    found = difference("output", first, outputs[first], other, outputs[other], error_tolerance)
    return f"{first} != {other}: {found.text}" if found else ""


def _checked_names(names: Sequence[str], runners: int) -> list[str]:
    if len(names) != runners or len(set(names)) != len(names):
        raise UsageError(f"compare: names must be one for each of the {runners} runners, all different, not {names}.")
    if not names:
        raise UsageError("compare: runners must be at least one, not none.")
    return list(names)


def _run(
    name: str, runner: Runner, inputs: Mapping[str, npt.ArrayLike], no_reset: bool, progress: RunProgress | None
) -> tuple[Values, Values]:
    def tell(done: int, frames: int) -> None:
        if progress is not None:
            progress(name, done, frames)

    try:
        if not no_reset:
            runner.reset()
        outputs, internals, _ = runner.run(inputs, tell if progress is not None else None)
    finally:
        runner.finish()
    return outputs, internals


def _variable(pair: _Pair, first: Any, second: Any, tolerance: float | None) -> Difference | None:
    a, b = np.asarray(first), np.asarray(second)
    odd = [axis for axis, (one, two) in enumerate(zip(a.shape, b.shape, strict=False)) if one != two]
    if a.ndim != b.ndim or len(odd) > 1:
        shapes = f"{pair.name_a} gives {a.shape}, {pair.name_b} gives {b.shape}"
        return Difference(-1, f"{pair}: the shapes must agree: {shapes}", pair.variable)
    for axis in odd:
        length = min(a.shape[axis], b.shape[axis])
        a, b = a.take(range(length), axis), b.take(range(length), axis)
    if odd and not a.size:
        return Difference(-1, f"{pair}: there is nothing that both have to compare", pair.variable)
    apart = a != b if not tolerance else np.abs(a - b) > tolerance
    if not apart.any():
        return None
    place = tuple(int(index) for index in np.argwhere(apart)[0])
    values = f"{pair.name_a} gives {a[place]}, {pair.name_b} gives {b[place]}"
    return Difference(place[0] if place else 0, f"{pair}, {_place(place)}: {values}", pair.variable)


def _place(place: tuple[int, ...]) -> str:
    if len(place) < 2:
        return f"frame {place[0] if place else 0}"
    return f"frame {place[0]}, element {', '.join(map(str, place[1:]))}"


def _passed_text(names: Sequence[str], outputs: Mapping[str, Values], tolerance: float | None) -> str:
    lengths = [len(rows) for name in names for rows in outputs[name].values()]
    least, most = min(lengths, default=0), max(lengths, default=0)
    frames = f"{least} frame{'' if least == 1 else 's'}" + ("" if least == most else f" of {most}")
    return f"{' = '.join(names)}, {frames}, {f'within {tolerance:g}' if tolerance else 'bit-exact'}"


def _internals_text(
    names: Sequence[str], internals: Mapping[str, Values], tolerance: float | None, makers: Mapping[str, str]
) -> str:
    found = [
        internal_difference(names[0], internals[names[0]], other, internals[other], tolerance) for other in names[1:]
    ]
    texts = []
    for other, one in zip(names[1:], found, strict=True):
        if one:
            maker = f" (made by {makers[one.variable]})" if one.variable in makers else ""
            texts.append(f"; {names[0]} != {other} inside: {one.text}{maker}")
    return "".join(texts)
