"""Variables between two frames: a run is saved on one runner and continued on any other, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.compiler.compiler_options import Objective, Options
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import InputError, UsageError
from femtodriver.fqir.graph import Network
from femtodriver.model.build_model import Built, build
from femtodriver.model.debug_program import for_runners
from femtodriver.model.load_model import Source, load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.native.library import find_library
from femtodriver.options.bind_request import bind
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.runners.runner import Runner, Values
from femtodriver.runners.runner_table import create
from tests.board_bench import alarm, board_here
from tests.device.networks import accumulator

ALL = ("fqir", "fmir", "numpy", "native", "hw")
needs_native = pytest.mark.skipif(isinstance(find_library(), str), reason=str(find_library()))
KINDS = [pytest.param(kind, marks=needs_native) if kind == "native" else kind for kind in ALL]
FRAMES, CUT = 9, 4


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    with alarm():
        yield


@pytest.fixture
def server() -> Iterator[BoardServer]:
    with board_here() as found:
        yield found


def source_of(network: Network) -> Source:
    return Source(network.name, network.name, "meta", network)


def small_model() -> Built:
    return Encryption().applied(build(source_of(accumulator())))


@cache
def corpus_model(corpus: Path, name: str) -> Built:
    source = load_source(corpus / "zoo" / name / "graph.pt")
    return Encryption().applied(build(source, options=Options(cores=2, objective=Objective.CYCLES)))


def runner_of(model: Built, kind: str, server: BoardServer | None = None, **how: Any) -> Runner:
    if kind in ("numpy", "native"):
        how, kind = {**how, "machine": kind}, "fasmir"
    if kind == "hw" and server is not None:
        how = {"hardware": "zynq", "address": server.endpoint, "noencrypt": True, **how}
    request = bind(RunnerRequest, how, "test")
    return create(kind, for_runners(model, request, Encryption()), request)


def inputs_of(model: Built, frames: int) -> Values:
    rng = np.random.default_rng(7)
    made = {}
    for spec in model.inputs:
        top = 1 << (spec.bits - 2)
        made[spec.name] = rng.integers(-top, top, (frames, spec.length))
    return made


def whole_run(model: Built) -> tuple[Values, Values]:
    """Outputs of all frames on fqir, and the states after ``CUT`` of them."""
    runner, inputs = runner_of(model, "fqir"), inputs_of(model, FRAMES)
    runner.reset()
    before = runner.run({name: rows[:CUT] for name, rows in inputs.items()})[0]
    states = runner.get_vars()
    after = runner.run({name: rows[CUT:] for name, rows in inputs.items()})[0]
    return {name: np.concatenate([before[name], after[name]]) for name in before}, states


def check_continued(model: Built, kind: str, server: BoardServer) -> None:
    """The states of fqir are set on a new runner, which goes on; its own are those of fqir at every frame."""
    outputs, states = whole_run(model)
    rest = {name: rows[CUT:] for name, rows in inputs_of(model, FRAMES).items()}
    runner = runner_of(model, kind, server)
    runner.reset()
    runner.set_vars(states)
    own = runner.get_vars()
    assert set(own) == set(runner.state_names) <= set(states)
    for name, value in own.items():
        np.testing.assert_array_equal(value, states[name], name)
    made = runner.run(rest)[0]
    ended = runner.get_vars()
    runner.finish()
    for name, rows in made.items():
        np.testing.assert_array_equal(rows, outputs[name][CUT:], name)
    again = runner_of(model, "fqir")
    again.reset(reset_vals=states)
    again.run(rest)
    reference = again.get_vars(list(ended))
    for name, value in ended.items():
        np.testing.assert_array_equal(value, reference[name], name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_continued_on_any_runner(kind: str, server: BoardServer) -> None:
    check_continued(small_model(), kind, server)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["gru_kws_S_double_p0", "tdnn_kws_S_double_p0", "swa_S_double", "tdnn_kws_M_double_p80"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_network_of_the_corpus_is_continued_on_any_runner(
    corpus: Path, name: str, kind: str, server: BoardServer
) -> None:
    check_continued(corpus_model(corpus, name), kind, server)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS[1:])
def test_states_that_are_shared_out_over_cores_are_put_together(corpus: Path, kind: str, server: BoardServer) -> None:
    model = corpus_model(corpus, "tinylstm_denoise_L_double_p0")
    assert model.description is not None
    assert model.description.states is not None
    cores = {place.core for state in model.description.states.values() for place in state.places}
    assert cores == {0, 1}
    check_continued(model, kind, server)


@pytest.mark.parametrize("kind", KINDS)
def test_sending_and_receiving_is_a_step(kind: str, server: BoardServer) -> None:
    model = small_model()
    runner, other = runner_of(model, kind, server), runner_of(model, "fqir")
    runner.reset()
    other.reset()
    for frame in range(3):
        inputs = {name: rows[frame] for name, rows in inputs_of(model, 3).items()}
        wanted, _ = other.step(inputs)
        with pytest.raises(UsageError, match=r"send_inputs\(\) must come before recv_outputs\(\)"):
            runner.recv_outputs()
        runner.send_inputs(inputs)
        for early in (runner.get_vars, lambda: runner.step(inputs), lambda: runner.send_inputs(inputs)):  # noqa: B023
            with pytest.raises(UsageError, match=r"recv_outputs\(\) must come first, because inputs were sent"):
                early()
        np.testing.assert_array_equal(runner.recv_outputs()["sum"], wanted["sum"])
        found = runner.get_vars(["x", "sum", "s"])
        np.testing.assert_array_equal(found["x"], inputs["x"])
        np.testing.assert_array_equal(found["sum"], wanted["sum"])
        np.testing.assert_array_equal(found["s"], wanted["sum"])
    runner.finish()


@pytest.mark.parametrize("kind", KINDS)
def test_variables_out_of_order_and_wrong_ones(kind: str, server: BoardServer) -> None:
    model = small_model()
    runner = runner_of(model, kind, server)
    with pytest.raises(UsageError, match=r"reset\(\) must come first"):
        runner.get_vars()
    runner.reset()
    with pytest.raises(UsageError, match=r"variables that can be had are 's'.*, not 'nope'"):
        runner.get_vars(["nope"])
    with pytest.raises(UsageError, match="variable 'sum': must be a state of the network to be set"):
        runner.set_vars({"s": np.ones(16, int), "sum": np.ones(16, int)})
    for wrong in (np.ones(15, int), np.ones(16), [[1], [1, 2]]):
        with pytest.raises(InputError, match=r"variable 's': must be (16 integers|an array), not"):
            runner.set_vars({"s": wrong})
    with pytest.raises(InputError, match=r"'s': must hold numbers from -32768 to 32767, which .*, not 0 to 32768"):
        runner.set_vars({"s": [0] * 15 + [32768]})
    assert not runner.get_vars()["s"].any()
    runner.set_vars({"s": np.arange(16, dtype=np.int8).reshape(4, 4)})
    runner.get_vars()["s"][:] = 99
    assert runner.get_vars("s")["s"].tolist() == list(range(16))
    runner.reset()
    assert not runner.get_vars()["s"].any()
    runner.reset(reset_vals={"s": np.arange(16)})
    assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == list(range(1, 17))
    runner.finish()
    with pytest.raises(UsageError, match="the runner has finished"):
        runner.get_vars()


def test_debug_variables_can_be_read(server: BoardServer) -> None:
    model, inputs = small_model(), {"x": np.arange(16)}
    for kind in ("fqir", "fmir", "numpy", "hw"):
        runner = runner_of(model, kind, server, debug_vars="all")
        runner.reset()
        runner.run({"x": np.stack([inputs["x"]] * 2)})
        assert runner.get_vars(["sum"])["sum"].tolist() == list(range(0, 32, 2)), kind
        runner.finish()


def test_runners_without_states_say_why(tmp_path: Path) -> None:
    model = small_model()
    recording = tmp_path / "recording.npy"
    np.save(recording, np.zeros((2, 16), np.int64))
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("fakehw", {}, "fakezynq makes up its answers and has no memory"),
        ("dummy", {"dummy_output_file": recording}, "a recording has none"),
    ]
    for kind, how, why in cases:
        runner = runner_of(model, kind, **how)
        runner.reset()
        with pytest.raises(UsageError, match=f"states cannot be had: {why}"):
            runner.get_vars()
        with pytest.raises(UsageError, match=f"variables cannot be set: {why}"):
            runner.set_vars({"s": np.zeros(16, int)})
        runner.step({"x": np.arange(16)})
        assert runner.get_vars(["x"])["x"].tolist() == list(range(16))
        runner.finish()


def test_an_encrypted_program_on_a_board_can_only_be_read() -> None:
    keys = Keyring({3: bytes(range(32))}, "the keyring")
    model = Encryption(keys).applied(build(source_of(accumulator())))
    with board_here(keys) as server:
        runner = runner_of(model, "hw", server, noencrypt=False)
        runner.reset()
        runner.step({"x": np.arange(16)})
        assert runner.get_vars()["s"].tolist() == list(range(16))
        with pytest.raises(UsageError, match="variables cannot be set: the program is encrypted"):
            runner.set_vars({"s": np.zeros(16, int)})
        runner.step({"x": np.arange(16)})
        runner.finish()


def test_a_program_that_has_lost_its_states_says_so(tmp_path: Path) -> None:
    model = small_model()
    assert model.description is not None
    lost = replace(model, description=model.description.short())
    runner = runner_of(lost, "fasmir")
    runner.reset()
    with pytest.raises(UsageError, match=r"the program does not say where they are \(a \.femto file loses that"):
        runner.get_vars()
    model.data.write_to_files(tmp_path / "meta")
    kept = Encryption().applied(build(load_source(tmp_path / "meta")))
    again = runner_of(kept, "fasmir")
    again.reset()
    assert again.state_names == ("s",)


def test_a_constant_of_the_network_is_no_state() -> None:
    network = accumulator()
    assert network.init is not None
    constant = replace(network.frame.inputs[0], name="c", value=np.arange(16))
    init = replace(network.init, parameters=(constant,))
    changed = Network(network.name, network.main, network.frame, init)
    runner = runner_of(Encryption().applied(build(source_of(changed))), "fqir")
    runner.reset()
    assert runner.state_names == ("s",)
    with pytest.raises(UsageError, match="'c': must be a state"):
        runner.set_vars({"c": np.arange(16)})
