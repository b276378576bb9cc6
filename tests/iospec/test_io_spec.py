"""``IOSpec`` made call by call: what it says, what it refuses, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import UsageError
from femtodriver.files.plain_yaml import dump_yaml
from femtodriver.iospec import IOSpec, SpecVariable, io_spec


def denoiser() -> IOSpec:
    """Two inputs, one of which is latched, and an output."""
    spec = IOSpec()
    spec.add_input("audio", 160, 16, quant_scale=2**-15, quant_zp=0)
    spec.add_input("gain", 1, 8, comments={"latch": True})
    spec.add_output("cleaned", 160, 16)
    spec.add_signature(["audio"], ["gain"], ["cleaned"])
    return spec


def nested(depth: int) -> dict[str, Any]:
    """Mappings in each other."""
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"k": found}
    return found


def test_a_signature_makes_a_sequence_and_one_for_each_latched_input() -> None:
    spec = denoiser()
    assert spec.latched_input_names() == ["gain"]
    assert list(spec.simple_sequences) == ["sequence_0", "sequence_1"]
    assert dict(spec.simple_sequences["sequence_0"].inputs) == {"audio": 1}
    assert dict(spec.simple_sequences["sequence_1"].outputs) == {}
    assert spec.complex_sequences == {}
    assert spec.is_simple
    assert repr(spec) == "<IOSpec: 2 inputs, 1 outputs, 2 sequences>"


def test_padding_is_told_by_variable() -> None:
    spec = denoiser()
    spec.set_padded_length("audio", 192)
    assert spec.input_padding == {"audio": ((160,), (192,)), "gain": ((1,), (None,))}
    assert spec.output_padding == {"cleaned": ((160,), (None,))}
    spec.set_padded_length("audio", None)
    assert spec.input_padding["audio"] == ((160,), (None,))


def test_inputs_that_no_sequence_with_outputs_uses_are_latched() -> None:
    spec = IOSpec()
    spec.add_input("a", 1, 8)
    assert spec.latched_input_names() == ["a"]
    spec.add_output("o", 1, 8)
    spec.add_sequence(["a"], ["o"])
    assert spec.latched_input_names() == []


def test_counts_above_one_and_two_sequences_with_outputs_are_not_simple() -> None:
    spec = denoiser()
    name = spec.add_sequence({"audio": 1}, {}, name="more")
    assert (name, list(spec.complex_sequences), spec.is_simple) == ("more", ["more"], True)
    other = denoiser()
    other.add_sequence({"audio": 2}, {})
    assert not other.is_simple
    spec.add_sequence(["gain"], ["cleaned"])
    assert not spec.is_simple


def test_a_sequence_may_take_what_another_one_gives_but_not_in_a_circle() -> None:
    spec = IOSpec()
    for name in ("p", "q"):
        spec.add_output(name, 1, 8)
    spec.add_sequence(["p"], ["q"])
    with pytest.raises(UsageError, match=r'in a circle: "sequence_\d" > "sequence_\d" > "sequence_\d"\.$'):
        spec.add_sequence(["q"], ["p"])
    assert list(spec.sequences) == ["sequence_0"]


def test_many_sequences_of_many_variables_are_put_in_order_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    edges = 0

    class Counting(TopologicalSorter[Any]):
        def __init__(self, graph: Mapping[Any, Iterable[Any]] = MappingProxyType({})) -> None:
            super().__init__()
            for name, before in graph.items():
                self.add(name, *before)

        def add(self, node: Any, *before: Any) -> None:
            nonlocal edges
            edges += len(before)
            super().add(node, *before)

    monkeypatch.setattr(io_spec, "TopologicalSorter", Counting)
    many, records = 60, {"type": "output", "length": 1, "precision": 8, "padded_length": None}
    sections: dict[str, Any] = {"outputs": {name: {"varname": name, **records} for name in ("p", "q")}}
    sections["simple_sequences"] = {
        f"{taken}{given}{number}": {"type": "simple_sequence", "inputs": list(taken), "outputs": list(given)}
        for number in range(many)
        for taken, given in (("", "p"), ("p", "q"), ("q", ""))
    }
    assert len(IOSpec.deserialize_from_string(dump_yaml(sections)).sequences) == 3 * many
    assert 0 < edges <= 4 * many


def test_numbers_of_numpy_are_numbers() -> None:
    spec = IOSpec()
    spec.add_input("a", int(np.int64(4)), 16, quant_scale=np.float32(0.5))
    assert spec.inputs["a"].scale == 0.5


def test_any_width_of_a_network_is_a_precision() -> None:
    spec = IOSpec()
    spec.add_input("a", 4, 12)
    assert IOSpec.deserialize_from_string(spec.serialize_to_string()) == spec


def test_two_that_say_the_same_are_equal_and_a_copy_is_apart() -> None:
    spec = denoiser()
    copy = IOSpec.deserialize_from_string(spec.serialize_to_string())
    assert copy == spec
    assert copy != "a text"
    copy.add_input("c", 1, 8)
    assert copy != spec
    with pytest.raises(TypeError):
        spec.inputs["x"] = spec.inputs["audio"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda spec: spec.add_input("audio", 1, 8), '"audio" must be there once, not twice'),
        (lambda spec: spec.add_input("a", -1, 8), r'input "a": length: must be a whole number from 0 to'),
        (lambda spec: spec.add_input("a", True, 8), r"length: must be a whole number"),
        (lambda spec: spec.add_input("a", 1, 33), r"precision: must be a whole number from 1 to 32, not 33"),
        (lambda spec: spec.add_input("\ud800", 1, 8), r"must be a text that UTF-8 can hold, not '\\ud800'"),
        (lambda spec: spec.add_input("a", 1, 8, comments={"x": "\ud800"}), r"comments: must be plain YAML"),
        (lambda spec: spec.add_input("a", 1, 8, comments={"x": {1 << 40: 1}}), r"comments: .* below 2\^32, not 1099"),
        (lambda spec: spec.add_input("a", 1, 8, comments=nested(30)), r"comments: must be nested at most 32 deep"),
        (lambda spec: spec.set_padded_length(["a"], 8), r"the variable must be one of .*, not \['a'\]"),
        (lambda spec: spec.add_input("a", 8, 8, padded_length=7), r"padded_length: must be a whole number from 8"),
        (lambda spec: spec.add_input("a", 8, 8, quant_scale=0.0), r"scale: must be a positive number"),
        (lambda spec: spec.add_input("a", 8, 8, quant_scale=float("nan")), r"scale: must be a positive number"),
        (lambda spec: spec.add_input(3, 8, 8), r"varname of an input: must be a text, not 3"),
        (lambda spec: spec.add_input("a", 8, 8, comments={"x": object()}), r"comments: a value must be"),
        (lambda spec: spec.add_output("a", 8, 8, comments=3), r"comments: must be a mapping"),
        (lambda spec: spec.add_variable("state", SpecVariable("a", 1, 8)), r"must be an input or an output"),
        (lambda spec: spec.add_variable("input", SpecVariable("a", 1, 8, mailbox_id=1)), r"mailbox_id: must be left"),
        (lambda spec: spec.add_variable("output", SpecVariable("a", 1, 8, pc=1)), r"pc: must be left out"),
        (lambda spec: spec.add_sequence(["nobody"], []), r'inputs: must be variables \("audio", "gain", "cleaned"\)'),
        (lambda spec: spec.add_sequence([], ["audio"]), r'outputs: must be outputs \("cleaned"\), not "audio"'),
        (lambda spec: spec.add_sequence("audio", []), r"must be a list of names"),
        (lambda spec: spec.add_sequence(["audio", "audio"], []), r"every name must be there once"),
        (lambda spec: spec.add_sequence({"audio": 0}, {}), r"'audio': must be a whole number from 1"),
        (lambda spec: spec.add_sequence([], [], name="sequence_0"), r"that of one sequence, not of two"),
        (lambda spec: spec.add_signature(["audio"], ["nobody"], ["cleaned"]), r'not "nobody"'),
        (lambda spec: spec.set_padded_length("nobody", 1), r"the variable must be one of .*, not 'nobody'"),
        (lambda spec: spec.set_padded_length("audio", 1), r"padded_length: must be a whole number from 160"),
    ],
)  # fmt: skip
def test_what_makes_no_specification_is_refused_and_changes_nothing(
    call: Callable[[IOSpec], object], sentence: str
) -> None:
    spec = denoiser()
    with pytest.raises(UsageError, match=sentence):
        call(spec)
    assert spec == denoiser()


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    spec = denoiser()
    spec.write_spec_to_file(tmp_path / "io.yaml")
    assert IOSpec(tmp_path / "io.yaml") == spec
    with pytest.raises(UsageError, match=r"gone\.yaml"):
        IOSpec(tmp_path / "gone.yaml")
