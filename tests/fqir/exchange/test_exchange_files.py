"""Networks through ``.fqir`` files and back, and the files themselves."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from femtodriver.errors import DefectError, ModelError, ProgramError, UsageError
from femtodriver.fqir.exchange import exchange_files, fqir_bytes, load_fqir, save_fqir
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Graph, Network
from femtodriver.fqir.graph_roles import names_fault
from femtodriver.model.loopback import loopback
from tests.agree.random_graphs import random_network
from tests.fqir.exchange.random_values import networks
from tests.fqir.exchange.same_network import difference
from tests.fqir.small_networks import applied, graph, network, node, tensor, zeros

SPOTTER = Path(__file__).resolve().parents[3] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def net(**constants: Any) -> Network:
    return network(graph([node("relu", {"x": "x"}, **constants)], [tensor("x")]))


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_are_the_same_again(seed: int) -> None:
    made = random_network(seed)
    content = fqir_bytes(made)
    assert difference(made, load_fqir(content)) == ""
    assert fqir_bytes(load_fqir(content)) == content


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(networks())
def test_networks_of_any_names_and_values_are_the_same_again(made: Network) -> None:
    if names_fault(made) is not None:
        with pytest.raises(ModelError):
            fqir_bytes(made)
        return
    assert difference(made, load_fqir(fqir_bytes(made))) == ""


def test_a_network_of_fmot_is_the_same_again_and_keeps_modules_and_lines() -> None:
    made = load_network(SPOTTER)
    again = load_fqir(fqir_bytes(made))
    assert difference(made, again) == ""
    assert any("." in one.name for one in again.frame.nodes)
    assert any(one.line for one in again.frame.nodes)


def test_the_comparison_can_fail() -> None:
    made = loopback()
    frame = replace(made.frame, nodes=(replace(made.frame.nodes[0], line="a.py:1"),))
    assert difference(made, replace(made, frame=frame)) == "network.frame: shared in one of them"
    assert difference(made, replace(made, name="a")) == "network.name: 'LOOPBACK' and 'a'"
    assert "the arrays differ" in difference(net(odd=np.array([1])), net(odd=np.array([2])))


def test_a_file_is_called_as_it_says_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "other.fqir"
    save_fqir(loopback(), path)
    assert load_fqir(path).name == load_fqir(str(path)).name == "LOOPBACK"
    assert load_fqir(path, "mine").name == "mine"
    assert path.read_bytes() == fqir_bytes(loopback())


def test_a_file_takes_the_place_of_another_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.fqir"
    path.write_bytes(b"before")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(ProgramError, match=r"net\.fqir: cannot be written: No space left on device"):
            save_fqir(loopback(), path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("net.fqir", b"before")]
    save_fqir(loopback(), path)
    assert difference(loopback(), load_fqir(path)) == ""


def test_a_network_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.fqir"
    path.write_bytes(b"before")
    with pytest.raises(
        ModelError, match=r'^network "net": cannot be written as .fqir: graph "ARITH": node 0: constant'
    ):
        save_fqir(net(odd="n" * 1001), path)
    assert path.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (net(odd=[1]), "a constant must be a plain value, a tuple, a table or an array, not a list of 1"),
        (net(odd=1 << 70), "at most 64 bits|must fit 64 bits"),
        (net(odd=float("nan")), "a constant: must be a finite number, not nan"),
        (net(odd=np.array([0.5])), "an array must be of whole numbers, not of float64"),
        (net(odd=np.array([1 << 63], np.uint64)), "an array must hold numbers of 64 bits, not 9223372036854775808"),
        (net(odd=np.int64(3)), "a constant must be a plain value"),
        (replace(loopback(), name="n" * 1001), "name: must have at most 1000 characters"),
    ],
)
def test_what_files_cannot_hold_is_told(made: Network, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        fqir_bytes(made)


def test_a_graph_that_contains_itself_is_told() -> None:
    inner: dict[str, Graph] = {}
    endless = Graph("ARITH", (), (), (), (), inner)
    inner["self"] = endless
    with pytest.raises(ModelError, match="must not contain themselves"):
        fqir_bytes(Network("net", endless, endless, None))


@pytest.mark.slow
def test_a_network_too_large_for_the_format_is_told() -> None:
    large = network(graph([node("cat", {}, ["out"] * 50_000)], []))
    with pytest.raises(ModelError, match=r"cannot be written as \.fqir: the JSON"):
        fqir_bytes(large)


def test_a_writer_that_would_lose_something_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_files, "decode_network", lambda *_: net())
    with pytest.raises(DefectError, match="must be the same when it is read back"):
        fqir_bytes(loopback())


def test_sources_of_another_type_are_refused() -> None:
    odd: Any = 5
    with pytest.raises(UsageError, match="source must be a path or bytes, not 5"):
        load_fqir(odd)


@pytest.mark.parametrize(
    ("name", "says"), [("gone.fqir", r"gone\.fqir: the file must exist"), ("", "must be an ordinary file, not a dir")]
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        load_fqir(tmp_path / name)


def test_states_and_parameters_have_their_values_again() -> None:
    start = graph([], outputs=(), name="INIT", parameters=[tensor("h", value=[3, -4])])
    frame = graph([node("copy", {"x": tensor("h", (2,))})], [tensor("x", (2,))])
    again = load_fqir(fqir_bytes(network(frame, start)))
    assert again.init is not None
    assert again.init.parameters[0].value is not None
    assert again.init.parameters[0].value.tolist() == [3, -4]
    assert again.state_names == ("h",)
    assert difference(network(zeros(a=(1,))), network(zeros(a=(2,)))) != ""
    assert applied("relu", {"x": [-1, 2]}) == [[0, 2]]
