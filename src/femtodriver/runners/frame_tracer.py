"""Traces chosen frames of a run: they run once more, on the observed NumPy machine, from the state that they begin in.

So the run itself is what it is without a trace, on whatever machine, and the NumPy machine, which defines what programs
mean, says what happens when.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from femtodriver.errors import UsageError
from femtodriver.machine.frame_record import FrameRecord
from femtodriver.machine.machine import Machine
from femtodriver.machine.observed_machine import ObservedMachine
from femtodriver.options.runner_requests import ReportRequest
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners.runner import Values

DEFAULT_FRAMES = (0, 2)
MOST_INSTRUCTIONS = 100_000
"""How many instructions all traced frames may have; what comes after them is left out."""


def frame_range(chosen: Sequence[int] | None, frames: int | None) -> range:
    """The frames to trace of a run of ``frames`` (None: nobody knows yet): from the first to before the second number.

    UsageError where the run has none of them, or the numbers are not in order.
    """
    first, end = DEFAULT_FRAMES if chosen is None else chosen
    frames = end if frames is None else frames
    if not 0 <= first < min(end, frames):
        raise UsageError(
            f"trace_frames: must be LO,HI with 0 <= LO < HI, and LO below the number of frames of the run, "
            f"which is {frames}, not {first},{end}."
        )
    return range(first, min(end, frames))


def check_trace(request: ReportRequest) -> None:
    """UsageError for frames to trace that nothing shows."""
    if request.trace_frames is not None and not request.asks_for_record:
        raise UsageError("trace_frames: trace or report must be given too, the file that is to show these frames.")


class FrameTracer:
    """``records``: the frames that were traced so far, by their number since the last reset."""

    def __init__(self, program: CompiledData, part: Part, frames: range, *, check_state: bool = False) -> None:
        self.frames = frames
        self.records: dict[int, FrameRecord] = {}
        self._machine = ObservedMachine(program, part, check_state=check_state)

    def reset(self) -> None:
        """Nothing has been traced."""
        self.records.clear()

    @property
    def room(self) -> int:
        """For how many more instructions there is room."""
        return MOST_INSTRUCTIONS - sum(record.instructions for record in self.records.values())

    def pieces(self, done: int, end: int) -> list[range]:
        """The frames from ``done`` to before ``end``, in pieces that are traced as a whole or not at all."""
        cuts = sorted({done, end, *(cut for cut in (self.frames.start, self.frames.stop) if done < cut < end)})
        return [range(first, stop) for first, stop in pairwise(cuts)]

    def trace(self, machine: Machine, numbers: range, inputs: Values) -> Values | None:
        """Run frames in the state of ``machine``, which is about to run them; their outputs, as far as they fit.

        None if none of them is to be traced. Raises what ``Machine.step`` does.
        """
        if numbers.start not in self.frames or not self.room:
            return None
        self._machine.take_state(machine)
        made: list[Values] = []
        for place, number in enumerate(numbers):
            if not self.room:
                break
            frame = {name: values[place] for name, values in inputs.items()}
            outputs, self.records[number] = self._machine.step_observed(frame, self.room)
            made.append(outputs)
        return {name: np.stack([outputs[name] for outputs in made]) for name in made[0]}


def check_same(traced: Values | None, outputs: Values, first: int) -> None:
    """RuntimeError if traced frames, of which the first is number ``first``, have other outputs than the run."""
    for name, rows in (traced or {}).items():
        if not np.array_equal(rows, outputs[name][: len(rows)]):
            raise RuntimeError(f"trace: output {name!r:.60} of the frames from {first} on must be that of the run.")
