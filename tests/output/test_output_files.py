"""What runners gave is kept as arrays, by names that come back, and can be fed in again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.array_names import unescape_name
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.model.build_model import build
from femtodriver.model.load_model import Source
from femtodriver.options.runner_requests import ExecuteRequest
from femtodriver.output.comparison_files import write_comparison
from femtodriver.output.output_files import write_outputs
from femtodriver.runners.compare_runs import Comparison
from femtodriver.runners.dummy_runner import DummyRunner
from femtodriver.runners.execution import Execution, RunInputs

ODD = ("a/b", "a%2Fb", "a%252Fb", "..", "x\\y", "na\nme", "quanta/a", "y.npy", "gr\u00f6\u00dfe", "*?")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def execution() -> Execution:
    """A run of a network that has many outputs of odd names, and inputs of the same names."""
    inputs = tuple(Tensor(f"in {name}", "fqint16", (2,), quanta=-3) for name in ODD)
    outputs = tuple(Tensor(name, "fqint16", (2,), quanta=-place) for place, name in enumerate(ODD))
    nodes = tuple(Node("", "copy", {"x": x}, (y,)) for x, y in zip(inputs, outputs, strict=True))
    frame = Graph("ARITH", inputs, outputs, (), nodes)
    network = Network("odd", Graph("MAIN", inputs, outputs, (), (), {"ARITH": frame}), frame, None)
    rows = {name: np.arange(4).reshape(2, 2) + place for place, name in enumerate(ODD)}
    given = {f"in {name}": values for name, values in rows.items()}
    model = build(Source("odd", "odd", "meta_from_femtodriver", network))
    return Execution(model, ExecuteRequest(), RunInputs(given), {}, Comparison({"fqir": rows, "fmir": rows}, {}, ()))


def test_every_name_comes_back_with_its_quanta() -> None:
    done = execution()
    write_outputs(Path("outputs"), done)
    assert sorted(path.name for path in Path("outputs").iterdir()) == ["fmir.npz", "fqir.npz", "inputs.npz"]
    with np.load("outputs/fqir.npz") as archive:
        found = {unescape_name(key): archive[key] for key in archive.files if not key.startswith("quanta/")}
        quanta = {
            unescape_name(key.removeprefix("quanta/")): float(archive[key])
            for key in archive.files
            if key.startswith("quanta/")
        }
    assert {name: rows.tolist() for name, rows in found.items()} == {
        name: rows.tolist() for name, rows in done.comparison.outputs["fqir"].items()
    }
    assert quanta == {name: -place for place, name in enumerate(ODD)}


def test_what_we_write_is_taken_back() -> None:
    done = execution()
    write_outputs(Path("outputs"), done)
    write_comparison(Path("comparison"), done)
    dummy = DummyRunner(Path("outputs/fqir.npz"), done.model.inputs, done.model.outputs)
    dummy.reset()
    replayed, _, _ = dummy.run(done.inputs.arrays)
    for name, rows in done.comparison.outputs["fqir"].items():
        np.testing.assert_array_equal(replayed[name], rows)
    from femtodriver.inputs import load_inputs

    for path in ("outputs/inputs.npz", "comparison/inputs.npz"):
        again = load_inputs(path, done.model.inputs)
        for name, given in done.inputs.arrays.items():
            np.testing.assert_array_equal(again[name], given)


def test_arrays_of_a_comparison_do_not_collide() -> None:
    done = execution()
    write_comparison(Path("comparison"), done)
    with np.load("comparison/outputs.npz") as archive:
        assert len(set(archive.files)) == 2 * len(ODD)


@pytest.mark.parametrize(
    "run",
    [
        lambda fd: fd.run("LOOPBACK", runners="fqir"),
        lambda fd: fd.run("LOOPBACK", runners="fqir,fasmir"),
        lambda fd: fd.execute_runner("fqir", compiled(fd)),
        lambda fd: fd.simulate(compiled(fd), 0.016),
        lambda fd: fd.compare(compiled(fd), "fqir,fmir"),
    ],
)
def test_every_run_keeps_what_it_gave(run: Any) -> None:
    fd = Femtodriver()
    result = run(fd)
    outputs = (result[0] if isinstance(result, tuple) else result)["outputs"]
    folder = Path("model_datas/LOOPBACK/outputs")
    assert {path.stem for path in folder.iterdir()} == {*outputs, "inputs"}
    for name, values in outputs.items():
        with np.load(folder / f"{name}.npz") as archive:
            np.testing.assert_array_equal(archive["%x.4"], values["%x.4"])


def compiled(fd: Femtodriver) -> dict[str, Any]:
    fd.compile("LOOPBACK")
    return fd.generate_audio_inputs()


def test_outputs_can_be_left_out() -> None:
    fd = Femtodriver()
    fd.run("LOOPBACK", runners="fqir", no_outputs=True)
    fd.simulate(fd.generate_audio_inputs(), no_outputs=True)
    fd.compare(fd.generate_audio_inputs(), "fqir,fmir", no_outputs=True)
    assert not Path("model_datas/LOOPBACK/outputs").exists()


def test_debug_variables_of_one_runner_are_kept_too() -> None:
    fd = Femtodriver()
    fd.run("LOOPBACK", runners="fasmir", debug_vars="%x.4")
    with np.load("model_datas/LOOPBACK/outputs/internals.npz") as archive:
        inside = archive["fasmir/%x.4"]
    with np.load("model_datas/LOOPBACK/outputs/fasmir.npz") as archive:
        np.testing.assert_array_equal(inside, archive["%x.4"])
    fd.run("LOOPBACK", runners="fasmir,fqir", debug_vars="%x.4")  # they stand in the folder of the comparison
    assert not Path("model_datas/LOOPBACK/outputs/internals.npz").exists()
