"""What is legal and yet worth a remark."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.fqir.lint import remarks
from tests.fqir.small_networks import graph, network, node, parameter, tensor, zeros
from tests.fqir.valid_nodes import ADD, LUT, SAMPLES


def test_remarks_report_shared_names() -> None:
    nodes = [node("relu", {"x": "x"}, ["t"]), node("vneg", {"x": "t"}, ["t"], bw=8)]
    assert remarks(network(graph(nodes, [tensor("x")], ["t"]))) == (
        'value "t" is shared by 2 places: an output of node 0 of ARITH; an output of node 1 of ARITH.',
    )


def test_remarks_report_a_state_named_like_a_parameter() -> None:
    frame = graph([node("relu", {"x": "s"})], parameters=[parameter("s", [1])])
    assert remarks(network(frame, zeros(s=[1]))) == (
        'value "s" is shared by 2 places: a parameter of ARITH; an output of node 0 of INIT.',
    )


def test_remarks_report_bodies_that_clobber_outer_names() -> None:
    clobbering = graph([node("relu", {"x": "i"}, ["t"])], [tensor("i")], ["t"])
    nodes = [node("vneg", {"x": "x"}, ["t"], bw=8), node(None, {"a": "x"}, ["out"], {"body": clobbering})]
    assert remarks(network(graph(nodes, [tensor("x")]))) == (
        'value "t" is shared by 2 places: an output of node 0 of ARITH; an output of node 0 of ARITH/1:call.body.',
    )


def test_remarks_report_unknown_constants_and_untrue_shapes() -> None:
    odd = replace(SAMPLES["lut"], constants={**LUT, "mystery": 1}).network("lut")
    place = 'network "net", graph ARITH, node 0 ("out", operator lut): '
    assert remarks(odd) == (
        f'{place}constant "mystery" is not known and has no effect.',
        f'{place}the declared shape of "out" is not [4].',
    )


def test_an_ordinary_network_has_no_remarks() -> None:
    assert remarks(network(graph([node("vvadd", {"x": "x", "y": "x"}, **ADD)], [tensor("x")]))) == ()


def test_remarks_report_an_output_that_is_wider_than_its_type() -> None:
    wide = node("viadd", {"x": "x"}, ["z"], **{**ADD, "y": 1, "bw": 24})
    frame = graph([wide], [tensor("x")], ["z"])
    assert remarks(network(frame)) == (
        'network "net", graph ARITH: output "z" is declared int16, but its values may need 24 bits; it gets them.',
    )
    fitting = node("viadd", {"x": "x"}, ["z"], **{**ADD, "y": 1})
    assert remarks(network(graph([fitting], [tensor("x")], ["z"]))) == ()
