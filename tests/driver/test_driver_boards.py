"""Boards through the facade: the reference's recipe, comparisons and their files, encryption, what boards refuse."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import CompiledData, FakeSPURunner, Femtodriver, SPURunner
from femtodriver.device.virtual.link_faults import Faults
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError, ProgramError, UsageError
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.options.runner_requests import ExecuteRequest
from femtodriver.output import plots, summary
from femtodriver.output.comparison_files import write_comparison
from femtodriver.output.plots import HISTOGRAM, OVER_TIME, can_draw, draw
from femtodriver.program.bus.read_recordings import read_recordings
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.runners.compare_runs import Comparison, Verdict
from femtodriver.runners.difference import differences
from femtodriver.runners.execution import Execution, RunInputs
from tests.board_bench import alarm, board_here, limit_outputs_only

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
KEYRING = Keyring({0: bytes(range(16)), 5: bytes(range(32))})
ZOO = ("multi_io_double", "gru_kws_S_double_p0")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, no settings from outside, and an alarm."""
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT", "FS_HWTS_ZYNQ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with alarm():
        yield


@pytest.fixture
def server() -> Iterator[BoardServer]:
    with board_here() as found:
        yield found


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> float:
    """A timeout for who waits for outputs that never come."""
    limit_outputs_only(monkeypatch)
    return 0.3


def at(server: BoardServer) -> dict[str, Any]:
    return {"hardware": "zynq", "zynq_host": server.endpoint}


def test_the_recipe_of_the_reference_step_by_step(server: BoardServer) -> None:
    with Femtodriver() as fd:
        fd.compile(SPOTTER)
        model_inputs = fd.generate_audio_inputs(input=np.random.randint(-1024, 1024, size=(1000,)))
        wanted = fd.execute_runner("fqir", model_inputs)[0]["outputs"]["fqir"]
        runner, name = fd.create_runner("hw", hardware="zynq", zynq_host=server.endpoint)
        assert name == "hardware"
        runner.reset()
        found = []
        for step in range(len(model_inputs["features"])):
            outputs, internals = runner.step({"features": model_inputs["features"][step]})
            found.append(outputs["output.0"])
            assert internals == {}
        runner.finish()
    np.testing.assert_array_equal(np.stack(found), wanted["output.0"])
    assert len(found) == 31
    last: object = fd.spu_runner
    assert last is runner
    assert not server.board.violations.counts


def test_an_spu_runner_of_the_facade_and_one_by_hand(server: BoardServer) -> None:
    fd = Femtodriver()
    meta_dir, _, _ = fd.compile("LOOPBACK")
    data = CompiledData.read_from_files(meta_dir)
    runners = [
        fd.create_SPURunner(fd.compiled_data, meta_dir, hardware="zynq", zynq_host=server.endpoint),
        fd.create_SPURunner(data, hardware="zynq", hardware_address=server.endpoint, timeout=9),
        SPURunner(data, platform="zcu104", program_pll=True, zynq_host=server.endpoint, io_records_dir=None),
    ]
    for runner in runners:
        assert isinstance(runner, SPURunner)
        inputs = runner.make_fake_inputs(3)
        with runner:
            runner.reset()
            outputs, _, _ = runner.run(inputs)
        np.testing.assert_array_equal(outputs[runner.get_single_output_name()], inputs["x"])
    assert fd.spu_runner is runners[1]
    assert list(fd.generate_audio_inputs(spu_runner=runners[0])) == ["x"]
    fake = FakeSPURunner(data, io_records_dir=None)
    fake.reset()
    assert fake.step({"x": np.zeros(16, int)})[0]["%x.4"][:2].tolist() == [12816, 30292]
    with pytest.raises(UsageError, match="debug variables must be of the compiled model, not another program"):
        fd.create_SPURunner(data, debug_vars="all")


