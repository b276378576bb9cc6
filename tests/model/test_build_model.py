"""From a source to a program: what the result knows of its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import InputError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.inputs import InputSpec
from femtodriver.model.build_model import build
from femtodriver.model.load_model import Source
from tests.fqir import fake_fmot


class COPY:
    name = "copy"


def copying(shape: list[int], quanta: Any) -> fake_fmot.GraphProto:
    """A graph that copies its only input, as the producer has it in memory."""
    x, z = (fake_fmot.TensorProto(name, "int16", shape, quanta=quanta) for name in ("x", "z"))
    return fake_fmot.main_graph(fake_fmot.GraphProto("ARITH", [fake_fmot.NodeProto(COPY(), {"x": x}, [z])], [x], [z]))


def test_inputs_have_the_axes_and_quanta_of_the_network() -> None:
    x, z = Tensor("x", "int16", (2, 3), quanta=-14.0), Tensor("z", "int16", (2, 3))
    frame = Graph("ARITH", (x,), (z,), (), (Node("n", "copy", {"x": x}, (z,), {}),))
    built = build(Source("net", "net.pt", "meta_from_femtodriver", network=Network("net", frame, frame, None)))
    assert built.inputs == (InputSpec("x", 6, 16, shape=(2, 3), quanta=-14.0),)


@pytest.fixture
def square(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Femtodriver:
    """A driver with a network whose input has the shape (2, 2) and stands for numbers of 2^-14."""
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    driver.compile(copying([2, 2], -14), model_name="square")
    return driver


def test_every_entry_takes_the_axes_of_the_network(square: Femtodriver) -> None:
    frames = np.arange(12).reshape(3, 2, 2)
    flat = frames.reshape(3, 4)
    np.save("a.npy", frames)
    np.savez("a.npz", x=frames)
    sources: list[Any] = ["a.npy", "a.npz", frames, {"x": frames}, flat]
    for source in sources:
        assert np.array_equal(square.generate_audio_inputs(source)["x"], flat)
    for inputs in ({"x": frames}, {"x": flat}):
        result, _ = square.simulate(inputs, 0.016)
        assert np.array_equal(result["outputs"]["fasmir"]["z"], flat)
        assert square.compare(inputs, "fqir,fmir,fasmir")["pass"] is True
    for name in ("fqir", "fmir", "fasmir", "fakehw"):
        runner, _ = square.create_runner(name)
        runner.reset()
        first = {key: values.tolist() for key, values in runner.step({"x": frames[1]})[0].items()}
        runner.reset()
        assert first == {key: values.tolist() for key, values in runner.step({"x": flat[1]})[0].items()}
        runner.finish()


@pytest.mark.parametrize("shape", [(3, 4, 1), (3, 1, 4), (3, 5)])
def test_every_entry_refuses_other_axes(square: Femtodriver, shape: tuple[int, ...]) -> None:
    frames = np.zeros(shape, int)
    with pytest.raises(InputError, match=r'input "x": must have the shape \(frames, 4\) or \(frames, 2, 2\), not '):
        square.generate_audio_inputs(frames)
    with pytest.raises(InputError, match=r"must have the shape \(frames, 4\) or \(frames, 2, 2\), not "):
        square.simulate({"x": frames}, 0.016)
    runner, _ = square.create_runner("fasmir")
    runner.reset()
    with pytest.raises(InputError, match=r"a frame must have the shape \(4,\) or \(2, 2\), not "):
        runner.step({"x": frames[0]})


def test_masks_are_refused_by_every_entry(square: Femtodriver) -> None:
    frames: Any = np.ma.masked_array(np.zeros((3, 4), int), mask=np.eye(3, 4, dtype=bool))
    runner, _ = square.create_runner("fasmir")
    runner.reset()
    for attempt in (
        lambda: square.generate_audio_inputs(frames),
        lambda: square.simulate({"x": frames}, 0.016),
        lambda: runner.run({"x": frames}),
        lambda: runner.step({"x": frames[0]}),
    ):
        with pytest.raises(InputError, match="must be a plain array, not a masked one"):
            attempt()
