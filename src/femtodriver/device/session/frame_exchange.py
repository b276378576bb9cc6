"""One frame on a board: send the inputs, wait for the outputs, fetch them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from femtodriver.arrays import BusWords, Int64Array
from femtodriver.device.boards import Pause, Platform
from femtodriver.device.chip_versions import CHIP_1_3, ChipVersion
from femtodriver.device.session.frame_messages import Values, input_messages, output_arrays, words_of_outputs
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.errors import DeviceError
from femtodriver.program.memory_map import TOP_REGISTERS
from femtodriver.program.metadata import ProgramInfo

_LONGEST_PAUSE_S = 2e-3


class Frames:
    """Exchanges frames with the board behind a recorder.

    ``latency_us``: what the board measured for the last frame, -1 when it cannot tell.
    """

    def __init__(self, recorder: Recorder, platform: Platform, info: ProgramInfo, chip: ChipVersion = CHIP_1_3) -> None:
        self._recorder, self._chip = recorder, chip
        self._transport = recorder.transport
        self._platform = platform
        self._info = info
        self._wanted = 2 * words_of_outputs(info.outputs) if info.outputs else 0
        self.count = 0
        self.latency_us = -1

    def messages(self, frame: Mapping[str, Int64Array]) -> list[BusWords]:
        """The messages of a frame of checked arrays, as of ``input_messages``."""
        return input_messages(frame, self._info.inputs)

    def send(self, messages: list[BusWords]) -> None:
        """Begin a frame. DeviceError when the link fails."""
        for message in messages:
            self._recorder.write("axis", 0, message)
        self.latency_us = -1

    def receive(self, internals: Callable[[], Values]) -> tuple[Values, Values]:
        """Outputs and internal values of the frame; ``internals`` reads the latter while the outputs wait.

        DeviceError when the outputs do not come in time or are not those of the program.
        """
        pause = self._platform.after_inputs
        if not self._chip.tells_outputs:
            pause = Pause(pause.cycles, self._chip.frame_s)
        self._transport.settle(pause.cycles, pause.seconds)
        seen: Values | None = None
        deadline = time.monotonic() + self._transport.timeouts.output
        sleep = self._platform.between_polls.seconds
        while True:
            waiting = self._output_waits()
            if waiting:
                if seen is None:
                    self.latency_us = self._transport.execution_time_us()
                    seen = internals()
                words = self._fetch()
                if len(words) == self._wanted:
                    outputs = output_arrays(words, self._info.outputs, self._where())
                    self.count += 1
                    return outputs, seen
            if time.monotonic() > deadline:
                raise DeviceError(self._overdue(waiting))
            self._transport.wait(self._platform.between_polls.cycles, sleep)
            sleep = min(2 * sleep, _LONGEST_PAUSE_S)

    def _output_waits(self) -> bool:
        if self._transport.is_fake or not self._chip.tells_outputs:
            return True
        return bool(self._recorder.read("spu_top", TOP_REGISTERS["OUTPUT_INT"], 1, "OUTPUT_INT")[0])

    def _fetch(self) -> BusWords:
        return self._recorder.read("axis", 0, self._wanted) if self._wanted else np.zeros(0, np.uint32)

    def _where(self) -> str:
        return f"{self._transport.name}: frame {self.count}"

    def _overdue(self, waiting: bool) -> str:
        names = ", ".join(repr(record.name) for record in self._info.outputs)
        seen = "an output waits, but not all of them" if waiting else "OUTPUT_INT stayed 0"
        return (
            f"{self._where()}: expected {self._wanted // 2} words of {names} within "
            f"{self._transport.timeouts.output:g} s after the inputs; {seen}. See what the board reports, and reset it."
        )