@pytest.mark.slow
def test_a_comparison_leaves_its_results_in_the_models_folder(server: BoardServer) -> None:
    fd = Femtodriver()
    fd.compile(SPOTTER, output_dir="out")
    program = Path("out/keyword_spotter/io_records/apb_records/0PROG_D").read_bytes()
    inputs = fd.generate_audio_inputs(n_frames=5, seed=11)
    result = fd.compare(inputs, "fqir,hw,fasmir", debug_vars="%x.8,output.0", **at(server))
    assert (result["pass"], result["status_str"]) == (True, "fqir = hardware = fasmir, 5 frames, bit-exact")
    folder = Path("out/keyword_spotter/comparison")
    names = {"comparison.yaml", "inputs.npz", "outputs.npz", "internals.npz"}
    assert {path.name for path in folder.iterdir()} == names | ({HISTOGRAM, OVER_TIME} if can_draw() else set())
    told = yaml.safe_load((folder / "comparison.yaml").read_text())
    same: dict[str, object] = {"equal": True, "output": None, "outputs": [], "internal": None}
    assert told == {
        "schema": "femtodriver-comparison/1",
        "pass": True,
        "status": result["status_str"],
        "runners": ["fqir", "hardware", "fasmir"],
        "frames": {"fqir": 5, "hardware": 5, "fasmir": 5},
        "partial": None,
        "tolerance": 0,
        "seed": 11,
        "notes": [],
        "model": {"name": "keyword_spotter", "sha256": told["model"]["sha256"]},
        "hardware": "zynq",
        "hardware_address": server.endpoint,
        "debug_variables": ["%x.8", "output.0"],
        "pairs": [{"first": "fqir", "other": "hardware", **same}, {"first": "fqir", "other": "fasmir", **same}],
    }
    for kind, values in (("outputs", result["outputs"]), ("internals", result["internals"])):
        with np.load(folder / f"{kind}.npz") as archive:
            flat = {f"{runner}/{name}": rows for runner, found in values.items() for name, rows in found.items()}
            assert set(archive.files) == set(flat)
            for name, rows in flat.items():
                np.testing.assert_array_equal(archive[name], rows)
    again = fd.generate_audio_inputs(folder / "inputs.npz")
    np.testing.assert_array_equal(again["features"], inputs["features"])
    # The traffic is that of the board, and the program files are still those of the program itself.
    recorded = read_recordings("out/keyword_spotter/io_records/all.yaml")
    assert list(recorded) == ["0PROG", "io_sequence"]
    assert sum(record.msgtype == "axis" and record.direction == "w" for record in recorded["io_sequence"]) == 5
    assert sum(record.comment == "variable" for record in recorded["io_sequence"]) >= 5
    text = Path("out/keyword_spotter/io_records/all_hex.txt").read_text()
    assert "msgtype axis\ndirection w\n" in text
    assert "0x" in Path("out/keyword_spotter/io_records/all_hex.yaml").read_text()
    assert Path("out/keyword_spotter/io_records/apb_records/0PROG_D").read_bytes() == program
    # What the next comparison does not make does not stay.
    fd.compare(inputs, "fqir,fasmir")
    assert not (folder / "internals.npz").exists()
    assert yaml.safe_load((folder / "comparison.yaml").read_text())["hardware"] is None


