"""Runner "dummy": replays recorded outputs, whatever the inputs are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from femtodriver.array_names import escape_name, unescape_name
from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs import InputSpec, read_array
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.runners.runner import Runner, Values

SUFFIXES = (".npy", ".npz")
# Arrays of this name in a file that we wrote say what the numbers of an output stand for.
QUANTA, ZERO_POINT = MEANINGS = ("quanta/", "zero_point/")
_log = logging.getLogger(__name__)


class DummyRunner(Runner):
    """Replays a file: ``.npy`` (frames, elements) for a single output, or ``.npz`` with one such array per output.

    ``outputs`` gives name and width of every output of the model. UsageError for another kind of file, InputError for
    arrays that do not fit the outputs. A run ends where the recording ends.
    """

    def __init__(self, path: str | Path, inputs: Sequence[InputSpec], outputs: Sequence[InputSpec]) -> None:
        super().__init__("dummy", inputs)
        self._recorded = read_recording(Path(path), outputs)
        self._frames = min(len(rows) for rows in self._recorded.values())
        self._next = 0

    @property
    def frames_left(self) -> int:
        """Recorded frames that were not replayed yet."""
        return self._frames - self._next

    def _check_ready(self) -> None:
        super()._check_ready()
        if not self.frames_left:
            raise InputError(f"dummy: the recording has {self._frames} frames, and all of them were replayed.")

    def _no_states(self) -> str:
        return "a recording has none"

    def _reset(self) -> None:
        self._next = 0

    def _finish(self) -> None:
        if self._next and self.frames_left:
            told = self.frames_left, self._frames
            _log.warning("dummy: %d of %d recorded frames are not used: the inputs end before", *told)
        self._next = 0

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        self._next += 1
        return {name: rows[self._next - 1].copy() for name, rows in self._recorded.items()}, {}


def make_dummy(model: Built, request: RunnerRequest, records_dir: Path | None) -> DummyRunner:
    """The runner "dummy". UsageError without a file to replay."""
    if request.dummy_output_file is None:
        raise UsageError("runner dummy: must have a file to replay; give it with --dummy-output-file.")
    return DummyRunner(Path(request.dummy_output_file), model.inputs, model.outputs)


def read_recording(path: Path, outputs: Sequence[InputSpec]) -> Values:
    """The recorded outputs by name, int64 (frames, elements). UsageError and InputError as of ``DummyRunner``."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a recording for the runner dummy must end in .npy or .npz, not {path.suffix!r}.")
    content = read_array(path)
    names = [spec.name for spec in outputs]
    if not isinstance(content, dict):
        if len(outputs) != 1:
            raise InputError(f"{path}: a .npy file can replay one output, not {len(outputs)}. Use a .npz file.")
        content = {escape_name(names[0]): content}
    content = {unescape_name(key): rows for key, rows in content.items() if not key.startswith(MEANINGS)}
    if set(content) != set(names):
        found = ", ".join(map(repr, content)) or "none"
        raise InputError(f"{path}: must have one array for each of {', '.join(map(repr, names))}, not for {found}.")
    return {spec.name: _checked(f"{path}: {spec.name!r}", content[spec.name], spec.length) for spec in outputs}


def _checked(where: str, rows: AnyArray, width: int) -> Int64Array:
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        raise InputError(f"{where}: must have the shape (frames, {width}), with at least one frame, not {rows.shape}.")
    if rows.dtype.kind not in "iu":
        raise InputError(f"{where}: must hold integers, not {rows.dtype}.")
    if rows.dtype == np.uint64 and int(rows.max()) >> 63:
        raise InputError(f"{where}: must hold numbers below 2^63.")
    return rows.astype(np.int64)
