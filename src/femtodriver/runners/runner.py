"""What a runner is: something that turns frames of integers into frames of integers.

Life cycle of a runner, whatever stands behind it (a graph, a simulation, a recording, later a board):

1. construct; nothing heavy is held before step 2
2. ``reset()``: to the initial state
3. ``step(inputs)`` once per frame, or ``run(inputs)`` for all frames, or for some frames after the other ones:
   nothing but the state lasts from call to call, so a run of any length takes the memory of one block of frames;
   ``send_inputs(values)`` and then ``recv_outputs()`` are a ``step`` in two halves; between frames, ``get_vars`` and
   ``set_vars`` read and set the state
4. ``finish()``: release what is held; may be called twice, and ``reset`` may follow

Step 3 before step 2, after step 4, or after a frame that failed is a UsageError, on every runner.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, BoolArray, Int64Array
from femtodriver.errors import UsageError
from femtodriver.inputs import FrameList, InputSpec, LatchedInputs, check_frame, checked_frames
from femtodriver.inputs.generated_frames import FAKE_STYLES, RANDOM, SAWTOOTH, fake_frames
from femtodriver.inputs.input_environment import asked_seed, asked_style
from femtodriver.options.bind_request import UnknownArgumentError
from femtodriver.program.variable_access import VariableAccess
from femtodriver.runners import compare_runs, difference
from femtodriver.stop_signals import FrameBrokenError

Values = dict[str, Int64Array]
Mask = dict[str, BoolArray]
Progress = Callable[[int, int], None]
FRAME_FAILED = "a frame failed; reset() must come first"
RESET_FAILED = "the last reset() failed; reset() must succeed first"


class Runner(VariableAccess):
    """One executor of one model.

    ``name`` is what reports call it; ``inputs`` gives name, width and bits of every input. Values are int64; a frame
    of a variable has shape (elements,), a run of it (frames, elements). ``runs_first``: it may fail for reasons outside
    this process, so a comparison runs it before the long work of others. ``frames_at_once``: how many frames it is
    given at a time.
    """

    name: str
    runs_first = False
    frames_at_once = 1

    def __init__(self, name: str, inputs: Sequence[InputSpec]) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self._latched = LatchedInputs(self.inputs)
        self._not_ready = "reset() must come first"
        self._sent: Values | None = None
        self._last: Values = {}
        self._blocks: tuple[Values, ...] = ()  # inputs, outputs and internal values of the last frames of a run

    def reset(self, reset_vals: Mapping[str, npt.ArrayLike] | None = None) -> None:
        """To the initial state; the next frame is the first one.

        ``reset_vals``: states that are to have other values than the network defines; errors as of ``set_vars``.
        """
        values = self._settable(reset_vals or {})
        with self._unless_it_fails(RESET_FAILED):
            self._reset()
            self._begin(values)

    def _begin(self, values: Values) -> None:
        """After a reset: nothing was given yet; the values that states begin with."""
        self._sent, self._last, self._blocks = None, {}, ()
        self._latched.reset()
        if values:
            self._write_states(values)

    def step(
        self, inputs: Mapping[str, npt.ArrayLike] | None = None, *, values: Mapping[str, npt.ArrayLike] | None = None
    ) -> tuple[Values, Values]:
        """One frame: outputs and internal values by name. Latched inputs may be left out.

        ``values`` is the reference's name of ``inputs``.
        UsageError out of order, and for both names; InputError, a UsageError too, for inputs that do not fit.
        """
        if inputs is not None and values is not None:
            raise UnknownArgumentError(f"{self.name}: step: inputs and values mean the same; give one of them.")
        given: Any = inputs if values is None else values
        self._check_between_frames()
        frame = check_frame(self._latched.frame(given), self.inputs)
        with self._unless_it_fails(FRAME_FAILED):
            outputs, internals = self._step(frame)
        self._keep(frame, outputs, internals)
        return outputs, internals

    def send_inputs(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """The first half of a ``step``: a board begins to work. ``recv_outputs()`` must come next.

        Errors as of ``step``.
        """
        self._check_between_frames()
        frame = check_frame(self._latched.frame(values), self.inputs)
        with self._unless_it_fails(FRAME_FAILED):
            self._send(frame)
        self._sent = frame

    def recv_outputs(self) -> Values:
        """The second half: the outputs of the frame, int64, shape (elements,). ``get_vars`` has its internal values.

        UsageError if no inputs were sent.
        """
        self._check_ready()
        if self._sent is None:
            raise UsageError(f"{self.name}: send_inputs() must come before recv_outputs().")
        frame, self._sent = self._sent, None
        with self._unless_it_fails(FRAME_FAILED):
            outputs, internals = self._receive(frame)
        self._keep(frame, outputs, internals)
        return outputs

    def _keep(self, frame: Values, outputs: Values, internals: Values) -> None:
        """After a frame: what the next one, and ``get_vars``, may ask for."""
        self._latched.keep(frame)
        self._last, self._blocks = {**frame, **outputs, **internals}, ()

    def _last_values(self) -> Values:
        return {**self._last, **{name: rows[-1] for block in self._blocks for name, rows in block.items()}}

    def run(
        self,
        inputs: Mapping[str, npt.ArrayLike] | FrameList,
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[Values, Values, Mask]:
        """Frames, from the state that the runner is in: outputs, internal values, and which frame gave which.

        Another call goes on with the frames that follow: ``reset`` alone goes back to the first one. The mask has one
        bool array (frames,) per output. ``progress(done, frames)`` is called after each frame, or after some of them
        where a runner does many at once; ``stop()`` is asked then, and if it says so, those that were done are all that
        is returned. Beside the inputs and what is returned, it takes memory for
        ``frames_at_once`` frames.
        UsageError out of order; InputError, before the first frame, for inputs that do not fit.
        """
        self._check_between_frames()
        checked: dict[str, AnyArray] = checked_frames(self._latched.frames(inputs), self.inputs)
        frames = len(next(iter(checked.values()), ()))
        if self.frames_left is not None:
            frames = min(frames, self.frames_left)
        outputs, internals = _Rows(frames), _Rows(frames)
        for first in range(0, frames, self.frames_at_once):
            end = min(first + self.frames_at_once, frames)
            block = {name: values[first:end].astype(np.int64) for name, values in checked.items()}
            try:
                with self._unless_it_fails(FRAME_FAILED):
                    made, seen = self._run_block(block)
            except FrameBrokenError:
                frames = first
                break
            self._latched.keep({name: values[-1] for name, values in block.items()})
            outputs.put(first, end, made)
            internals.put(first, end, seen)
            self._blocks = (block, made, seen)
            if progress is not None:
                progress(end, frames)
            if stop is not None and stop():
                frames = end
                break
        mask = {name: np.ones(frames, np.bool_) for name in outputs.values}
        return outputs.first(frames), internals.first(frames), mask

    def make_fake_inputs(self, T: int, style: str = SAWTOOTH, scale: float | None = None) -> Values:  # noqa: N803
        """Inputs of T frames in a style of the reference 2.x, sawtooth, random or sine; see ``fake_frames``.

        FS_FD_INPUT_STYLE and FS_FD_INPUT_SEED override style and seed (0).
        """
        seed = asked_seed()
        style = asked_style(FAKE_STYLES) or (RANDOM if seed is not None else style)
        return fake_frames(self.inputs, T, style, scale, seed or 0)

    @property
    def frames_left(self) -> int | None:
        """How many more frames it can run, which end a run; None for a runner that has no end."""
        return None

    def finish(self) -> None:
        """Release what the runner holds. What it counted stays readable."""
        self._not_ready = "the runner has finished; reset() starts it again"
        self._sent = None
        self._finish()

    def _check_ready(self) -> None:
        if self._not_ready:
            raise UsageError(f"{self.name}: {self._not_ready}.")

    def _check_between_frames(self) -> None:
        self._check_ready()
        if self._sent is not None:
            raise UsageError(f"{self.name}: recv_outputs() must come first, because inputs were sent.")

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

    def _send(self, inputs: Values) -> None:
        """Begin a frame: here nothing, because what is no board does the whole frame when its outputs are wanted."""
        return

    def _receive(self, inputs: Values) -> tuple[Values, Values]:
        """End the frame that ``_send`` began."""
        return self._step(inputs)

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        """``frames_at_once`` frames or fewer, shape (frames, elements); runners that do one at a time keep this."""
        made, seen = self._step({name: values[0] for name, values in inputs.items()})
        return _as_rows(made), _as_rows(seen)

    def _finish(self) -> None:
        """Release what is held: here, nothing."""
        return

    @classmethod
    def compare_outputs(
        cls,
        nameA: str,  # noqa: N803 (the reference's names)
        A: Mapping[str, Any],  # noqa: N803
        nameB: str,  # noqa: N803
        B: Mapping[str, Any],  # noqa: N803
        error_tolerance: float | None = None,
    ) -> int:
        """0 if the outputs of two runs are equal, else -1; see ``difference.difference``."""
        return compare_runs.verdict(difference.difference("output", nameA, A, nameB, B, error_tolerance))

    @classmethod
    def compare_internals(
        cls,
        nameA: str,  # noqa: N803 (the reference's names)
        A: Mapping[str, Any],  # noqa: N803
        nameB: str,  # noqa: N803
        B: Mapping[str, Any],  # noqa: N803
        error_tolerance: float | None = None,
    ) -> int:
        """0 if the internal values that both runs have are equal, else -1."""
        return compare_runs.verdict(difference.internal_difference(nameA, A, nameB, B, error_tolerance))

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


def _as_rows(frame: Mapping[str, Int64Array]) -> Values:
    return {name: values[np.newaxis] for name, values in frame.items()}


class _Rows:
    """The frames of variables, put in block by block: ``values`` has those that every block has."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self.values: Values = {}

    def put(self, first: int, end: int, rows: Mapping[str, Int64Array]) -> None:
        """Frames ``first`` to ``end`` - 1; the first block of all says which variables there are, and their shapes."""
        if not first:
            self.values = {name: np.empty((self._frames, *made.shape[1:]), made.dtype) for name, made in rows.items()}
        self.values = {name: kept for name, kept in self.values.items() if name in rows}
        for name, kept in self.values.items():
            kept[first:end] = rows[name]

    def first(self, frames: int) -> Values:
        """Those of so many frames."""
        return {name: kept[:frames] for name, kept in self.values.items()}
