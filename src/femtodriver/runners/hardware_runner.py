"""Runners "hw" and "fakehw": the program on a board, or on the fake of one."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.boards import board_of
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.device.session.fake_inputs import STYLES as FAKE_INPUT_STYLES
from femtodriver.device.spu_runner import SPURunner
from femtodriver.errors import InputError
from femtodriver.inputs import read_array
from femtodriver.inputs.generated_frames import SAWTOOTH
from femtodriver.metrics.hardware_metrics import hardware_metrics
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.program.packing import pack, split_words
from femtodriver.runners.dummy_runner import read_recording
from femtodriver.runners.runner import RESET_FAILED, Runner, Values
from femtodriver.stop_signals import breakable

HARDWARE = "hardware"
FAKE = "fakehw"
_log = logging.getLogger(__name__)


class HardwareRunner(Runner, SPURunner):
    """A runner that is an ``SPURunner`` too: ``run`` reports its progress and checks all inputs before the first frame.

    Internals are those that the model's program keeps. A fake (``is_fake``) has no memory, so it gives none.
    ``records_dir``: where recordings go when the runner is told to write them. It keeps one number for each frame: how
    long it took.
    """

    runs_first = True

    def __init__(self, name: str, model: Built, request: RunnerRequest, records_dir: Path | None = None) -> None:
        board = board_of(request.hardware)
        self.is_fake = fake = board.fake
        self._vco_hz = board.platform.vco_hz if board.program_pll else None
        self._latencies_us = array("q")
        key_index, salt = model.registers
        settings = BoardSettings(
            hardware=request.hardware,
            address=request.address,
            timeout=request.timeout,
            verify=not request.no_verify,
            reconnect=request.reconnect,
            reply_values=_reply_values(model, request) if fake else None,
            key_index=key_index,
            salt=salt,
            debug_places={} if fake else {key: DataPlace(**vars(place)) for key, place in model.kept.items()},
            records_dir=records_dir,
            write_records=False,
        )
        SPURunner.__init__(self, model.data, settings=settings)
        Runner.__init__(self, name, model.inputs)

    def reset(self, reset_vals: Mapping[str, npt.ArrayLike] | None = None, record: bool = True) -> None:
        """As ``SPURunner.reset``."""
        with self._unless_it_fails(RESET_FAILED), breakable():
            SPURunner.reset(self, reset_vals, record)
            self._begin({})
            self._latencies_us = array("q")

    def _reset(self) -> None:
        SPURunner.reset(self)

    def _finish(self) -> None:
        SPURunner.finish(self)

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        with breakable():
            return super()._run_block(inputs)

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        self._send(inputs)
        return self._receive(inputs)

    def _send(self, inputs: Values) -> None:
        self._session.send(inputs)

    def _receive(self, inputs: Values) -> tuple[Values, Values]:
        made = self._session.receive()
        self._latencies_us.append(self.latency_us)
        return made

    def make_fake_inputs(self, T: int, style: str = SAWTOOTH, scale: float | None = None) -> Values:  # noqa: N803
        """As of the ``SPURunner`` of the reference 1.3.0, unless a scale or a style of 2.x is given."""
        if scale is None and style in FAKE_INPUT_STYLES:
            return SPURunner.make_fake_inputs(self, T, style)
        return Runner.make_fake_inputs(self, T, style, scale)

    def hardware_metrics(self, input_period: float | None = None) -> dict[str, Any]:
        """What the board measured since the reset; see ``metrics.hardware_metrics``. ``input_period`` in seconds."""
        return hardware_metrics(self._latencies_us, input_period, self._vco_hz)


def make_hw(model: Built, request: RunnerRequest, records_dir: Path | None) -> HardwareRunner:
    """The runner "hw", on whatever hardware was chosen; a fake is told in a warning."""
    runner = HardwareRunner(HARDWARE, model, request, records_dir)
    if runner.is_fake:
        _log.warning(
            "runner hw: %s is no board, its outputs are made up; choose a board with --hardware", request.hardware
        )
    return runner


def make_fakehw(model: Built, request: RunnerRequest, records_dir: Path | None) -> HardwareRunner:
    """The runner "fakehw": on the hardware that was chosen if it is a fake, else on the usual fake."""
    if not board_of(request.hardware).fake:
        # The address is that of the board that was chosen, which is another one.
        request = replace(request, hardware=RunnerRequest().hardware, address=None)
    return HardwareRunner(FAKE, replace(model, kept={}), request, records_dir)


def check_board(request: RunnerRequest, runners: Sequence[str]) -> None:
    """UsageError for a board that cannot be, or that one of the runners cannot reach without an address: better known
    before a long run than after it."""
    settings = BoardSettings(hardware=request.hardware, address=request.address, timeout=request.timeout)
    if "hw" in runners:
        settings.check_reachable()


def _reply_values(model: Built, request: RunnerRequest) -> AnyArray | None:
    """The words that a fake answers, None for the usual ones: 1-D from a list of words, 2-D (frames, words) from the
    outputs that the runner dummy would replay. InputError for a file that holds neither."""
    if request.reply_file is not None:
        words = read_array(Path(request.reply_file))
        if not isinstance(words, np.ndarray) or words.ndim != 1:
            raise InputError(f"{request.reply_file}: must be a .npy file with a 1-D array of 32-bit words.")
        return words
    if request.dummy_output_file is None:
        return None
    path = Path(request.dummy_output_file)
    if path.suffix.lower() == ".npy":
        words = read_array(path)
        if isinstance(words, np.ndarray) and words.ndim == 1:
            return words
    return _packed(model, read_recording(path, model.outputs), path)


def _packed(model: Built, recorded: Values, path: Path) -> AnyArray:
    """Outputs as the words of their messages, in the order in which a board sends them: uint32 (frames, words)."""
    frames = min(len(rows) for rows in recorded.values())
    rows = []
    for frame in range(frames):
        payloads = []
        for record in sorted(model.data.info().outputs, key=lambda record: record.mailbox_id):
            payload = np.zeros(record.words, np.uint64)
            packed = pack(recorded[record.name][frame], record.bits, f"{path}: {record.name!r}, frame {frame}")
            payload[: len(packed)] = packed
            payloads.append(split_words(payload))
        rows.append(np.concatenate(payloads))
    return np.stack(rows)
