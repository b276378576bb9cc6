"""The documented surface of ``SPURunner`` and ``FakeSPURunner``."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import femtodriver
from femtodriver.device import Timeouts, make_runner, serve
from femtodriver.device.spu_runner import FakeSPURunner, SPURunner
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError, InputError, UsageError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_recordings
from femtodriver.program.bus.write_recordings import apb_files
from femtodriver.program.compiled_data import CompiledData
from tests.device.networks import assert_equal, compiled, expected, random_inputs


def opened(server: BoardServer, name: str = "accumulator") -> SPURunner:
    runner = make_runner(compiled(name), "zynq", address=server.endpoint, timeout=5)
    runner.reset()
    return runner


def test_the_public_names() -> None:
    assert femtodriver.SPURunner is SPURunner
    assert femtodriver.FakeSPURunner is FakeSPURunner


@pytest.mark.parametrize("program", [3, "model_datas/LOOPBACK", None])
def test_a_program_that_is_none(program: Any) -> None:
    with pytest.raises(UsageError, match=f"^program: must be a CompiledData, not {type(program).__name__};"):
        SPURunner(program)


def test_attributes(server: BoardServer) -> None:
    with opened(server, "two_in_three_out") as runner:
        data = compiled("two_in_three_out")
        assert runner.input_info == data.metadata["inputs"]
        assert runner.output_info == data.metadata["outputs"]
        assert runner.data_bank_sizes == data.metadata["data_bank_sizes"]
        assert runner.table_bank_sizes == data.metadata["table_bank_sizes"]
        assert runner.inst_counts == data.metadata["inst_counts"]
        assert runner.used_cores == tuple(data.metadata["inst_counts"])
        assert runner.debug_vars == {}
        assert runner.name == "zynq"


def test_registers_and_memories_by_name(server: BoardServer) -> None:
    with opened(server) as runner:
        data = compiled("accumulator")
        assert runner.hw_recv("VERSION").tolist() == [0x13]
        runner.hw_send("DM_TIMERS", 77)
        assert runner.hw_recv("DM_TIMERS").tolist() == [77]
        assert runner.hw_recv("PLL_LOCK").tolist() == [1]
        assert runner.hw_recv((0, "IM_CONF", 0)).tolist() == [0x11098]
        assert runner.hw_recv((0, "HEAD_TAIL_REG", 0)).tolist() == [0]
        image = data.image(0, "IM")
        np.testing.assert_array_equal(runner.hw_recv((0, "IM", 0), len(image)), image)
        runner.change_mem_power_state("on")
        runner.hw_send((0, "DM0", 1), [1, 2], flush=False)
        runner.hw_send((0, "DM", 3), [0xFFFF_0000_1111_2222], flush=False)
        assert server.board.apb_read(0x100008, 2).tolist() != [1, 0]
        assert runner.hw_recv((0, "DM0", 1), 3).tolist() == [1, 2, 0xFFFF_0000_1111_2222]  # sends what was gathered
        message = [0 | data.metadata["inputs"]["x"]["pc_val"] << 32, 1, 2, 3, 4]
        runner.reset()
        runner.hw_send("RTR", message)
        assert runner.hw_recv("RTR", 5).tolist() == [0x1F, 1, 2, 3, 4]
        assert runner.hw_recv("RTR", 5).tolist() == []


@pytest.mark.parametrize(
    ("target", "vals", "message"),
    [
        ("VERSIONS", [1], "a register must be one of VERSION, RST"),
        ("RST", [1, 2], "a register is one word"),
        ("RST", [1 << 32], "a value must have 32 bits"),
        ("RST", [-1], "whole numbers from 0"),
        ("RST", [1.5], "whole numbers from 0"),
        ("RST", [], "at least one"),
        ((0, "DM8", 0), [1], "a bank must be one of DM0, .*not 'DM8'"),
        ((0, "SB", 60), [1] * 5, "has 64 words per bank, not 5 from 60"),
        ((0, "DM0", 8190), [1] * 5, "has 8192 words per bank, not 5 from 8190"),
        ((99, "DM0", 0), [1], "core must be in 0...15"),
        ((0, "DM_CONF0", 1), [1], "a register is one word"),
        ((0, "DM"), [1], r"must be a register's name or \(core, name, offset\)"),
    ],
)
def test_targets_that_are_none(server: BoardServer, target: object, vals: list[int], message: str) -> None:
    with opened(server) as runner, pytest.raises(UsageError, match=message):
        runner.hw_send(target, vals)  # type: ignore[arg-type]


def test_a_whole_memory_goes_over_its_banks(server: BoardServer) -> None:
    from femtodriver.device.session.memory_power import switch_bank

    with opened(server) as runner:
        for bank in ("DM2", "DM3"):
            switch_bank(runner.ioplug, 1, bank, "on")
        words = np.arange(20, dtype=np.uint64) + 5
        runner.hw_send((1, "DM", 3 * 8192 - 7), words)
        np.testing.assert_array_equal(runner.hw_recv((1, "DM", 3 * 8192 - 7), 20), words)
        assert runner.hw_recv((1, "DM3", 0), 2).tolist() == [12, 13]
        assert not server.board.violations.counts


def test_power_states(server: BoardServer) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 3)
    wanted = expected(data, inputs)["sum"]
    with opened(server) as runner:
        for frame in range(3):
            np.testing.assert_array_equal(runner.step({"x": inputs["x"][frame]})[0]["sum"], wanted[frame])
            runner.change_mem_power_state("sleep")
            with pytest.raises(UsageError, match="the memories are asleep; wake them before a frame"):
                runner.step({"x": inputs["x"][0]})
            with pytest.raises(UsageError, match="asleep can be switched to wake, not 'on'"):
                runner.change_mem_power_state("on")
            runner.change_mem_power_state("wake")
        with pytest.raises(UsageError, match="must be one of on, off, sleep, wake, not 'up'"):
            runner.change_mem_power_state("up")
        assert not server.board.violations.counts
        runner.change_mem_power_state("off")
        runner.change_mem_power_state("on")
        with pytest.raises(UsageError, match=r"have lost the program; reset\(\) must come first"):
            runner.step({"x": inputs["x"][0]})
        runner.reset()
        np.testing.assert_array_equal(runner.step({"x": inputs["x"][0]})[0]["sum"], wanted[0])


def test_soft_reset_integrity_version_and_wait(server: BoardServer) -> None:
    with opened(server) as runner:
        runner.step({"x": np.ones(16, int)})
        runner.soft_reset()
        assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == [2] * 16  # memories keep the state
        runner.check_version_reg()
        runner.wait(10, 0.0)
        assert runner.integrity_check_all_memories() == 16 * 64
        with pytest.raises(UsageError, match="the number of words must be at least 1"):
            runner.integrity_check_all_memories(0)
        runner.reset()
        assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == [1] * 16
        assert not server.board.violations.counts


def test_a_program_that_never_answers(server: BoardServer) -> None:
    data = compiled("identity")
    mute = CompiledData(
        {**data.metadata, "inputs": {"x": {**data.metadata["inputs"]["x"], "pc_val": 4000}}}, data.mems_per_core
    )
    with make_runner(mute, "zynq", address=server.endpoint, timeouts=Timeouts(output=0.2)) as runner:
        runner.reset()
        with pytest.raises(
            DeviceError, match=r"frame 0: expected 5 words of '%x.4' within 0.2 s after the inputs; OUTP"
        ):
            runner.step({"x": np.zeros(16, int)})
        assert dict(server.board.violations.counts) == {"fault": 1}


def test_fake_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = FakeSPURunner(compiled("odd_identity"), io_records_dir=None)
    assert runner.make_fake_inputs(7)["x"].ravel().tolist() == [at % 32 for at in range(35)]
    random = runner.make_fake_inputs(200, "random")["x"]
    assert random.min() >= -2048
    assert random.max() <= 2047
    assert len(np.unique(random)) > 500
    monkeypatch.setenv("FS_FD_INPUT_SEED", "5")
    np.testing.assert_array_equal(runner.make_fake_inputs(9)["x"], runner.make_fake_inputs(9)["x"])
    monkeypatch.setenv("FS_FD_INPUT_STYLE", "sawtooth")
    assert runner.make_fake_inputs(1, "random")["x"].tolist() == [[0, 1, 2, 3, 4]]
    monkeypatch.setenv("FS_FD_INPUT_SEED", "x")
    with pytest.raises(UsageError, match=r"FS_FD_INPUT_SEED: must be a whole number from 0 to 2\^64 - 1, not 'x'"):
        runner.make_fake_inputs(1)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="the style must be one of sawtooth, random, not 'sine'"):
        runner.make_fake_inputs(1, "sine")
    with pytest.raises(UsageError, match=r"the number of frames must be a whole number in 1\.\.\.53687091, not 0"):
        runner.make_fake_inputs(0)


def test_the_single_output() -> None:
    assert FakeSPURunner(compiled("identity"), io_records_dir=None).get_single_output_name() == "%x.4"
    with pytest.raises(UsageError, match=r"the program must have one, not 3 \(sum, less, copy\)"):
        FakeSPURunner(compiled("two_in_three_out"), io_records_dir=None).get_single_output_name()


def test_fakezynq_answers_its_pattern() -> None:
    with make_runner(compiled("identity"), "fakezynq") as runner:
        runner.reset()
        for _ in range(2):
            assert runner.step({"x": np.zeros(16, int)})[0]["%x.4"].tolist() == [12816, 30292] * 8
        assert runner.hw_recv("VERSION").tolist() == [0x76543210]
        runner.check_version_reg()
        assert runner.integrity_check_all_memories() == 0


def test_fakezynq_answers_values_from_their_beginning_every_time() -> None:
    values = np.array([1, 2, 3, -1])
    with make_runner(compiled("identity"), "fakezynq", fake_values=values) as runner:
        runner.reset()
        for _ in range(2):
            assert runner.step({"x": np.zeros(16, int)})[0]["%x.4"].tolist() == [1, 0, 2, 0, 3, 0, -1, -1] + [0] * 8
        assert runner.hw_recv((0, "DM0", 0), 3).tolist() == [1 | 2 << 32, 3 | 0xFFFFFFFF << 32, 0]


def test_fakezynq_answers_a_row_per_frame() -> None:
    rows = np.arange(24).reshape(3, 8)
    with make_runner(compiled("identity"), "fakezynq", reply_values=rows) as runner:
        for _ in range(2):  # a reset starts over
            runner.reset()
            for frame in (0, 1, 2, 0):
                assert runner.hw_recv((0, "DM0", 0), 1).tolist() == [8 * frame | (8 * frame + 1) << 32]
                assert runner.step({"x": np.zeros(16, int)})[0]["%x.4"][::2].tolist() == rows[frame].tolist()


def test_fakezynq_with_several_outputs() -> None:
    values = np.arange(1, 13)
    with make_runner(compiled("two_in_three_out"), "fakezynq", fake_values=values) as runner:
        runner.reset()
        outputs, _ = runner.step({"a": np.zeros(8, int), "b": np.zeros(8, int)})
    assert {name: found[::2].tolist() for name, found in outputs.items()} == {
        "sum": [1, 2, 3, 4],
        "less": [5, 6, 7, 8],
        "copy": [9, 10, 11, 12],
    }


def test_the_transport_of_fakezynq_word_for_word() -> None:
    runner = make_runner(compiled("identity"), "fakezynq", fake_values=[7, 8, 9])
    with runner.ioplug.transport as link:
        assert link.read("axis", 0, 0, 10).tolist() == [0x1F, 0, 7, 8, 9, 0, 0, 0, 0, 0]
        assert link.read("axis", 0, 0, 4).tolist() == [0x1F, 0, 7, 8]  # another request: one output of mailbox 0
        assert link.read("apb", 0, 8, 2).tolist() == [7, 8]
        assert link.read("apb", 0, 20, 5).tolist() == [7, 8, 9, 0, 0]
        link.write("apb", 0, 4, 1, [5])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[[1]]], "must be a 1-D array of integers, or a 2-D one with a row per frame, not 3-D"),
        (np.zeros((0, 4), int), "must be a 1-D array of integers, or a 2-D one with a row per frame"),
        (7, "not 0-D"),
        ([0.5], "must be a 1-D array of integers"),
        ([1 << 32], "must be words of 32 bits"),
        ([-(1 << 31) - 1], "must be words of 32 bits"),
    ],
)
def test_fake_values_that_are_no_words(values: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_runner(compiled("identity"), "fakezynq", fake_values=values)


def test_recordings_of_a_fake_board(tmp_path: Path) -> None:
    data = compiled("identity")
    runner = FakeSPURunner(data, io_records_dir=tmp_path)
    runner.reset()
    runner.reset()
    addresses, words = apb_files(load_sequence(data))
    assert (tmp_path / "apb_records" / "0PROG_A").read_text() == addresses
    assert (tmp_path / "apb_records" / "0PROG_D").read_text() == words
    assert read_recordings(tmp_path / "setup.yaml") == {"0PROG": load_sequence(data)}
    runner.step({"x": np.zeros(16, int)})
    runner.ioplug.commit_recording(tmp_path / "writes.yaml", write_only=True)
    assert [item.msgtype for item in read_recordings(tmp_path / "writes.yaml")["io_sequence"]] == ["axis"]
    runner.ioplug.start_recording("mine")
    runner.hw_send("RST", 0, comment="hello")
    runner.ioplug.stop_recording()
    runner.hw_send("RST", 0)
    assert [item.comment for item in runner.ioplug.recordings["mine"]] == ["hello"]
    with pytest.raises(UsageError, match="the recording must be one of 0PROG, io_sequence, mine, not 'yours'"):
        runner.ioplug.replay_record("yours")
    assert runner.ioplug.replay_record("mine") == 1


def test_recordings_have_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("femtodriver.device.session.traffic_recorder.MOST_WORDS", 50)
    runner = FakeSPURunner(compiled("identity"), io_records_dir=tmp_path)
    runner.reset()
    assert not runner.ioplug.truncated
    for _ in range(5):
        runner.step({"x": np.zeros(16, int)})
    assert runner.ioplug.truncated
    assert sum(item.length for item in runner.ioplug.recordings["io_sequence"]) <= 50


def test_no_records_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = make_runner(compiled("identity"), "fakezynq")
    runner.reset()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="made without a folder"):
        runner.write_APB_files()
    FakeSPURunner(compiled("identity")).reset()
    assert (tmp_path / "io_records" / "setup.yaml").is_file()


def test_export_femto_file(tmp_path: Path) -> None:
    runner = FakeSPURunner(compiled("identity"), io_records_dir=tmp_path / "records")
    path, size = runner.export_femto_file(model_name="mine", model_version="2.0.1", target_spu="SPU001")
    assert path == str(tmp_path / "records" / "mine.femto")
    assert Path(path).stat().st_size == size
    assert CompiledData.read_from_femtofile(path).info().inst_counts == compiled("identity").info().inst_counts
    with pytest.raises(UsageError, match="the target must be SPU001, not 'SPU150'"):
        runner.export_femto_file(target_spu="SPU150")


def test_key_and_salt_of_encrypted_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    data = compiled("identity")

    def written(metadata: dict[str, object], **options: int) -> list[int]:
        secret = CompiledData({**data.metadata, **metadata}, data.mems_per_core)
        runner = make_runner(secret, "fakezynq", **options)
        runner.ioplug.transport.open()
        runner.reset()
        sent = [item for item in runner._session.program() if 0x18 <= item.start_addr <= 0x28]
        return [item.vals[0] for item in sent]

    assert written({"encrypted": False}) == [0, 0, 0, 0, 0]
    assert written({"encrypted": True, "encryption_key_index": 7, "encryption_key_salt": 0xABCD0001}) == [
        7,
        1,
        0xABCD,
        0,
        0,
    ]
    monkeypatch.setenv("FS_ENCRYPTION_KEY_IDX", "9")
    monkeypatch.setenv("FS_ENCRYPTION_SALT", "ff")
    assert written({"encrypted": True}) == [9, 0xFF, 0, 0, 0]
    assert written({"encrypted": False}) == [0, 0, 0, 0, 0]
    assert written({"encrypted": True}, key_index=2, salt=3) == [2, 3, 0, 0, 0]
    monkeypatch.setenv("FS_ENCRYPTION_SALT", "wrong")
    with pytest.raises(UsageError, match=r"FS_ENCRYPTION_SALT: must be a hexadecimal number below 2\^64, not 'wrong'"):
        written({"encrypted": True})


def test_pauses_are_slept_where_silicon_may_be(server: BoardServer, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("femtodriver.device.zcu104.tcp_link.time.sleep", slept.append)
    for scale, wanted in ((None, []), (1.0, [3.0, 0.5, 0.05, 0.1]), (0.5, [1.5, 0.25, 0.025, 0.05])):
        slept.clear()
        runner = make_runner(compiled("identity"), "zynq", address=server.endpoint, timeout=5, settle_scale=scale)
        with runner:
            runner.reset()
            runner.step({"x": np.zeros(16, int)})
        assert [pause for pause in slept if pause > 1e-3] == wanted


def test_serve_on_tcp() -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 3)
    stop, ready = threading.Event(), threading.Event()
    found: list[str] = []
    lines: list[str] = []

    def told(address: str) -> None:
        found.append(address)
        ready.set()

    options = {
        "listen": "127.0.0.1:0",
        "ready": told,
        "stop": stop,
        "tell": lines.append,
        "preload": load_sequence(data),
    }
    thread = threading.Thread(target=serve, kwargs=options, daemon=True)
    thread.start()
    assert ready.wait(10)
    with pytest.raises(DeviceError, match=f"board: cannot listen on {found[0]}: Address already in use"):
        serve(found[0])
    with make_runner(data, "zynq", address=found[0], timeout=5) as runner:
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    stop.set()
    thread.join()
    assert_equal(outputs, expected(data, inputs))
    assert any(line.startswith("client 127.0.0.1:") and line.endswith("connected") for line in lines)
    assert [line for line in lines if line.startswith("program: ")]


@pytest.mark.parametrize("here", [True, False])
def test_a_board_that_others_can_reach_warns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, here: bool
) -> None:
    """As if the address were another one: no test listens to others."""
    asked: list[str] = []

    def is_loopback(host: str) -> bool:
        asked.append(host)
        return here

    monkeypatch.setattr("femtodriver.device.virtual.serve.is_loopback", is_loopback)
    told: list[str] = []
    stop = threading.Event()
    stop.set()
    serve("localhost:0", tell=told.append, stop=stop)
    with caplog.at_level(logging.WARNING, logger="femtodriver"):
        serve("localhost:0", stop=stop)
    assert asked == ["127.0.0.1", "127.0.0.1"]
    wanted = "can be reached from other machines, and the protocol has no authentication: anyone who can reach it"
    assert [wanted in line for line in told] == ([] if here else [True])
    assert (wanted in caplog.text) is not here


def test_only_the_virtual_board_knows_the_machine() -> None:
    package = Path(femtodriver.__file__).parent / "device"
    for path in package.glob("*.py"):
        text = path.read_text("utf-8")
        assert "import femtodriver.machine" not in text
        assert "from femtodriver.machine" not in text, path.name
        assert "from femtodriver.part" not in text, path.name


@pytest.mark.slow
def test_talking_to_a_board_loads_no_machine() -> None:
    code = (
        "import sys\nfrom femtodriver.device import Timeouts, make_runner\n"
        "names = ('femtodriver.machine', 'redis', 'hid', 'femtodriver.compiler')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
