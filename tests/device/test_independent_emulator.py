"""The client against an emulator that shares no code with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver.device import Timeouts, make_runner
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.write_recordings import apb_files
from tests.device.networks import compiled, random_inputs
from tests.device.spec_emulator import SpecEmulator


def run(emulator: SpecEmulator, hardware: str = "zynq", frames: int = 4, folder: Path | None = None) -> None:
    data = compiled("identity")
    inputs = random_inputs(data, frames)
    with make_runner(data, hardware, address=f"127.0.0.1:{emulator.port}", timeout=10, recording_dir=folder) as runner:
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    np.testing.assert_array_equal(outputs["%x.4"], inputs["x"])
    assert emulator.complaints == []


def test_an_identity_network() -> None:
    with SpecEmulator() as emulator:
        run(emulator)
        assert emulator.inbox == [0, compiled("identity").metadata["inputs"]["x"]["pc_val"]]


def test_every_write_of_the_load_sequence_in_order(tmp_path: Path) -> None:
    with SpecEmulator() as emulator:
        run(emulator, folder=tmp_path)
        writes = emulator.writes
    assert writes[:11] == [
        (10, 0, 0),
        *((8, 0x0C, 60), (8, 0x10, 0), (8, 0x14, 121), (8, 0x18, 0), (8, 0x08, 1), (8, 0x08, 0)),
        *((8, 0x08, 0x40), (8, 0x00, 0x800), (8, 0x00, 0)),
        (1, 0x18, 0),
    ]
    addresses, words = apb_files(load_sequence(compiled("identity")))
    apb = [(address, word) for code, address, word in writes if code == 1]
    assert apb == [(int(a, 16), int(w, 16)) for a, w in zip(addresses.split(), words.split(), strict=True)]
    assert (tmp_path / "apb_records" / "0PROG_A").read_text() == addresses
    assert (tmp_path / "apb_records" / "0PROG_D").read_text() == words


def test_an_fpga_gets_no_pll_settings() -> None:
    with SpecEmulator() as emulator:
        run(emulator, "fpgazynq")
        assert [write for write in emulator.writes if write[0] == 8] == [(8, 8, 0x40), (8, 0, 0x800), (8, 0, 0)]
        assert emulator.lock_polls == 2


def test_the_lock_of_the_pll_is_waited_for() -> None:
    with SpecEmulator() as emulator:
        emulator.lock_polls = 5
        run(emulator)
        assert emulator.lock_polls == 0
    with SpecEmulator() as emulator:
        emulator.lock_polls = 1 << 30
        address, timeouts = f"127.0.0.1:{emulator.port}", Timeouts(lock=0.2)
        runner = make_runner(compiled("identity"), "zynq", address=address, timeouts=timeouts)
        with runner, pytest.raises(DeviceError, match=r"PLL_LOCK stayed 0x0 for 0.2 s.*fpgazynq"):
            runner.reset()


def test_a_soft_reset_is_rst_3_then_0() -> None:
    with SpecEmulator() as emulator:
        runner = make_runner(compiled("identity"), "zynq", address=f"127.0.0.1:{emulator.port}")
        with runner:
            runner.reset()
            emulator.writes.clear()
            runner.soft_reset()
            runner.check_version_reg()  # the writes have arrived
        assert emulator.writes == [(1, 0x04, 3), (1, 0x04, 0)]


@pytest.mark.parametrize(("chunk", "late"), [(1, 0), (7, 3), (13, 30)])
def test_a_slow_peer_that_splits_everything(chunk: int, late: int) -> None:
    with SpecEmulator(chunk, late) as emulator:
        run(emulator)


@pytest.mark.slow
def test_an_output_that_never_comes() -> None:
    data = compiled("identity")
    with SpecEmulator(late=1 << 30) as emulator:
        runner = make_runner(data, "zynq", address=f"127.0.0.1:{emulator.port}", timeouts=Timeouts(output=0.3))
        with runner:
            runner.reset()
            inputs = {"x": np.zeros(16, np.int64)}
            with pytest.raises(
                DeviceError, match=r"frame 0: expected 5 words of '%x.4' within 0.3 s .*OUTPUT_INT stayed"
            ):
                runner.step(inputs)
            # What comes late must not be taken for the next frame.
            with pytest.raises(UsageError, match=r"a frame failed; reset\(\) must come first"):
                runner.step(inputs)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ([0x1E, 0, *range(8)], "frame 0: expected status 0x1f in the header of an output, got 0x1e"),
        ([0x1F, 3, *range(8)], "frame 0: expected an output of mailbox 0, got 3"),
    ],
)
def test_outputs_that_are_not_those_of_the_program(reply: list[int], message: str) -> None:
    with SpecEmulator() as emulator:
        runner = make_runner(compiled("identity"), "zynq", address=f"127.0.0.1:{emulator.port}", timeout=5)
        with runner:
            runner.reset()
            emulator.outputs = [reply]
            emulator.axis_write = lambda field, word: None  # type: ignore[method-assign]
            with pytest.raises(DeviceError, match=message):
                runner.step({"x": np.zeros(16, np.int64)})


def test_memories_are_read_back() -> None:
    data = compiled("identity")
    with SpecEmulator() as emulator:
        runner = make_runner(data, "zynq", address=f"127.0.0.1:{emulator.port}", timeout=5)
        with runner:
            runner.reset()
            runner.check_version_reg()
            assert runner.integrity_check_all_memories(100) == 12 * 100 + 3 * 64 + 100
            emulator.apb[0] = 0x20
            with pytest.raises(DeviceError, match=r"VERSION must read 0x13 \(SPU-001, hardware 1\.3\), not 0x20"):
                runner.check_version_reg()
            plain = emulator.entry
            emulator.entry = lambda code, address, word: plain(code, address, word & ~(address == 0x110008))  # type: ignore[method-assign]
            with pytest.raises(
                DeviceError, match="core 0 DM1 pattern: 1 of 16 words differ; at 0x110008 expected 0x55555"
            ):
                runner.integrity_check_all_memories(8)
            with pytest.raises(UsageError, match=r"has overwritten the program; reset\(\) must come first"):
                runner.step({"x": np.zeros(16, np.int64)})
    with SpecEmulator() as emulator:
        emulator.entry, plain = (  # type: ignore[method-assign]
            lambda code, address, word: plain(code, address, word | 0x80 * (address == 0x1F0000)),
            emulator.entry,
        )
        runner = make_runner(data, "zynq", address=f"127.0.0.1:{emulator.port}", timeout=5, verify=True)
        with runner, pytest.raises(DeviceError, match="core 0 IM after loading: 1 of 14 words differ; at 0x1f0000 exp"):
            runner.reset()