@pytest.mark.slow
def test_a_difference_is_written_down_with_its_place(server: BoardServer) -> None:
    fd = Femtodriver()
    fd.compile("LOOPBACK")
    inputs = fd.generate_audio_inputs(n_frames=3)
    wrong = inputs["x"].copy()
    wrong[2, 7] -= 5
    np.save("wrong.npy", wrong)
    result = fd.compare(inputs, "hw,dummy", dummy_output_file="wrong.npy", **at(server))
    value = int(inputs["x"][2, 7])
    place = f"output '%x.4', frame 2, element 7: hardware gives {value}, dummy gives {value - 5}"
    place += " (1 of 48 values differ, by at most 5)"
    assert (result["pass"], result["status_str"]) == (False, f"hardware != dummy: {place}")
    told = yaml.safe_load(Path("model_datas/LOOPBACK/comparison/comparison.yaml").read_text())
    values = {"hardware": value, "dummy": value - 5}
    output = {"variable": "%x.4", "frame": 2, "element": 7, "values": values, "count": 1, "compared": 48, "largest": 5}
    assert told["pairs"] == [
        {
            "first": "hardware",
            "other": "dummy",
            "equal": False,
            "output": output,
            "outputs": [output],
            "internal": None,
        }
    ]
    assert fd.compare(inputs, "hw,dummy", dummy_output_file="wrong.npy", error_tolerance=5, **at(server))["pass"]
    told = yaml.safe_load(Path("model_datas/LOOPBACK/comparison/comparison.yaml").read_text())
    assert (told["tolerance"], told["status"]) == (5, "hardware = dummy, 3 frames, within 5")


def test_nothing_is_written_for_a_model_that_was_not(server: BoardServer) -> None:
    fd = Femtodriver()
    fd.load_model("LOOPBACK")
    fd.compile_metadata()
    assert fd.compare(fd.generate_audio_inputs(), "fqir,hw", **at(server))["pass"] is True
    assert fd.execute_runner("hw", fd.generate_audio_inputs(), **at(server))[0]["pass"] == "No Comparisons"
    assert list(Path().iterdir()) == []


def test_one_runner_alone_leaves_its_traffic(server: BoardServer) -> None:
    fd = Femtodriver()
    fd.run("LOOPBACK", runners="hw", **at(server))
    assert Path("model_datas/LOOPBACK/io_records/all.yaml").is_file()
    assert not Path("model_datas/LOOPBACK/comparison").exists()
    fd.compile("LOOPBACK")
    assert not Path("model_datas/LOOPBACK/io_records/all.yaml").exists()
    fd.execute_runner("hw", fd.generate_audio_inputs(), **at(server))
    assert Path("model_datas/LOOPBACK/io_records/all.yaml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("model", ZOO)
def test_models_of_the_corpus(server: BoardServer, corpus: Path, model: str) -> None:
    fd = Femtodriver()
    with np.load(corpus / "zoo" / model / "inputs.npz") as archive:
        inputs = {name: archive[name][:20] for name in archive.files}
    result = fd.run(
        corpus / "zoo" / model / "graph.pt", input_file=inputs, runners="hw,fasmir,fqir", model_name=model, **at(server)
    )
    assert result["status_str"] == "hardware = fasmir = fqir, 20 frames, bit-exact"
    with np.load(corpus / "zoo" / model / "outputs.npz") as archive:
        for name, rows in result["outputs"]["hardware"].items():
            np.testing.assert_array_equal(rows, archive[name][:20].reshape(20, -1))
    assert not server.board.violations.counts


@pytest.mark.slow
@pytest.mark.parametrize("debug_vars", [None, "all"])
def test_encrypted_programs_run_on_a_board_with_the_key(debug_vars: str | None) -> None:
    fd = Femtodriver(keyring=KEYRING, encryption_key_index=5)
    fd.compile(SPOTTER)
    inputs = fd.generate_audio_inputs(n_frames=4)
    with board_here(KEYRING) as server:
        result = fd.compare(inputs, "fqir,fasmir,hw", debug_vars=debug_vars, **at(server))
        assert result["status_str"] == "fqir = fasmir = hardware, 4 frames, bit-exact"
        assert bool(result["internals"]["hardware"]) is bool(debug_vars)
        assert fd.spu_runner is not None
        writes = {item.comment: item.vals for item in fd.spu_runner.ioplug.recordings["0PROG"]}
        assert writes["encryption key index"] == (5,)
        assert any(writes[f"encryption salt {part}"] != (0,) for part in range(4))
        result = fd.compare(inputs, "fqir,hw", noencrypt=True, debug_vars=debug_vars, **at(server))
        assert result["pass"] is True
        writes = {item.comment: item.vals for item in fd.spu_runner.ioplug.recordings["0PROG"]}
        assert writes["encryption key index"] == (0,)
        assert "core 0 HEAD_TAIL_REG" in writes
        assert not server.board.violations.counts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keyring", "told"),
    [
        (None, "the program is encrypted with key 5, and this board has no keys; start it with --keyring"),
        (Keyring({5: bytes(32)}), "key 5 and the salt must be those that the program was enciphered with"),
        (Keyring({0: bytes(32)}), "must have a key of index 5; the indexes in it are: 0"),
    ],
)
def test_a_board_without_the_right_key_runs_nothing(hasty: float, keyring: Keyring | None, told: str) -> None:
    fd = Femtodriver(keyring=KEYRING, encryption_key_index=5)
    fd.compile("LOOPBACK")
    with board_here(keyring) as server:
        with pytest.raises(DeviceError, match=r"frame 0: expected 5 words of '%x\.4' within 0\.3 s .* OUTPUT_INT stay"):
            fd.execute_runner("hw", fd.generate_audio_inputs(), timeout=hasty, **at(server))
        assert told in server.board.violations.recent[0].text
        assert server.board.frames == 0


