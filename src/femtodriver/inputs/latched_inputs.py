"""Latched inputs: a frame need not give them, and they keep their last value, which is zero before the first one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs.array_inputs import as_array
from femtodriver.inputs.frame_list import stacked_frames
from femtodriver.inputs.input_names import by_own_names
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.safe_text import quote


class LatchedInputs:
    """What the latched ones of these inputs hold. Without latched ones, everything is handed through as it is."""

    def __init__(self, specs: Sequence[InputSpec]) -> None:
        self._all = tuple(specs)
        self._specs = [spec for spec in specs if spec.latched]
        self._others = [spec.name for spec in specs if not spec.latched]
        self._held: dict[str, Int64Array] = {}
        self.reset()

    def reset(self) -> None:
        """To zero, the value before the first one."""
        self._held = {spec.name: np.zeros(spec.length, np.int64) for spec in self._specs}

    def frame(self, inputs: Mapping[str, npt.ArrayLike]) -> Mapping[str, npt.ArrayLike]:
        """One frame with what is held of the latched inputs that it does not give."""
        inputs = by_own_names(inputs, self._all)
        if not self._held or not isinstance(inputs, Mapping):
            return inputs
        return {**{name: values for name, values in self._held.items() if name not in inputs}, **inputs}

    def frames(self, inputs: Any) -> Any:
        """Frames, a mapping from input name to rows or a list of frames, as a mapping in which no input is missing."""
        inputs = by_own_names(inputs, self._all)
        if not self._held:
            return stacked_frames(inputs)
        shaped = {spec.name: self._shaped(spec, inputs) for spec in self._specs}
        stacked = stacked_frames(inputs, shaped)
        if not isinstance(stacked, Mapping):
            return stacked
        missing = [spec for spec in self._specs if spec.name not in stacked]
        if not missing:
            return stacked
        frames = self._count(stacked)
        return {
            **{spec.name: np.broadcast_to(self._held[spec.name], (frames, spec.length)) for spec in missing},
            **stacked,
        }

    def keep(self, inputs: Mapping[str, AnyArray]) -> None:
        """Hold the values of a frame of int64, shape (elements,)."""
        for name in self._held:
            self._held[name] = inputs[name].astype(np.int64)

    def _shaped(self, spec: InputSpec, inputs: Any) -> AnyArray:
        """What is held, in the shape in which the first frame that gives the input has it."""
        held = self._held[spec.name]
        if isinstance(inputs, (list, tuple)):
            for frame in inputs:
                if isinstance(frame, Mapping) and spec.name in frame:
                    given = as_array(frame[spec.name], spec.shown)
                    return held.reshape(given.shape) if given.size == held.size else held
        return held

    def _count(self, stacked: Mapping[str, npt.ArrayLike]) -> int:
        for name in (*self._others, *stacked):
            if name in stacked:
                rows = as_array(stacked[name], f"input {quote(name)}")
                return len(rows) if rows.ndim else 0
        raise InputError("inputs: must have at least one that says how many frames there are, not latched ones alone.")
