"""Hardware 1.3 and 1.2: what is written to each, and that a program runs on both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from femtodriver.device import make_runner
from femtodriver.device.chip_versions import CHIP_1_2, CHIP_1_3, chip_of_environment
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.memory_map import SYSTEM_REGISTERS, TOP_REGISTERS
from tests.device.networks import PART, compiled, expected, random_inputs

KEYS = {address for name, address in SYSTEM_REGISTERS.items() if "ENCRYPTION" in name}


def test_the_environment_chooses_the_chip() -> None:
    assert chip_of_environment({}) is chip_of_environment({"FS_HW_CFG": ""}) is CHIP_1_3
    assert chip_of_environment({"FS_HW_ISA": "spu1p2v1.dat"}) is CHIP_1_2
    assert chip_of_environment({"FS_HW_CFG": "spu1p3v1.dat", "FS_HW_ISA": "spu1p2v1.dat"}) is CHIP_1_3
    with pytest.raises(
        UsageError, match=r"FS_HW_CFG: the chip of a board must be spu1p3v1\.dat or spu1p2v1\.dat, not 'spu2"
    ):
        chip_of_environment({"FS_HW_CFG": "spu2p0v1.dat"})


def traffic(records: tuple[Transaction, ...], space: str) -> dict[int, list[int]]:
    """The values that were written to each address of a space."""
    found: dict[int, list[int]] = {}
    for record in records:
        if record.msgtype == space and record.direction == "w" and record.length == 1:
            found.setdefault(record.start_addr, []).extend(record.vals)
    return found


def test_a_program_runs_on_hardware_1_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FS_HW_CFG", "spu1p2v1.dat")
    data, inputs = compiled("accumulator"), random_inputs(compiled("accumulator"), 4)
    board = VirtualBoard(PART, chip=CHIP_1_2)
    with (
        BoardServer(board) as server,
        make_runner(data, "zynq", address=server.endpoint, records_dir=tmp_path) as runner,
    ):
        runner.reset()
        runner.check_version_reg()
        outputs, _, _ = runner.run(inputs)
        recorded = runner.ioplug.recordings
        assert runner.get_vars()["s"].tolist() == outputs["sum"][-1].tolist()
    np.testing.assert_array_equal(outputs["sum"], expected(data, inputs)["sum"])
    assert not board.violations.counts
    top = traffic(recorded["0PROG"], "spu_top")
    assert not KEYS & set(traffic(recorded["0PROG"], "apb"))
    assert top[TOP_REGISTERS["PLL_BWADJ"]] == [120]
    assert top[TOP_REGISTERS["PLL_CLKF"]] == [242]
    assert top[TOP_REGISTERS["PLL_CONF"]] == [1, 0]
    assert TOP_REGISTERS["SPI_CONF"] not in top
    assert all(record.start_addr != TOP_REGISTERS["OUTPUT_INT"] for record in recorded["io_sequence"])


def test_the_wrong_chip_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = compiled("accumulator")
    with BoardServer(VirtualBoard(PART, chip=CHIP_1_2)) as server:
        with make_runner(data, "zynq", address=server.endpoint, verify=False) as runner:
            runner.reset()
            with pytest.raises(
                DeviceError,
                match=r"must read 0x13 \(SPU-001, hardware 1\.3\), not 0x12\. This is .* FS_HW_CFG=spu1p2v1\.dat",
            ):
                runner.check_version_reg()
        assert server.board.violations.counts["address"]
    monkeypatch.setenv("FS_HW_CFG", "spu1p2v1.dat")
    with pytest.raises(UsageError, match=r"program: must be in plain words for the hardware 1\.2"):
        make_runner(data, "zynq", address="127.0.0.1:1", encrypted=True)
    monkeypatch.setenv("FS_HW_CFG", "spu2p1v1.dat")
    with pytest.raises(UsageError, match="FS_HW_CFG: the chip of a board must be"):
        make_runner(replace(data), "fakezynq")
