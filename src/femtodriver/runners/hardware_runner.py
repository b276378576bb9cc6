"""Runners "hw" and "fakehw": the program on a board, or on the fake of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.boards import DEFAULT_HARDWARE, board_of
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.device.spu_runner import SPURunner
from femtodriver.errors import InputError
from femtodriver.inputs import InputSpec, read_array
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners.runner import Mask, Progress, Runner, Values

HARDWARE = "hardware"
FAKE = "fakehw"


@dataclass(frozen=True, eq=False)
class Device:
    """A board and what is put into it.

    ``program``: the words as they are loaded, enciphered or not. ``hardware``: one of ``device.BOARDS``. ``address``:
    ``HOST[:PORT]`` or a serial number; None: the usual one. ``timeout``: seconds for every answer; None: the
    platform's. ``fake_file``: .npy of the 32-bit words that a fake answers; None: ``recording``, what the runner dummy
    replays, if that is a list of words too. ``records_dir``: where the runner writes recordings if it is told to.
    ``key_index``, ``salt``: for the board's registers; None: those of the program.
    """

    program: CompiledData
    hardware: str = DEFAULT_HARDWARE
    address: str | None = None
    timeout: float | None = None
    fake_file: Path | None = None
    recording: Path | None = None
    records_dir: Path | None = None
    key_index: int | None = None
    salt: int | None = None


class HardwareRunner(SPURunner, Runner):
    """An ``SPURunner`` that also keeps the contract of runners: ``run`` tells its progress, ``reset`` is called if
    nobody did, inputs are checked before the first frame.

    ``kept``: where internals stand in data memory when a frame has ended. A fake (``is_fake``) has no memory, so it
    gives none.
    """

    runs_first = True

    def __init__(
        self,
        name: str,
        device: Device,
        inputs: Sequence[InputSpec],
        kept: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        self.is_fake = fake = board_of(device.hardware).fake
        settings = BoardSettings(
            hardware=device.hardware,
            address=device.address,
            timeout=device.timeout,
            reply_values=_fake_words(device) if fake else None,
            key_index=device.key_index,
            salt=device.salt,
            debug_places={} if fake else {key: DataPlace(**place) for key, place in (kept or {}).items()},
            records_dir=device.records_dir,
            write_records=False,
        )
        SPURunner.__init__(self, device.program, settings=settings)
        Runner.__init__(self, name, inputs)

    def reset(self, reset_vals: None = None, record: bool = True) -> None:
        """As ``SPURunner.reset``."""
        SPURunner.reset(self, reset_vals, record)
        self._ready = True

    def step(self, inputs: Mapping[str, npt.ArrayLike]) -> tuple[Values, Values]:
        """One frame: outputs and internal values. InputError as of runners, DeviceError as of ``SPURunner.step``."""
        return Runner.step(self, inputs)

    def run(self, inputs: Mapping[str, npt.ArrayLike], progress: Progress | None = None) -> tuple[Values, Values, Mask]:
        """All frames. InputError as of runners, DeviceError as of ``SPURunner.step``."""
        return Runner.run(self, inputs, progress)

    def finish(self) -> None:
        """Close the link; what was recorded stays readable."""
        self._ready = False
        SPURunner.finish(self)

    def _reset(self) -> None:
        self.reset()

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        return SPURunner.step(self, inputs)


def hardware_of_fake(hardware: str) -> str:
    """The hardware option for the runner "fakehw": the one that was chosen if it is a fake, else the usual fake.

    UsageError for an unknown option.
    """
    return hardware if board_of(hardware).fake else DEFAULT_HARDWARE


def _fake_words(device: Device) -> AnyArray | None:
    """The words that a fake answers, None for the usual ones. InputError for a file that holds no such list."""
    path = device.fake_file or device.recording
    if path is None or (device.fake_file is None and path.suffix.lower() != ".npy"):
        return None
    words = read_array(path)
    if isinstance(words, np.ndarray) and (words.ndim == 1 or device.fake_file is None):
        return words if words.ndim == 1 else None
    raise InputError(f"{path}: the words of a fake board must be a .npy file with a 1-D array of 32-bit words.")