def test_a_program_without_its_key_runs_on_a_board_that_has_it() -> None:
    _, femto, _ = Femtodriver(keyring=KEYRING).compile("LOOPBACK", output_dir="first")
    fd = Femtodriver()
    fd.compile(femto)
    inputs = fd.generate_audio_inputs(n_frames=3)
    with board_here(KEYRING) as server:
        result, _ = fd.execute_runner("hw", inputs, **at(server))
        np.testing.assert_array_equal(result["outputs"]["hardware"]["%x.4"], inputs["x"])
        with pytest.raises(ProgramError, match=r"is encrypted, so its key .* must be in a keyring"):
            fd.execute_runner("fasmir", inputs)
        with pytest.raises(ProgramError, match="Without it, leave out noencrypt"):
            fd.execute_runner("hw", inputs, noencrypt=True, **at(server))


def foreign_program() -> None:
    """``foreign.zip``: encrypted by another tool, for another instruction set."""
    words = np.arange(1, 9, dtype=np.uint64) << np.uint64(40)
    record = {"core": 0, "len_64b_words": 4, "dtype": "V_D", "precision": "DBL"}
    metadata = {
        "data_bank_sizes": {0: {0: 8}},
        "table_bank_sizes": {0: {}},
        "inst_counts": {0: 8},
        "inputs": {"a": {**record, "pc_val": 3}},
        "outputs": {"b": {**record, "mailbox_id": 1}},
    }
    CompiledData(metadata, {0: {"DM": [words], "IM": [words]}}).to_zip_file("foreign.zip")


@pytest.mark.slow
def test_a_foreign_program_goes_to_a_board_and_not_to_the_simulator(server: BoardServer, hasty: float) -> None:
    foreign_program()
    fd = Femtodriver()
    fd.compile("foreign.zip")
    inputs = fd.generate_audio_inputs()
    assert inputs["a"].shape == (2, 16)
    assert fd.execute_runner("fakehw", inputs)[0]["outputs"]["fakehw"]["b"].shape == (2, 16)
    with pytest.raises(DeviceError, match="OUTPUT_INT stayed 0"):
        fd.execute_runner("hw", inputs, timeout=hasty, **at(server))
    assert "is encrypted with key 0, and this board has no keys" in server.board.violations.recent[0].text
    with pytest.raises(ProgramError, match=r"foreign\.zip: is not a program for the open SPU"):
        fd.compare(inputs, "hw,fasmir", **at(server))


