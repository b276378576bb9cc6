"""Runners "hw" and "fakehw": the program on a board, or on the fake of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.device.boards import BOARDS, board_of
from femtodriver.device.hardware_options import runner_options
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.device.spu_runner import SPURunner
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs import InputSpec, read_array
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners.runner import Mask, Progress, Runner, Values

HARDWARE = "hardware"
FAKE = "fakehw"
DEFAULT_HARDWARE = "fakezynq"


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
        SPURunner.__init__(
            self,
            device.program,
            debug_vars={} if fake else {key: DataPlace(**place) for key, place in (kept or {}).items()},
            fake_hw_recv_vals=_fake_words(device) if fake else None,
            encryption_key_idx=device.key_index,
            salt=device.salt,
            io_records_dir=device.records_dir,
            write_records=False,
            **runner_options(device.hardware, address=device.address, timeout=device.timeout),
        )
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


def check_address(hardware: str, address: str | None) -> None:
    """UsageError for an unknown hardware option, or an address for one that cannot have any."""
    row = board_of(hardware)
    if address is not None and row.address == "none":
        real = ", ".join(name for name, other in BOARDS.items() if not other.fake)
        raise UsageError(
            f"hardware {hardware}: must not have an address ({address!r:.60}), because nothing is there; choose a "
            f"board with --hardware ({real})."
        )


def _fake_words(device: Device) -> AnyArray | None:
    """The words that a fake answers, None for the usual ones. InputError for a file that holds no such list."""
    path = device.fake_file or device.recording
    if path is None or (device.fake_file is None and path.suffix.lower() != ".npy"):
        return None
    words = read_array(path)
    if isinstance(words, np.ndarray) and (words.ndim == 1 or device.fake_file is None):
        return words if words.ndim == 1 else None
    raise InputError(f"{path}: the words of a fake board must be a .npy file with a 1-D array of 32-bit words.")
