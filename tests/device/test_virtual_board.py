"""Programs on the virtual board, over real sockets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver.compiler.pipeline import compile_network
from femtodriver.device import make_runner
from femtodriver.device.session.replay_recording import replay_program
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import InputError, UsageError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_apb_files, read_recordings
from femtodriver.program.bus.write_recordings import apb_files
from femtodriver.program.packing import pack
from tests.device.networks import NETWORKS, PART, assert_equal, compiled, expected, plain, random_inputs
from tests.device.spec_client import SpecClient


@pytest.mark.parametrize("hardware", ["zynq", "fpgazynq"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_board_computes_what_the_machine_computes(server: BoardServer, name: str, hardware: str) -> None:
    data = compiled(name)
    inputs = random_inputs(data, 20)
    with make_runner(data, hardware, address=server.endpoint, timeout=10, verify=True) as runner:
        runner.reset()
        outputs, internals, mask = runner.run(inputs)
    assert_equal(outputs, expected(data, inputs))
    assert internals == {}
    assert {name: ones.tolist() for name, ones in mask.items()} == {name: [True] * 20 for name in outputs}
    assert not server.board.violations.counts


@pytest.mark.parametrize("model", ["gru_kws_S_double_p0", "gru_kws_M_double_p80", "multi_io_double"])
def test_corpus_models(server: BoardServer, corpus: Path, model: str) -> None:
    data = plain(compile_network(load_network(corpus / "zoo" / model / "graph.pt", model), PART).data)
    with np.load(corpus / "zoo" / model / "inputs.npz") as archive:
        inputs = {name: archive[name][:30].astype(np.int64) for name in archive.files}
    with np.load(corpus / "zoo" / model / "outputs.npz") as archive:
        golden = {name: archive[name][:30].astype(np.int64) for name in archive.files}
    with make_runner(data, "zynq", address=server.endpoint, timeout=20) as runner:
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    assert_equal({name: outputs[name] for name in golden}, golden)
    assert not server.board.violations.counts


def test_the_recipe_reset_loop_over_step_finish(server: BoardServer) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 6)
    wanted = expected(data, inputs)["sum"]
    runner = make_runner(data, "zynq", address=server.endpoint, timeout=10)
    for _ in range(2):  # a second reset starts from the initial state again, over the same or a new link
        runner.reset()
        for frame in range(6):
            outputs, internals = runner.step({"x": inputs["x"][frame]})
            np.testing.assert_array_equal(outputs["sum"], wanted[frame])
            assert internals == {}
    runner.finish()
    runner.finish()
    with pytest.raises(UsageError, match="the runner has finished; reset"):
        runner.step({"x": inputs["x"][0]})
    runner.reset()
    np.testing.assert_array_equal(runner.step({"x": inputs["x"][0]})[0]["sum"], wanted[0])
    runner.finish()
    assert not server.board.violations.counts


@pytest.mark.parametrize("name", NETWORKS)
def test_an_independent_client_gets_the_same_outputs(server: BoardServer, name: str) -> None:
    data = compiled(name)
    inputs = random_inputs(data, 5, seed=3)
    wanted = expected(data, inputs)
    client = SpecClient(*server.address)
    client.start()
    assert client.apb_read(0x00) == 0x13
    client.load(data.metadata, data.mems_per_core)
    assert client.top_read(0x24) == 0
    assert client.axis_read(5) == []
    for frame in range(5):
        found = client.frame(data.metadata, {key: values[frame].tolist() for key, values in inputs.items()})
        assert found == {key: values[frame].tolist() for key, values in wanted.items()}
    client.close()
    assert not server.board.violations.counts


def test_an_axis_read_of_another_length_gets_a_lone_end_marker_and_loses_nothing(server: BoardServer) -> None:
    data = compiled("two_in_three_out")
    client = SpecClient(*server.address)
    client.start(pll=False)
    client.load(data.metadata, data.mems_per_core)
    client.message(0, data.metadata["inputs"]["a"]["pc_val"], [1, 0])
    assert client.top_read(0x24) == 0  # only one of two inputs is there
    client.message(0, data.metadata["inputs"]["b"]["pc_val"], [2, 0])
    assert client.top_read(0x24) != 0
    assert client.axis_read(3 * 2 + 1) == []  # what software of generation 1.3 would ask for
    assert client.axis_read(100) == []
    first = client.axis_read(3)  # one output at a time is possible
    assert first[0][0] == 0x1F
    rest = client.axis_read(6)
    assert sorted(words[0][1] for words in (first, rest[:3], rest[3:])) == [0, 1, 2]
    assert client.top_read(0x24) == 0
    client.close()


def test_recordings_of_a_run_replay_on_a_board(server: BoardServer, tmp_path: Path) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 3)
    with make_runner(data, "zynq", address=server.endpoint, timeout=10, recording_dir=tmp_path) as runner:
        runner.reset()
        runner.reset()  # does not repeat itself in the files
        outputs, _, _ = runner.run(inputs)
        runner.write_APB_files("all")
    recorded = read_recordings(tmp_path / "setup.yaml")
    assert list(recorded) == ["0PROG"]
    assert [item for item in recorded["0PROG"] if item.comment != "PLL_LOCK"] == [
        item for item in load_sequence(data, program_pll=True) if item.comment != "PLL_LOCK"
    ]
    addresses, words = ((tmp_path / "apb_records" / f"0PROG_{half}").read_bytes() for half in "AD")
    assert (addresses.decode(), words.decode()) == apb_files(load_sequence(data))
    everything = read_recordings(tmp_path / "all.yaml")
    assert list(everything) == ["0PROG", "io_sequence"]
    assert [item.msgtype for item in everything["io_sequence"] if item.direction == "w"] == ["axis"] * 3

    fresh = make_runner(data, "zynq", address=server.endpoint, timeout=10)
    server.board.hard_reset()
    with fresh.ioplug.transport:
        words_sent = fresh.ioplug.replay_record(item for item in recorded["0PROG"] if item.direction == "w")
        assert words_sent > 20
        for item in everything["io_sequence"]:
            if item.direction == "w":
                fresh.ioplug.send(item)
            elif item.msgtype == "axis":
                assert fresh.ioplug.read("axis", 0, item.length).tolist() == list(item.vals)
        with pytest.raises(UsageError, match="must have writes only"):
            fresh.ioplug.replay_record(recorded["0PROG"])
    assert len(outputs["sum"]) == 3
    assert len(read_apb_files(addresses, words)) > 5


def test_apb_files_replay_on_a_board_over_the_link(server: BoardServer) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 1)
    addresses, words = apb_files(load_sequence(data))
    runner = make_runner(data, "zynq", address=server.endpoint, timeout=10)
    with runner.ioplug.transport as link:
        for hardware in ("fpgazynq", "zynq"):
            replay_program(link, read_apb_files(addresses.encode(), words.encode()), hardware)
            message = [data.metadata["inputs"]["x"]["pc_val"] << 32, *pack(inputs["x"][0], 16).tolist()]
            runner.hw_send("RTR", message)
            assert runner.hw_recv("RTR", 5).tolist()[1:] == message[1:]  # the state was zero
    assert not server.board.violations.counts


def test_a_reset_finds_a_board_that_was_restarted() -> None:
    data = compiled("identity")
    inputs = {"x": np.arange(16)}
    first = BoardServer(VirtualBoard(PART))
    first.start()
    runner = make_runner(data, "zynq", address=first.endpoint, timeout=10)
    runner.reset()
    first.stop()
    with BoardServer(VirtualBoard(PART), port=first.address[1]), runner:
        runner.reset()
        assert runner.step(inputs)[0]["%x.4"].tolist() == list(range(16))


def test_debug_variables_are_read_from_data_memory(server: BoardServer) -> None:
    from femtodriver.device.session.debug_values import DataPlace

    data = compiled("identity")
    places = {"all": DataPlace(0, 0, 32, 16), "some": DataPlace(0, 2 * 3, 7, 16), "bytes": DataPlace(0, 0, 64, 8)}
    inputs = {"x": np.arange(-8, 8)}
    with make_runner(data, "zynq", address=server.endpoint, timeout=10, debug_places=places) as runner:
        runner.reset()
        _, internals = runner.step(inputs)
    found = internals["all"].tolist()
    assert any(found[at : at + 16] == list(range(-8, 8)) for at in range(17))
    assert internals["some"].tolist() == found[3:10]
    assert (internals["bytes"][0::2] % 256 + 256 * internals["bytes"][1::2]).tolist() == found


def test_inputs_that_do_not_fit_are_refused_before_anything_is_sent(server: BoardServer) -> None:
    data = compiled("two_in_three_out")
    good = np.zeros(8, np.int64)
    with make_runner(data, "zynq", address=server.endpoint, timeout=10) as runner:
        with pytest.raises(UsageError, match=r"reset\(\) must come first"):
            runner.step({"a": good, "b": good})
        runner.reset()
        for wrong, message in (
            ({"a": good}, 'inputs: must have an array for "b", which is missing'),
            ({"a": good, "b": good, "c": good}, 'inputs: must be inputs of the network, not "c"'),
            ({"a": good, "b": good[:3]}, r'input "b": a frame must have the shape \(8,\), not \(3,\)'),
            ({"a": good, "b": good + 40000}, 'input "b": frame 0, element 0: must be between -32768 and 32767'),
            ({"a": good, "b": good + 0.5}, 'input "b": frame 0, element 0: must be a whole number, not 0.5'),
        ):
            with pytest.raises(InputError, match=message):
                runner.step(wrong)
        with pytest.raises(InputError, match="must have as many frames as"):
            runner.run({"a": np.zeros((2, 8), int), "b": np.zeros((3, 8), int)})
        with pytest.raises(InputError, match='must have an array for "a", which is missing'):
            runner.run({})
        outputs, _ = runner.step({"a": good + 1, "b": good})
        assert outputs["sum"].tolist() == [1] * 8
