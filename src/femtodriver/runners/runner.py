"""What a runner is: something that turns frames of integers into frames of integers.

Life cycle of a runner, whatever stands behind it (a graph, a simulation, a recording, later a board):

1. construct; nothing heavy is held before step 2
2. ``reset()``: to the initial state
3. ``step(inputs)`` once per frame, or ``run(inputs)`` for all frames
4. ``finish()``: release what is held; may be called twice, and ``reset`` may follow

Step 3 before step 2, after step 4, or after a frame that failed is a UsageError, on every runner.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BoolArray, Int64Array
from femtodriver.errors import UsageError
from femtodriver.inputs import InputSpec, check_frame, check_inputs
from femtodriver.runners import compare_runs, difference

Values = dict[str, Int64Array]
Mask = dict[str, BoolArray]
Progress = Callable[[int, int], None]
FRAME_FAILED = "a frame failed; reset() must come first"


class Runner(ABC):
    """One executor of one model.

    ``name`` is what reports call it; ``inputs`` gives name, width and bits of every input. Values are int64; a frame
    of a variable has shape (elements,), a run of it (frames, elements). ``runs_first``: it may fail for reasons outside
    this process, so a comparison runs it before the long work of others.
    """

    name: str
    runs_first = False

    def __init__(self, name: str, inputs: Sequence[InputSpec]) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self._not_ready = "reset() must come first"

    def reset(self) -> None:
        """To the initial state; the next frame is the first one."""
        with self._unless_it_fails("the last reset() failed; reset() must succeed first"):
            self._reset()

    def step(self, inputs: Mapping[str, npt.ArrayLike]) -> tuple[Values, Values]:
        """One frame: outputs and internal values by name.

        UsageError out of order; InputError, a UsageError too, for inputs that do not fit.
        """
        self._check_ready()
        frame = check_frame(inputs, self.inputs)
        with self._unless_it_fails(FRAME_FAILED):
            return self._step(frame)

    def run(self, inputs: Mapping[str, npt.ArrayLike], progress: Progress | None = None) -> tuple[Values, Values, Mask]:
        """All frames, from the state that the runner is in: outputs, internal values, and which frame gave which.

        The mask has one bool array (frames,) per output. ``progress(done, frames)`` is called after each frame, or
        after some of them where a runner does many at once.
        UsageError out of order; InputError, before the first frame, for inputs that do not fit.
        """
        self._check_ready()
        checked = check_inputs(inputs, self.inputs)
        outputs, internals = self._run(checked, len(next(iter(checked.values()), ())), progress)
        return outputs, internals, {name: np.ones(len(rows), np.bool_) for name, rows in outputs.items()}

    def _run(self, inputs: Values, frames: int, progress: Progress | None) -> tuple[Values, Values]:
        """All frames, one after the other; runners that can do many at once override this."""
        outputs: list[Values] = []
        internals: list[Values] = []
        for frame in range(frames):
            with self._unless_it_fails(FRAME_FAILED):
                made, seen = self._step({name: values[frame] for name, values in inputs.items()})
            outputs.append(made)
            internals.append(seen)
            if progress is not None:
                progress(frame + 1, frames)
        return _stacked(outputs), _stacked(internals)

    def finish(self) -> None:
        """Release what the runner holds. What it counted stays readable."""
        self._not_ready = "the runner has finished; reset() starts it again"
        self._finish()

    def _check_ready(self) -> None:
        if self._not_ready:
            raise UsageError(f"{self.name}: {self._not_ready}.")

    @contextmanager
    def _unless_it_fails(self, why_not: str) -> Iterator[None]:
        """The runner is ready afterwards; if the body fails, or is interrupted, it is not.

        A UsageError says that nothing has happened, so the runner is as it was.
        """
        before, self._not_ready = self._not_ready, why_not
        try:
            yield
        except UsageError:
            self._not_ready = before
            raise
        self._not_ready = ""

    @abstractmethod
    def _reset(self) -> None:
        """To the initial state."""

    @abstractmethod
    def _step(self, inputs: Values) -> tuple[Values, Values]:
        """One frame; the inputs are checked, and are not kept by the caller."""

    def _finish(self) -> None:
        """Release what is held: here, nothing."""
        return

    @classmethod
    def compare_outputs(
        cls, name_a: str, a: Mapping[str, Any], name_b: str, b: Mapping[str, Any], error_tolerance: float | None = None
    ) -> int:
        """0 if the outputs of two runs are equal, else -1; see ``difference.difference``."""
        return compare_runs.verdict(difference.difference("output", name_a, a, name_b, b, error_tolerance))

    @classmethod
    def compare_internals(
        cls, name_a: str, a: Mapping[str, Any], name_b: str, b: Mapping[str, Any], error_tolerance: float | None = None
    ) -> int:
        """0 if the internal values that both runs have are equal, else -1."""
        return compare_runs.verdict(difference.internal_difference(name_a, a, name_b, b, error_tolerance))

    @classmethod
    def compare_runs(
        cls,
        inputs: Mapping[str, npt.ArrayLike],
        *runners: Runner,
        names: Sequence[str] | None = None,
        compare_internals: bool = False,
        except_on_error: bool = True,
        error_tolerance: float | None = None,
        no_reset: bool = False,
        compare_status: MutableMapping[str, Any] | None = None,
    ) -> tuple[dict[str, Values], dict[str, Values]]:
        """Run every runner on the same inputs and compare each with the first; see ``compare_runs.compare_runs``."""
        return compare_runs.compare_runs(
            inputs,
            runners,
            names=names,
            with_internals=compare_internals,
            except_on_error=except_on_error,
            error_tolerance=error_tolerance,
            no_reset=no_reset,
            compare_status=compare_status,
        )


def _stacked(frames: Sequence[Mapping[str, Int64Array]]) -> Values:
    """Rows per variable; variables that not every frame has are left out."""
    if not frames:
        return {}
    common = [name for name in frames[0] if all(name in frame for frame in frames)]
    return {name: np.stack([frame[name] for frame in frames]) for name in common}
