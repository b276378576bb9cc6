"""Runners hw and fakehw: a board under the contract of runners."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.device.spu_runner import SPURunner
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import InputError, UsageError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.model.build_model import Built, build
from femtodriver.model.debug_program import for_runners
from femtodriver.model.load_model import Source, load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.options.bind_request import bind
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.runners.compare_runs import run_all
from femtodriver.runners.hardware_runner import HardwareRunner, check_board
from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import create
from tests.board_bench import alarm, board_here, needs_redis, redis_here

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
SHIFTS = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "bw_out": 16, "rounded": False}


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    with alarm():
        yield


@pytest.fixture
def server() -> Iterator[BoardServer]:
    with board_here() as found:
        yield found


@dataclass(frozen=True)
class Made:
    """What runners are made of."""

    model: Built
    request: RunnerRequest

    def runner(self, name: str) -> Runner:
        """The runner of that name."""
        return create(name, self.model, self.request)


def made_of(model: str | Path, **how: Any) -> Made:
    request = bind(RunnerRequest, how, "test")
    built = Encryption().applied(build(load_source(model)))
    check_board(request, ())
    return Made(for_runners(built, request, Encryption()), request)


def chain(third: str = "vvadd") -> Network:
    """Inputs a and b: p = a + b, q = p - b, r = q (+ or another operator) b, y = r + p; outputs y and q."""
    a, b, p, q, r, y = (Tensor(name, "fqint16", (6,)) for name in "abpqry")

    def node(op: str, first: Tensor, second: Tensor, out: Tensor) -> Node:
        return Node("", op, {"x": first, "y": second}, (out,), SHIFTS)

    nodes = (node("vvadd", a, b, p), node("vvsub", p, b, q), node(third, q, b, r), node("vvadd", r, p, y))
    frame = Graph("ARITH", (a, b), (y, q), (), nodes)
    return Network("chain", Graph("MAIN", (a, b), (y, q), (), (), {"ARITH": frame}), frame, None)


def chain_made(address: str, on_board: str = "vvadd", kept: bool = True) -> Made:
    """All inner values of ``chain`` are kept; the board may get another chain than everybody else."""
    names = ("p", "q", "r", "y") if kept else ()
    ours, theirs = (built_chain(third, names) for third in ("vvadd", on_board))
    return Made(replace(ours, data=theirs.data), RunnerRequest(hardware="zynq", address=address, timeout=10))


def built_chain(third: str, names: tuple[str, ...]) -> Built:
    source = Source("chain", "chain", "meta_from_femtodriver", chain(third))
    return for_runners(Encryption().applied(build(source)), RunnerRequest(debug_vars=names), Encryption())


def ab(frames: int = 5) -> dict[str, Any]:
    numbers = np.random.default_rng(4)
    return {name: numbers.integers(-1000, 1000, (frames, 6)) for name in "ab"}


@pytest.mark.parametrize("hardware", ["zynq", "fpgazynq"])
@pytest.mark.parametrize("model", ["LOOPBACK", SPOTTER])
def test_a_board_gives_what_the_network_gives(server: BoardServer, model: str | Path, hardware: str) -> None:
    made = made_of(model, hardware=hardware, zynq_host=server.endpoint)
    (spec,) = made.model.inputs
    inputs = {spec.name: np.random.default_rng(2).integers(-2048, 2048, (6, spec.length))}
    outputs, internals = Runner.compare_runs(inputs, *(made.runner(name) for name in ("fqir", "fasmir", "hw")))
    assert list(outputs) == ["fqir", "fasmir", "hardware"]
    assert internals["hardware"] == {}
    assert not server.board.violations.counts


def test_debug_variables_come_from_the_boards_memory(server: BoardServer) -> None:
    made = made_of(SPOTTER, hardware="zynq", zynq_host=server.endpoint, debug_vars="all")
    inputs = {"features": np.random.default_rng(3).integers(-2048, 2048, (4, 32))}
    found = run_all(inputs, [made.runner(name) for name in ("fqir", "hw", "fmir", "fasmir")], with_internals=True)
    assert found.passed
    assert found.status == "fqir = hardware = fmir = fasmir, 4 frames, bit-exact"
    inside = found.internals["hardware"]
    assert list(inside) == list(found.internals["fqir"])
    assert len(inside) > 20
    assert sum(bool(rows.any()) for rows in inside.values()) > 20


def test_several_inputs_and_outputs_and_equal_internals(server: BoardServer) -> None:
    made = chain_made(server.endpoint)
    found = run_all(ab(), [made.runner(name) for name in ("fqir", "fmir", "fasmir", "hw")], with_internals=True)
    assert found.status == "fqir = fmir = fasmir = hardware, 5 frames, bit-exact"
    assert list(found.outputs["hardware"]) == ["y", "q"]
    assert set(found.internals["hardware"]) == set("pqry")


def test_the_first_operator_that_parts_is_named(server: BoardServer) -> None:
    made = chain_made(server.endpoint, on_board="vvsub")
    inputs = ab()
    runners = [made.runner(name) for name in ("fqir", "hw")]
    makers = {"q": "operator vvsub, node 1", "r": "operator vvadd, node 2", "y": "operator vvadd, node 3"}
    found = run_all(inputs, runners, with_internals=True, makers=makers)
    a, b = (int(inputs[name][0, 0]) for name in "ab")
    wrong = np.abs(np.asarray(inputs["b"]))
    apart = f"{np.count_nonzero(wrong)} of {wrong.size} values differ, by at most {2 * wrong.max()}"
    assert not found.passed
    assert found.status == (
        f"fqir != hardware: output 'y', frame 0, element 0: fqir gives {2 * a + 2 * b}, hardware gives {2 * a} "
        f"({apart}); "
        f"fqir != hardware inside: internal value 'r', frame 0, element 0: fqir gives {a + b}, hardware gives {a - b} "
        f"({apart}) "
        "(made by operator vvadd, node 2)"
    )


def test_a_board_that_answers_wrong_is_told_with_every_output(tmp_path: Path) -> None:
    np.save(tmp_path / "wrong.npy", np.full(400, 0x00070007))
    request = RunnerRequest(hardware="fakezynq", reply_file=str(tmp_path / "wrong.npy"))
    made = Made(built_chain("vvadd", ()), request)
    found = run_all({name: np.zeros((5, 6), np.int64) for name in "ab"}, [made.runner(name) for name in ("fqir", "hw")])
    told = "frame 0, element 0: fqir gives 0, hardware gives 7 (30 of 30 values differ, by at most 7)"
    assert found.lines == [f"fqir != hardware: output {name!r}, {told}" for name in "yq"]


def test_boards_run_first_and_are_told_in_order(server: BoardServer) -> None:
    made = chain_made(server.endpoint)
    told: list[str] = []
    runners = [made.runner(name) for name in ("fqir", "hw", "fasmir")]
    found = run_all(ab(1), runners, progress=lambda name, done, frames: told.append(name))
    assert told == ["hardware", "fqir", "fasmir"]
    assert list(found.outputs) == ["fqir", "hardware", "fasmir"]


def test_the_contract_of_runners(server: BoardServer) -> None:
    runner = chain_made(server.endpoint).runner("hw")
    assert isinstance(runner, HardwareRunner)
    assert isinstance(runner, SPURunner)
    told: list[tuple[int, int]] = []
    inputs = ab(3)
    runner.reset()
    outputs, _, mask = runner.run(inputs, lambda *place: told.append(place))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert {name: ones.tolist() for name, ones in mask.items()} == {"y": [True] * 3, "q": [True] * 3}
    assert outputs["q"].dtype == np.int64
    np.testing.assert_array_equal(outputs["q"], inputs["a"])
    frames = server.board.frames
    for wrong in ({"a": inputs["a"]}, {**inputs, "b": inputs["b"] + 40000}, {**inputs, "b": inputs["b"][:2]}):
        with pytest.raises(InputError):
            runner.run(wrong)
    assert server.board.frames == frames
    runner.finish()
    runner.finish()
    runner.reset()
    np.testing.assert_array_equal(runner.step({name: rows[0] for name, rows in inputs.items()})[0]["q"], inputs["a"][0])
    runner.finish()


def test_what_else_a_board_can_do(server: BoardServer) -> None:
    runner = chain_made(server.endpoint, kept=False).runner("hw")
    assert isinstance(runner, HardwareRunner)
    inputs = {name: rows[0] for name, rows in ab().items()}
    runner.reset()
    runner.check_version_reg()
    runner.change_mem_power_state("sleep")
    with pytest.raises(UsageError, match="wake them before a frame"):
        runner.step(inputs)
    runner.change_mem_power_state("wake")
    np.testing.assert_array_equal(runner.step(inputs)[0]["q"], inputs["a"])
    runner.change_mem_power_state("off")
    with pytest.raises(UsageError, match="have lost the program"):
        runner.step(inputs)
    runner.reset()
    assert runner.integrity_check_all_memories(8) > 8
    with pytest.raises(UsageError, match="has overwritten the program"):
        runner.step(inputs)
    runner.reset()
    np.testing.assert_array_equal(runner.step(inputs)[0]["q"], inputs["a"])
    runner.finish()


def test_fakehw_makes_its_outputs_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    x = {"x": np.zeros((2, 16), int)}
    with caplog.at_level(logging.WARNING, logger="femtodriver"):
        outputs, _ = Runner.compare_runs(x, made_of("LOOPBACK").runner("fakehw"))
        assert caplog.text == ""
        made_up = Runner.compare_runs(x, made_of("LOOPBACK").runner("hw"))[0]["hardware"]
    assert "runner hw: fakezynq is no board, its outputs are made up; choose a board with --hardware" in caplog.text
    assert outputs["fakehw"]["%x.4"].tolist() == [[12816, 30292] * 8] * 2
    np.testing.assert_array_equal(made_up["%x.4"], outputs["fakehw"]["%x.4"])
    words = tmp_path / "words.npy"
    np.save(words, np.array([0x00020001, 0xFFFFFFFE], np.uint32))  # elements 1, 2, -2, -1
    wanted = [1, 2, -2, -1] + [0] * 12
    for how in ({"fake_output_file": words}, {"dummy_output_file": words}):
        outputs, _ = Runner.compare_runs(x, made_of("LOOPBACK", **how).runner("fakehw"))
        assert outputs["fakehw"]["%x.4"].tolist() == [wanted] * 2


def test_fakehw_never_touches_the_board_that_was_chosen(server: BoardServer) -> None:
    made = made_of(SPOTTER, hardware="zynq", zynq_host=server.endpoint, debug_vars="all")
    found = run_all({"features": np.zeros((2, 32), int)}, [made.runner("fakehw")])
    assert found.internals["fakehw"] == {}  # a fake has no memory to read
    assert server.board.frames == 0


def test_a_board_computes_and_a_fake_replies_what_the_recording_says(server: BoardServer, tmp_path: Path) -> None:
    x = np.arange(32).reshape(2, 16)
    np.save(tmp_path / "other.npy", x[::-1] + 5)
    for hardware in ({"hardware": "zynq", "zynq_host": server.endpoint}, {}):
        made = made_of("LOOPBACK", dummy_output_file=tmp_path / "other.npy", **hardware)
        found = run_all({"x": x}, [made.runner("dummy"), made.runner("hw")])
        assert found.passed is not bool(hardware)


def test_a_fake_replies_all_outputs_of_a_recording(tmp_path: Path) -> None:
    rows = {"y": np.arange(18).reshape(3, 6) - 9, "q": np.arange(18).reshape(3, 6) + 100}
    np.savez(tmp_path / "rows.npz", y=rows["y"], q=rows["q"])
    request = RunnerRequest(dummy_output_file=tmp_path / "rows.npz")
    made = create("fakehw", built_chain("vvadd", ()), request)
    made.reset()
    outputs, _, _ = made.run(ab(3))
    for name, wanted in rows.items():
        np.testing.assert_array_equal(outputs[name], wanted)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (np.zeros((2, 2), int), r"must be a \.npy file with a 1-D array of 32-bit words"),
        (np.zeros(2), "must be a 1-D array of integers"),
        (np.array([1 << 32]), "must be words of 32 bits"),
    ],
)
def test_words_that_a_fake_cannot_answer(tmp_path: Path, content: Any, sentence: str) -> None:
    np.save(tmp_path / "odd.npy", content)
    with pytest.raises(InputError, match=sentence):
        made_of("LOOPBACK", fake_output_file=tmp_path / "odd.npy").runner("fakehw")
    with pytest.raises(InputError, match=r"gone\.npy"):
        made_of("LOOPBACK", fake_output_file=tmp_path / "gone.npy").runner("fakehw")


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"hardware": "zinc"}, "hardware: must be one of zynq, fpgazynq, fakezynq, redis, fakeredis, evk2, not 'zinc'"),
        ({"zynq_host": "127.0.0.1"}, "hardware fakezynq: must not have an address"),
        (
            {"hardware": "zynq", "zynq_host": "a", "hardware_address": "b"},
            "hardware_address: must be the same as zynq_host",
        ),
        ({"hardware": "zynq", "zynq_host": "a:b"}, "address: must be HOST or HOST:PORT"),
        (
            {"hardware": "zynq", "zynq_host": "127.0.0.1", "timeout": -1},
            "timeout: must be a positive number of seconds",
        ),
    ],
)
def test_boards_that_cannot_be(how: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        made_of("LOOPBACK", **how).runner("hw")


@pytest.mark.slow
@needs_redis
def test_a_fake_behind_a_redis_server() -> None:
    with redis_here() as address:
        made = made_of("LOOPBACK", hardware="fakeredis", zynq_host=address, timeout=10)
        found = run_all({"x": np.zeros((2, 16), int)}, [made.runner(name) for name in ("fakehw", "hw")])
    assert found.passed
    assert found.outputs["hardware"]["%x.4"].tolist() == [[12816, 30292] * 8] * 2
