from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Graph, Network, Node
from femtodriver.fqir.node_origin import NodeOrigin, OriginFinder, source_line

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ('  File "/opt/secret/site-packages/fmot/nn/rnn.py", line 433\n    x = y\n', "rnn.py:433"),
        ('File "rnn.py", line 7', "rnn.py:7"),
        ('  File "C:\\work\\models\\my net.py", line 2\n', ""),
        ('  File "C:\\work\\net-2.py", line 2\n', "net-2.py:2"),
        ('  File "<string>", line 11\n  return b == a\n', ""),
        ('  File "\x1b[31m.py", line 1\n', ""),
        (f'  File "{"a" * 500}.py", line 1\n', ""),
        ('say: File "x.py", line 1', ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_note_gives_file_and_line_and_never_a_folder(note: object, line: str) -> None:
    assert source_line(note) == line


def network(*names: str) -> Network:
    call = Node("model", None, {}, (), subgraphs={"body": Graph("ARITH", (), (), (), ())})
    main = Graph("MAIN", (), (), (), (Node("quantizers", None, {}, ()), call))
    return Network("n", main, Graph("ARITH", (), (), (), tuple(Node(name, "copy", {}, ()) for name in names)), None)


@pytest.mark.parametrize(
    ("name", "module", "step"),
    [
        ("model.gru.layers.0.patchlist.2", "gru.layers.0", ""),
        ("model.lin.multiplier", "lin", ""),
        ("model.lin.multiplier.inner", "lin.multiplier.inner", ""),
        ("model.patchlist.3", "model", ""),
        ("model.mag.patchlist.2.recip.shift_rem", "mag.recip.shift_rem", ""),
        ("model.patchlist.0.shift_rem", "shift_rem", ""),
        ("model.patchlists.0.x", "patchlists.0.x", ""),
        ("model", "model", ""),
        ("quantizers.quantizers.0", "quantizers.0", ""),
        ("other.lin", "", ""),
        ("mul.%param.3", "", ""),
        ("sigmoid_lut_coeff0", "", "sigmoid_lut_coeff0"),
        ("", "", ""),
        ("model." + "a" * 200, "", ""),
        ("model.\x1b[31m", "", ""),
    ],
)
def test_the_name_of_a_node_tells_its_module(name: str, module: str, step: str) -> None:
    assert OriginFinder(network()).of(name, "") == NodeOrigin(module, step, "")


def test_steps_that_the_producer_added_follow_the_node_before() -> None:
    finder = OriginFinder(network())
    assert finder.of("model.gru.patchlist.1", "rnn.py:4") == NodeOrigin("gru", "", "rnn.py:4")
    assert finder.of("sigmoid_shift_addr", "") == NodeOrigin("gru", "sigmoid_shift_addr", "")
    assert finder.of("%add.4", "") == NodeOrigin("gru", "", "")


def graph_origins(network: Network) -> dict[str, NodeOrigin]:
    """The origin of each value of the frame graph and of those nested in it, by name."""
    finder, found = OriginFinder(network), {}
    for _, node in network.frame.walk():
        origin = finder.of(node.name, node.line)
        found.update({out.name: origin for out in node.outputs})
    return found


def test_origins_of_a_real_network() -> None:
    found = graph_origins(load_network(SPOTTER))
    assert found["%x.8"] == NodeOrigin("listen.layers.0.linear_ih", "", "")
    assert found["%x.20"] == NodeOrigin("listen.layers.0", "", "sequenced_rnn.py:433")
    assert found["%x.20_rem"] == NodeOrigin("listen.layers.0", "sigmoid_rem_sub", "")
    assert found["output.0"].module == "answer"


def test_a_nested_graph_goes_on_with_the_module_of_its_node() -> None:
    one = SimpleNamespace(name="y")
    inner = Graph("body", (), (), (), (Node("plus", "copy", {}, (one,)),))  # type: ignore[arg-type]
    plain = network()
    loop = Node("model.a.loop", "loop", {}, (), subgraphs={"body": inner})
    nested = Network("n", plain.main, Graph("ARITH", (), (), (), (loop,)), None)
    assert graph_origins(nested) == {"y": NodeOrigin("a.loop", "plus", "")}
