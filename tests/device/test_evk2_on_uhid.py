"""EVK2 over the kernel's HID bus, where the machine lets us make a device; what the harness says, everywhere."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.evk2.hid_link import EvkLink
from femtodriver.device.evk2.usb_boards import EvkOpener, list_boards
from femtodriver.device.spu_runner import SPURunner
from femtodriver.device.timeouts import Timeouts
from tests.board_bench import alarm
from tests.device.networks import compiled
from tests.device.test_evk2_link import SpecBoard
from tests.device.uhid_board import KernelHid, create_event, input_event, output_of, uhid_board, why_not

REASON = why_not()


def test_events_are_those_of_the_kernel() -> None:
    made = create_event("S1")
    assert len(made) == 4 + 128 + 64 + 64 + 20 + 27
    assert struct.unpack_from("<I", made) == (11,)
    assert made[4:11] == b"SPU001\0"
    assert made[196:199] == b"S1\0"
    assert struct.unpack_from("<HHII", made, 260) == (27, 3, 0x16C0, 0x0486)
    assert input_event(b"abc") == struct.pack("<IH", 12, 3) + b"abc"
    event = struct.pack("<I4096sHB", 6, b"\0report", 7, 1)
    assert output_of(event) == b"\0report"
    assert output_of(struct.pack("<I", 4) + bytes(4376)) is None


@pytest.mark.skipif(REASON != "", reason=REASON)
def test_a_program_runs_on_a_device_of_the_kernel(tmp_path: Path) -> None:
    serial, board = f"open-fd-{os.getpid()}", SpecBoard()
    with alarm(60), uhid_board(board, serial):
        package = KernelHid(serial)
        for _ in range(100):  # udev makes the node
            if list_boards(package):
                break
            time.sleep(0.05)
        link = EvkLink(EvkOpener(serial, package, tmp_path), Timeouts())
        data = compiled("identity")
        with SPURunner(data, settings=BoardSettings(hardware="evk2", verify=False), link=link) as runner:
            runner.reset()
            for frame in range(3):
                outputs, _ = runner.step({"x": np.arange(16) - frame})
                np.testing.assert_array_equal(outputs["%x.4"], np.arange(16) - frame)
            assert runner.latency_us == 1234