@pytest.mark.slow
def test_a_device_error_leaves_the_folder_as_it_was() -> None:
    Femtodriver().run("LOOPBACK", runners="fqir,fasmir")
    before = {path: path.read_bytes() for path in Path("model_datas").rglob("*") if path.is_file()}
    with board_here(faults=Faults(close_after_entries=200)) as server, pytest.raises(DeviceError, match="zynq 127"):
        Femtodriver().run(SPOTTER, model_name="LOOPBACK", runners="fqir,hw", **at(server))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DeviceError, match=r"no answer within 0\.2 s"):
            Femtodriver().run("LOOPBACK", runners="hw", hardware="zynq", zynq_host=host, timeout=0.2)
    with pytest.raises(DeviceError, match="cannot be reached"):
        Femtodriver().run("LOOPBACK", runners="hw", hardware="zynq", zynq_host=host)
    assert {path: path.read_bytes() for path in Path("model_datas").rglob("*") if path.is_file()} == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a/b", "..", "x\\y", "/etc/x", "", "na\nme", "\udc80", "long" * 100, "größe"])
def test_any_name_of_a_variable_can_be_stored(name: str) -> None:
    rows = {name: np.arange(4).reshape(2, 2)}
    apart = {name: rows[name] + 1}
    found = differences("output", "a", rows, "b", apart)
    compared = Comparison({"a": rows, "b": apart}, {}, (Verdict("a", "b", found),))
    write_comparison(
        Path("there"), Execution(build(load_source("LOOPBACK")), ExecuteRequest(), RunInputs(rows), {}, compared)
    )
    with np.load("there/outputs.npz") as archive:
        assert sorted(key[:2] for key in archive.files) == ["a/", "b/"]
        for key in archive.files:
            assert key.count("/") == 1
            assert key.removeprefix("a/").removeprefix("b/") not in (".", "..")
            assert "\\" not in key
    assert json.loads(json.dumps(yaml.safe_load(Path("there/comparison.yaml").read_text("utf-8"))))["pass"] is False


@pytest.mark.slow
def test_pictures_of_several_outputs_and_pairs() -> None:
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    runs = {
        runner: {name: rng.integers(-9, 9, (frames, 3)) for name in ("a$b", "größe", "c")}
        for runner, frames in (("fqir", 7), ("odd", 6), ("hardware", 7))
    }
    pictures = draw(runs)
    assert set(pictures) == {HISTOGRAM, OVER_TIME}
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert draw(runs) == pictures
    assert draw({"fqir": runs["fqir"]}) == {}
    assert draw({"fqir": {"a": runs["fqir"]["c"]}, "fasmir": {"b": runs["fqir"]["c"]}}) == {}
    empty = np.zeros((0, 3), np.int64)
    assert set(draw({"a": {"y": empty}, "b": {"y": empty}})) == {HISTOGRAM, OVER_TIME}


def test_without_matplotlib_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (plots, summary):
        monkeypatch.setattr(module, "can_draw", lambda: False)
    told: list[str] = []
    fd = Femtodriver()
    fd.say = told.append
    fd.run("LOOPBACK", runners="fqir,fakehw")
    assert told[-1].splitlines()[-1] == plots.NO_PLOTS
    assert {path.suffix for path in Path("model_datas/LOOPBACK/comparison").iterdir()} == {".yaml", ".npz"}
    for runners in ("fqir", "fqir,fmir,fasmir"):
        fd.run("LOOPBACK", runners=runners)
        assert plots.NO_PLOTS not in told[-1]


def test_devices_on_usb_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import SimpleNamespace

    monkeypatch.setitem(sys.modules, "hid", None)
    with pytest.raises(DeviceError, match=r"`hidapi` is not usable .* pip install 'open-femtodriver\[hid\]'"):
        Femtodriver.list_connected_devices()
    rows = [
        {"serial_number": "7", "product_string": "SPU001", "path": b"p", "interface_number": 0},
        {"serial_number": "8", "product_string": "SPU150", "path": b"q", "interface_number": 0},
    ]
    monkeypatch.setitem(sys.modules, "hid", SimpleNamespace(device=None, enumerate=lambda *ids: rows))
    assert [board.serial for board in Femtodriver.list_connected_devices()] == ["7", "8"]
    assert [board.serial for board in Femtodriver.list_connected_devices("spu150")] == ["8"]
