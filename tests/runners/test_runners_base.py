"""The contract that every runner keeps, and the replaying runner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import FemtoError, InputError, UsageError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.inputs import InputSpec
from femtodriver.model.build_model import Built, build
from femtodriver.model.load_model import Source, load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners.dummy_runner import DummyRunner
from femtodriver.runners.fqir_runner import FqirRunner
from femtodriver.runners.runner_table import RUNNERS, check_names, create

X = (InputSpec("x", 16, 16),)


def counting_network() -> Network:
    """y = x + s, s = y: a running sum."""
    x, s, y = (Tensor(name, "int16", (2,)) for name in "xsy")
    zero = Graph("INIT", (), (), (), (Node("z", "zeros", {}, (s,), {"shape": (2,)}),))
    constants = {"bw": 16, "shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw_out": 16, "rounded": False}
    add = Node("a", "vvadd", {"x": x, "y": s}, (y,), constants)
    keep = Node("k", "assign", {"y": s, "x": y}, ())
    frame = Graph("ARITH", (x,), (y,), (), (add, keep))
    return Network("sum", frame, frame, zero)


def sums(runner: FqirRunner) -> list[list[int]]:
    outputs, _, _ = runner.run({"x": np.ones((3, 2), np.int16)})
    return outputs["y"].tolist()  # type: ignore[no-any-return]


@pytest.fixture
def counting() -> FqirRunner:
    runner = FqirRunner(counting_network(), [InputSpec("x", 2, 16)], ["s"])
    runner.reset()
    return runner


def test_state_lasts_until_reset(counting: FqirRunner) -> None:
    assert sums(counting) == [[1, 1], [2, 2], [3, 3]]
    assert sums(counting) == [[4, 4], [5, 5], [6, 6]]
    counting.reset()
    assert sums(counting) == [[1, 1], [2, 2], [3, 3]]
    counting.finish()
    counting.finish()
    counting.reset()
    assert sums(counting) == [[1, 1], [2, 2], [3, 3]]


def test_step_by_step_is_the_same_as_a_run(counting: FqirRunner) -> None:
    counting.reset()
    made = [counting.step({"x": np.array([1, 1])}) for _ in range(3)]
    assert [outputs["y"].tolist() for outputs, _ in made] == [[1, 1], [2, 2], [3, 3]]
    assert [internals["s"].tolist() for _, internals in made] == [[1, 1], [2, 2], [3, 3]]


def test_the_inputs_of_a_step_have_the_name_of_the_reference_too(counting: FqirRunner) -> None:
    counting.reset()
    frame = {"x": np.array([1, 1])}
    made = [counting.step(frame), counting.step(inputs=frame), counting.step(values=frame)]
    assert [outputs["y"].tolist() for outputs, _ in made] == [[1, 1], [2, 2], [3, 3]]
    with pytest.raises(UsageError, match="fqir: step: inputs and values mean the same; give one of them"):
        counting.step(frame, values=frame)
    with pytest.raises(InputError):
        counting.step()
    assert counting.step(frame)[0]["y"].tolist() == [4, 4]


def test_a_run_gives_int64_a_mask_and_progress(counting: FqirRunner) -> None:
    told: list[tuple[int, int]] = []
    outputs, internals, mask = counting.run({"x": np.ones((2, 2), np.int8)}, lambda *where: told.append(where))
    assert outputs["y"].dtype == np.int64
    assert internals["s"].shape == (2, 2)
    assert mask["y"].tolist() == [True, True]
    assert told == [(1, 2), (2, 2)]


def test_inputs_are_neither_changed_nor_kept(counting: FqirRunner) -> None:
    given = np.ones((2, 2), np.int16)
    outputs, _, _ = counting.run({"x": given})
    given[:] = 9
    assert outputs["y"].tolist() == [[1, 1], [2, 2]]
    frame = np.ones(2, np.int16)
    frame.flags.writeable = False
    counting.step({"x": frame})


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "which is missing"),
        ({"x": np.ones((1, 2)), "y": np.ones((1, 2))}, 'must be inputs of the network, not "y"'),
        ({"x": np.ones((1, 3), int)}, r"must have the shape \(frames, 2\), not \(1, 3\)"),
        ({"x": np.full((2, 2), 1 << 15)}, "frame 0, element 0: must be between -32768 and 32767"),
        ({"x": np.full((1, 2), 0.5)}, "must be a whole number"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_the_first_frame(
    counting: FqirRunner, inputs: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        counting.run(inputs)
    assert sums(counting) == [[1, 1], [2, 2], [3, 3]]


def test_debug_variables_by_name_or_all() -> None:
    network = counting_network()
    spec = [InputSpec("x", 2, 16)]
    runner = FqirRunner(network, spec, ["all"])
    runner.reset()
    _, internals = runner.step({"x": np.array([3, 4])})
    assert {name: value.tolist() for name, value in internals.items()} == {"y": [3, 4], "s": [3, 4]}
    with pytest.raises(UsageError, match="must be names of values of the network, not 'nothing'"):
        FqirRunner(network, spec, ["nothing"])


def test_unknown_runners_are_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match=f"runner: must be one of {', '.join(RUNNERS)}, not 'fast'"):
        create("fast", foreign_model(), RunnerRequest())
    with pytest.raises(UsageError, match="not 'fqir' twice"):
        check_names(["fqir", "fmir", "fqir"])


def foreign_model() -> Built:
    """A program of which nothing is known but its records."""
    record = {"core": 0, "len_64b_words": 4, "dtype": "V_D", "precision": "DBL"}
    metadata = {
        "data_bank_sizes": {0: {0: 8}},
        "table_bank_sizes": {0: {}},
        "inst_counts": {0: 1},
        "inputs": {"x": {**record, "pc_val": 0}},
        "outputs": {"y": {**record, "mailbox_id": 1}},
    }
    word = np.zeros(1, np.uint64)
    program = CompiledData(metadata, {0: {"DM": [word], "IM": [word]}})
    return Built(Source("model", "model.zip", "meta_from_zipfile", program=program), program)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("fqir", "runner fqir: the model must be a network"),
        ("fmir", "runner fmir: the model must be a network"),
        ("fasmir", r"model\.zip: is not a program for the open SPU"),
        ("dummy", "runner dummy: must have a file to replay"),
    ],
)
def test_what_a_model_cannot_be_run_by(name: str, sentence: str) -> None:
    with pytest.raises(FemtoError, match=sentence):
        create(name, foreign_model(), RunnerRequest())


def test_the_runner_asks_the_model_for_debug_variables() -> None:
    model = replace(Encryption().applied(build(load_source("LOOPBACK"))), debug_names=("%x.4",))
    runner = create("fqir", model, RunnerRequest())
    runner.reset()
    _, internals = runner.step({"x": np.arange(16)})
    assert internals["%x.4"].tolist() == list(range(16))


def recorded(path: Path, **arrays: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, arrays["only"])
    else:
        np.savez(path, **arrays)
    return path


Y = (InputSpec("y", 2, 16),)
YZ = (*Y, InputSpec("z", 1, 16))
ONE = {"x": np.zeros((3, 16), int)}


def test_the_dummy_replays_an_array(tmp_path: Path) -> None:
    runner = DummyRunner(recorded(tmp_path / "a.npy", only=np.arange(6).reshape(3, 2)), X, Y)
    runner.reset()
    outputs, internals, mask = runner.run(ONE)
    assert outputs["y"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert internals == {}
    assert mask["y"].all()
    with pytest.raises(InputError, match="has 3 frames, and all of them were replayed"):
        runner.run(ONE)
    with pytest.raises(InputError, match="has 3 frames, and all of them were replayed"):
        runner.step({"x": np.zeros(16, int)})
    runner.reset()
    assert runner.step({"x": np.zeros(16, int)})[0]["y"].tolist() == [0, 1]


def test_the_dummy_replays_several_outputs_and_stops_with_its_recording(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.npz", y=np.zeros((5, 2), int), z=np.ones((2, 1), np.uint8))
    runner = DummyRunner(path, X, YZ)
    runner.reset()
    outputs, _, _ = runner.run(ONE)
    assert {name: rows.shape for name, rows in outputs.items()} == {"y": (2, 2), "z": (2, 1)}


@pytest.mark.parametrize(
    ("name", "arrays", "outputs", "error", "sentence"),
    [
        ("a.txt", {"only": []}, Y, UsageError, "must end in .npy or .npz, not '.txt'"),
        ("a.npy", {"only": np.zeros((3, 2), int)}, YZ, InputError, "can replay one output, not 2"),
        ("a.npy", {"only": np.zeros((3, 3), int)}, Y, InputError, r"must have the shape \(frames, 2\)"),
        ("a.npy", {"only": np.zeros((0, 2), int)}, Y, InputError, "with at least one frame"),
        ("a.npy", {"only": np.zeros(2, int)}, Y, InputError, r"not \(2,\)"),
        ("a.npy", {"only": np.zeros((1, 2))}, Y, InputError, "must hold integers, not float64"),
        ("a.npy", {"only": np.full((1, 2), 1 << 63, np.uint64)}, Y, InputError, "below 2"),
        ("a.npz", {"y": np.zeros((3, 2), int)}, YZ, InputError, "one array for each of 'y', 'z', not for 'y'"),
    ],
)
def test_recordings_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, arrays: dict[str, Any], outputs: Any, error: type[Exception], sentence: str
) -> None:
    path = tmp_path / name
    if path.suffix != ".txt":
        recorded(path, **arrays)
    with pytest.raises(error, match=sentence):
        DummyRunner(path, X, outputs)


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.npy"):
        DummyRunner(tmp_path / "gone.npy", X, Y)


def test_a_latched_input_lasts_from_call_to_call_until_reset() -> None:
    runner = FqirRunner(counting_network(), [InputSpec("x", 2, 16, latched=True)])
    runner.reset()
    assert runner.step({})[0]["y"].tolist() == [0, 0]
    runner.run({"x": [[1, 1], [2, 2]]})
    assert runner.step({})[0]["y"].tolist() == [5, 5]
    runner.step({"x": [3, 3]})
    runner.send_inputs({})
    assert runner.recv_outputs()["y"].tolist() == [11, 11]
    runner.send_inputs({"x": [4, 4]})
    runner.recv_outputs()
    assert runner.run([{}, {}])[0]["y"].tolist() == [[19, 19], [23, 23]]
    runner.reset()
    assert runner.step({})[0]["y"].tolist() == [0, 0]
