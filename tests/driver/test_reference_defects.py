"""Defects 1 to 17 of the reference (docs/compatibility.md): state, checks, protocol. One test each, by number."""

from __future__ import annotations

import copy
import logging
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import CompiledData, FakeSPURunner, Femtodriver, FemtoFile
from femtodriver.compiler import pipeline
from femtodriver.device import Faults, Timeouts, make_runner
from femtodriver.device.boards import BOARDS
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.errors import DeviceError, InputError, ProgramError
from femtodriver.model import build_model, debug_program
from femtodriver.program.bus.read_recordings import read_recordings
from tests.board_bench import alarm, board_here
from tests.device.spec_emulator import SpecEmulator
from tests.driver.reference_models import LOOPBACK_FEMTO, WIDTH, as_zip, outputs_of, two_ways
from tests.program.program_samples import femto, golden_program, vector

# --- state and structure ---


def test_defect_01_one_object_compiles_again_and_again(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    first = fd.spu_runner
    fd.compile(two_ways(), model_name="second")
    assert fd.spu_runner is not first
    assert fd.model_dir == "model_datas/second"
    assert list(outputs_of(fd, fd.generate_audio_inputs())) == ["less", "copy"]


def test_defect_02_a_reset_writes_the_program_files_anew(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    assert fd.compiled_data is not None
    runner = FakeSPURunner(fd.compiled_data, io_records_dir="records")
    runner.reset()
    once = Path("records/apb_records/0PROG_D").read_bytes()
    runner.step({"x": np.zeros(16, int)})
    runner.reset()
    assert Path("records/apb_records/0PROG_D").read_bytes() == once
    assert list(read_recordings("records/setup.yaml")) == ["0PROG"]


@pytest.mark.slow
def test_defect_03_the_traffic_of_a_comparison_is_that_of_the_runner_compared(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    with alarm(), board_here() as server:
        rows = np.arange(32).reshape(2, 16)
        assert fd.compare({"x": rows}, "fqir,hw", hardware="zynq", zynq_host=server.endpoint)["pass"] is True
    traffic = read_recordings("model_datas/LOOPBACK/io_records/all.yaml")["io_sequence"]
    answers = [record for record in traffic if record.msgtype == "axis" and record.direction == "r"]
    assert any((5 << 16 | 4) in record.vals for record in answers)  # the fake would have answered made-up words


@pytest.mark.slow
@pytest.mark.parametrize("form", ["zip", "femto"])
def test_defect_04_programs_can_be_simulated_or_say_why_not(fd: Femtodriver, form: str) -> None:
    fd.compile("LOOPBACK")
    inputs = fd.generate_audio_inputs()
    wanted = outputs_of(fd, inputs)["%x.4"]
    fd.compile(as_zip(fd, "copy.zip") if form == "zip" else LOOPBACK_FEMTO)
    np.testing.assert_array_equal(outputs_of(fd, inputs)["%x.4"], wanted)
    Path("foreign.femto").write_bytes(femto(golden_program(), "A"))
    fd.compile("foreign.femto")
    with pytest.raises(ProgramError, match=r"foreign\.femto: is not a program for the open SPU"):
        fd.simulate({"0": np.zeros((1, 8), int)}, 0.016)


def test_defect_05_folders_are_models_and_containers_respect_the_output_folder(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    assert fd.compile("model_datas/LOOPBACK", output_dir="again")[0] == "again/LOOPBACK/meta_from_femtodriver"
    meta_dir, path, _ = fd.compile(LOOPBACK_FEMTO, output_dir="other")
    assert (meta_dir, path) == ("other/LOOPBACK/meta_from_femtofile", "other/LOOPBACK/io_records/LOOPBACK.femto")
    assert sorted(entry.name for entry in Path().iterdir()) == ["again", "model_datas", "other"]


def test_defect_06_a_simulation_compiles_nothing(fd: Femtodriver, monkeypatch: pytest.MonkeyPatch) -> None:
    fd.compile("LOOPBACK")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    for module in (pipeline, build_model, debug_program):
        monkeypatch.setattr(module, "compile_network", never)
    inputs = fd.generate_audio_inputs()
    fd.simulate(inputs, 0.016)
    fd.compare(inputs, "fqir,fasmir")
    assert fd.femtocrux_client is None


@pytest.mark.slow
def test_defect_07_nothing_of_the_callers_is_changed(fd: Femtodriver) -> None:
    graph = two_ways()
    before = copy.deepcopy(graph)
    fd.compile(graph)
    assert fd.compiled_data is not None
    metadata = copy.deepcopy(fd.compiled_data.metadata)
    fd.simulate(fd.generate_audio_inputs(), 0.016)
    assert graph == before
    assert fd.compiled_data.metadata == metadata
    script = "import logging, femtodriver.driver\nprint(logging.getLogger().handlers, logging.getLogger().level)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"[] {logging.WARNING}\n"


# --- validation ---


@pytest.mark.parametrize(
    "inputs",
    [
        {"y": np.zeros((2, 16), int)},
        {"x": np.zeros((2, 15), int)},
        {"x": np.full((2, 16), 40000)},
        {"x": np.full((2, 16), 0.5)},
        {"x": np.zeros((2, 16), complex)},
        {},
    ],
)
def test_defect_08_wrong_inputs_are_input_errors_everywhere(fd: Femtodriver, inputs: Any) -> None:
    fd.compile("LOOPBACK")
    with pytest.raises(InputError):
        fd.simulate(inputs, 0.016)
    runner, _ = fd.create_runner("fqir")
    runner.reset()
    with pytest.raises(InputError):
        runner.step({name: values[0] for name, values in inputs.items()})


def test_defect_09_a_container_is_checked_and_holds_what_fits(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    content = bytearray(Path(LOOPBACK_FEMTO).read_bytes())
    assert fd.compiled_data is not None
    word = int(fd.compiled_data.mems_per_core[0]["IM"][0][0]).to_bytes(8, "little")
    content[content.rindex(word)] ^= 1
    Path("flipped.femto").write_bytes(content)
    with pytest.raises(ProgramError):
        fd.compile("flipped.femto")
    many = golden_program(inputs={f"x{number}": vector(pc_val=number) for number in range(8)})
    del many.metadata["fqir_input_padding"], many.metadata["fqir_output_padding"]
    with pytest.raises(ProgramError, match="Layout A: vectors must be at most 8, not 9"):
        femto(many, "A")
    name = FemtoFile.parse(femto(golden_program(), "A", name="ä" * 40)).model.name
    assert name == "ä" * len(name)


def test_defect_10_a_container_keeps_names_lengths_and_precision(fd: Femtodriver) -> None:
    fd.compile(two_ways(), model_name="two")
    inputs = fd.generate_audio_inputs()
    wanted = outputs_of(fd, inputs)
    fd.compile("model_datas/two/io_records/two.femto")
    made = fd.generate_audio_inputs()
    assert {name: rows.shape for name, rows in made.items()} == {"a": (2, WIDTH), "b": (2, WIDTH)}
    found = outputs_of(fd, inputs)
    assert {name: rows.tolist() for name, rows in found.items()} == {
        name: rows.tolist() for name, rows in wanted.items()
    }


def test_defect_11_members_of_archives_are_checked(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    with zipfile.ZipFile(as_zip(fd, "climbs.zip"), "a") as archive:
        archive.writestr("../climbs.txt", b"")
    with pytest.raises(ProgramError, match=r"climbs\.zip"):
        CompiledData.read_from_zip("climbs.zip")
    data = CompiledData.read_from_zip(as_zip(fd, "good.zip"))
    data.mems_per_core[0]["IM"] = [np.zeros(0, np.uint64)]
    with pytest.raises(ProgramError, match="the IM image of core 0 must have at least"):
        CompiledData.read_from_zip(data.to_zip_bytes())


def test_defect_12_images_of_one_word_bit_groups_and_numpy_2(fd: Femtodriver) -> None:
    assert CompiledData.convert_hex_to_ndarray(b"00000000000000ab\n").tolist() == [0xAB]
    assert CompiledData.parse_memory_file_name("test_core_1_instr_mem_bitgroup1_initial_py_hex.txt") == (1, "IM", 1)
    assert int(np.__version__.split(".")[0]) >= 2
    fd.compile("LOOPBACK")
    runner, _ = fd.create_runner("fakehw")
    runner.reset()
    assert runner.step({"x": np.zeros(16, int)})[0]["%x.4"].dtype == np.int64


@pytest.mark.parametrize("layout", ["B-packed", "B-aligned"])
def test_defect_13_user_data_and_names_survive_another_export(fd: Femtodriver, layout: str) -> None:
    content = femto(
        golden_program(), layout, name="mine", model_type="KWS", model_version="3.2.1", userdata=b"of the user"
    )
    Path("mine.femto").write_bytes(content)
    assert CompiledData.read_from_femtofile("mine.femto").metadata["userdata"] == b"of the user"
    _, path, _ = fd.compile("mine.femto")
    assert Path(path).read_bytes() == content
    _, path, _ = fd.compile("model_datas/mine", output_dir="again")
    again = FemtoFile.import_file(path).model
    first = FemtoFile.import_file("mine.femto").model
    assert (again.name, again.type_code, again.version) == (first.name, first.type_code, first.version)


# --- protocol ---


@pytest.mark.slow
def test_defect_14_answers_may_come_in_pieces_and_silence_ends(fd: Femtodriver, capsys: Any) -> None:
    fd.compile("LOOPBACK")
    assert fd.compiled_data is not None
    with alarm(), board_here(faults=Faults(split=True)) as server:
        rows = np.arange(48).reshape(3, 16)
        found = fd.execute_runner("hw", {"x": rows}, hardware="zynq", zynq_host=server.endpoint)[0]
    np.testing.assert_array_equal(found["outputs"]["hardware"]["%x.4"], rows)
    with alarm(), board_here(faults=Faults(drop=1.0)) as server, pytest.raises(DeviceError):
        make_runner(fd.compiled_data, "zynq", address=server.endpoint, timeout=0.05).reset()
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_defect_15_several_outputs_on_boards_and_on_fakes(fd: Femtodriver) -> None:
    fd.compile(two_ways())
    with alarm(), board_here() as server:
        result = fd.compare(fd.generate_audio_inputs(n_frames=3), "fqir,hw", hardware="zynq", zynq_host=server.endpoint)
    assert result["pass"] is True
    runner, _ = fd.create_runner("fakehw")
    runner.reset()
    outputs, _ = runner.step({"a": np.zeros(WIDTH, int), "b": np.zeros(WIDTH, int)})
    assert {name: len(row) for name, row in outputs.items()} == {"less": WIDTH, "copy": WIDTH}


@pytest.mark.slow
def test_defect_16_a_shared_redis_server_is_not_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    class Client:
        def __getattr__(self, name: str) -> Any:
            called.append(name)
            return lambda *_, **__: None

    monkeypatch.setattr("femtodriver.device.redis.redis_link.connect", lambda *_: Client())
    monkeypatch.setattr(RedisLink, "_take_over", lambda self: None)
    link = RedisLink(("127.0.0.1", 6379), Timeouts())
    link.open()
    assert "mset" in called
    assert "flushdb" not in called


@pytest.mark.slow
def test_defect_17_a_board_is_asked_who_it_is(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    assert BOARDS["evk2"].platform.checks_version
    with alarm(), SpecEmulator() as emulator:
        given: dict[str, Any] = {"hardware": "zynq", "zynq_host": f"127.0.0.1:{emulator.port}", "timeout": 5}
        with fd.create_SPURunner(**given) as runner:
            runner.reset()  # reads the program back
            emulator.apb[0] = 0x20
            with pytest.raises(DeviceError, match=r"VERSION must read 0x13 \(SPU-001, hardware 1\.3\), not 0x20"):
                runner.check_version_reg()
        plain = emulator.entry
        emulator.entry = lambda code, address, word: plain(code, address, word & 0xFFFF)  # type: ignore[method-assign]
        with fd.create_SPURunner(**given) as runner, pytest.raises(DeviceError):
            runner.reset()
