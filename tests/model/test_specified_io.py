"""I/O specifications against the model that they are for: what is used, and what is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from femtodriver.errors import UsageError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.iospec import IOSpec
from femtodriver.model.build_model import Built, build
from femtodriver.model.load_model import Source, load_source
from femtodriver.model.specified_io import placed_spec, specified, specified_inputs, specified_network
from femtodriver.program.program_iospec import program_iospec
from tests.device.networks import accumulator
from tests.driver.reference_models import WIDTH, two_ways


def source() -> Source:
    return load_source(two_ways())


def spec_of_two(inputs: str = "ab", latched: str = "", outputs: tuple[str, ...] = ("less", "copy")) -> IOSpec:
    """Inputs in that order, those of ``latched`` after them."""
    spec = IOSpec()
    for name in (*inputs, *latched):
        spec.add_input(name, WIDTH, 16)
    for name in outputs:
        spec.add_output(name, WIDTH, 16)
    spec.add_signature(list(inputs), list(latched), list(outputs))
    return spec


def test_the_derived_one_is_that_of_the_program() -> None:
    spec = build(source()).iospec
    assert list(spec.inputs) == ["a", "b"]
    assert spec.input_padding == {"a": ((WIDTH,), (8,)), "b": ((WIDTH,), (8,))}
    assert [spec.outputs[name].mailbox_id for name in ("less", "copy")] == [0, 1]
    assert spec.inputs["a"].scale == 2**-7
    assert spec.latched_input_names() == []
    assert specified(source(), spec).iospec == spec


def test_order_and_latching_are_those_of_the_specification() -> None:
    found = specified(source(), spec_of_two("a", "b", ("copy", "less")))
    network = specified_network(found)
    assert network is not None
    assert [tensor.name for tensor in network.inputs] == ["b", "a"]
    assert [tensor.name for tensor in network.outputs] == ["copy", "less"]
    built = build(found)
    assert [(one.name, one.latched) for one in built.inputs] == [("b", True), ("a", False)]
    assert [one.name for one in built.outputs] == ["copy", "less"]
    assert [record.name for record in built.data.info().inputs] == ["b", "a"]
    assert [record.name for record in built.data.info().outputs] == ["copy", "less"]
    assert built.data.iospec.latched_input_names() == ["b"]
    assert built.iospec.outputs["copy"].mailbox_id == 0


def test_a_program_remembers_what_is_latched() -> None:
    data = build(specified(source(), spec_of_two("a", "b"))).data
    again = build(Source("again", "again", "meta", program=data))
    assert [(one.name, one.latched) for one in again.inputs] == [("b", True), ("a", False)]
    other = build(specified(Source("again", "again", "meta", program=data), spec_of_two("ab")))
    assert [(one.name, one.latched) for one in other.inputs] == [("a", False), ("b", False)]


def test_comments_and_names_of_sequences_are_kept() -> None:
    spec = IOSpec()
    spec.add_input("a", WIDTH, 16, comments={"unit": "volt"})
    spec.add_input("b", WIDTH, 16)
    spec.add_output("less", WIDTH, 16)
    spec.add_output("copy", WIDTH, 16)
    spec.add_sequence({"a": 1, "b": 1}, {"less": 1, "copy": 1}, "every_frame", {"note": 3})
    placed = build(specified(source(), spec)).iospec
    assert placed.inputs["a"].comments == {"unit": "volt"}
    assert placed.inputs["a"].pc is not None
    assert placed.complex_sequences["every_frame"].comments == {"note": 3}


def test_a_later_change_of_the_callers_object_changes_nothing() -> None:
    spec = spec_of_two()
    found = specified(source(), spec)
    spec.set_padded_length("a", 99)
    assert found.iospec != spec


def test_widths_may_be_any_and_an_output_may_be_wider_than_declared() -> None:
    x, y, z = Tensor("x", "int12", (4,)), Tensor("y", "int8", (4,)), Tensor("z", "int3", (4,))
    shifts = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
    nodes = (Node("add", "vvadd", {"x": x, "y": x}, (y,), shifts), Node("copy", "copy", {"x": x}, (z,), {}))
    frame = Graph("ARITH", (x,), (y, z), (), nodes)
    found = Source("odd", "odd", "meta", Network("odd", frame, frame, None))
    placed = build(found).iospec
    assert placed.inputs["x"].precision == 12
    assert [one.precision for one in placed.outputs.values()] == [16, 16]
    assert build(specified(found, placed)).iospec == placed
    declared = IOSpec.deserialize_from_string(placed.serialize_to_string().replace("precision: 16", "precision: 8", 1))
    assert build(specified(found, declared)).iospec == placed
    wrong = IOSpec.deserialize_from_string(placed.serialize_to_string().replace("precision: 16", "precision: 9", 1))
    with pytest.raises(UsageError, match=r'output "y": precision: must be 16, as in the program, not 9\.$'):
        build(specified(found, wrong))


def test_a_graph_that_lists_its_states_among_its_inputs_can_be_specified() -> None:
    network = accumulator()
    state = next(tensor for node in network.frame.nodes for tensor in node.inputs.values() if tensor.name == "s")
    frame = replace(network.frame, inputs=(*network.frame.inputs, state))
    found = Source("bare", "bare", "meta", Network("bare", frame, frame, network.init))
    spec = build(found).iospec
    assert build(specified(found, spec)).iospec == spec


def test_without_one_the_model_is_as_it_was() -> None:
    found = specified(specified(source(), spec_of_two("a", "b")), None)
    assert specified_network(found) is found.network
    assert [one.name for one in build(found).inputs] == ["a", "b"]


def test_a_scale_is_used_where_the_model_has_none() -> None:
    spec = IOSpec()
    spec.add_input("x", 16, 16, quant_scale=2**-3)
    spec.add_output("%x.4", 16, 16)
    spec.add_signature(["x"], [], ["%x.4"])
    found = specified(load_source("LOOPBACK"), spec)
    bare = replace(build(found).inputs[0], quanta=None)
    assert specified_inputs((bare,), spec)[0].quanta == -3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda spec: spec.add_input("c", 1, 8), r'inputs: must be those of the model \("a", "b"\), not "a", "b", "c"'),
        (lambda spec: spec.add_sequence(["a"], ["copy"]), r"one sequence must have outputs, not 2"),
        (lambda spec: spec.add_sequence({"a": 2}, {}), r"must have one frame of each variable"),
    ],
)
def test_what_no_model_here_can_do_is_refused(change: Callable[[IOSpec], object], sentence: str) -> None:
    spec = spec_of_two()
    change(spec)
    with pytest.raises(UsageError, match=f"^iospec: .*{sentence}"):
        specified(source(), spec)


def made(**changes: object) -> IOSpec:
    """The right one with one entry of the input a changed."""
    spec = IOSpec()
    values: dict[str, object] = {"length": WIDTH, "precision": 16, **changes}
    spec.add_input("a", **values)  # type: ignore[arg-type]
    spec.add_input("b", WIDTH, 16)
    for name in ("less", "copy"):
        spec.add_output(name, WIDTH, 16)
    spec.add_signature(["a", "b"], [], ["less", "copy"])
    return spec


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (made(length=4), 'input "a": length: must be 5, as in the model, not 4'),
        (made(precision=8), 'input "a": precision: must be 16, as in the model, not 8'),
        (made(quant_zp=3), 'input "a": quantization: zero_pt: must be 0'),
        (made(quant_scale=0.5), 'input "a": quantization: scale: must be 2\\^-7, as in the model, not 0.5'),
        (made(padded_length=6), 'input "a": padded_length: must be 8, as the compiler has placed it, not 6'),
        (spec_of_two(outputs=("less",)), 'outputs: must be those of the model \\("less", "copy"\\), not "less"'),
        (IOSpec(), "one sequence must have outputs, not 0"),
    ],
)
def test_what_contradicts_the_model_is_refused(spec: IOSpec, sentence: str) -> None:
    with pytest.raises(UsageError, match=f"^iospec: .*{sentence}"):
        build(specified(source(), spec))


def test_a_sequence_must_have_all_outputs_and_inputs_only() -> None:
    lacking = spec_of_two(outputs=("less",))
    lacking.add_output("copy", WIDTH, 16)
    with pytest.raises(UsageError, match=r'must be all outputs, because every frame gives them; "copy" is missing'):
        specified(source(), lacking)
    text = lacking.serialize_to_string().replace("    - a\n    - b\n", "    - a\n    - b\n    - copy\n")
    with pytest.raises(UsageError, match=r'"sequence_0": inputs: must be inputs, not "copy"'):
        specified(source(), IOSpec.deserialize_from_string(text))


def test_a_program_is_checked_too() -> None:
    data = build(source()).data
    program = Source("again", "again", "meta", program=data)
    with pytest.raises(UsageError, match="length: must be 5"):
        build(specified(program, made(length=4)))
    with pytest.raises(UsageError, match="padded_length: must be 8"):
        build(specified(program, made(padded_length=7)))


def test_a_foreign_program_has_one_of_its_records() -> None:
    data = build(source()).data
    foreign = {key: value for key, value in data.metadata.items() if key != "femtodriver"}
    spec = Built(source(), type(data)(foreign, data.mems_per_core)).data.iospec
    assert spec.input_padding == {"a": ((WIDTH,), (8,)), "b": ((WIDTH,), (8,))}
    assert spec.inputs["a"].scale is None
    assert placed_spec(None, spec) is spec
    assert program_iospec(data.info(), None) == spec
