"""The YAML of an I/O specification: any one comes back as it was, and everything else is refused in one sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import UsageError
from femtodriver.files.plain_yaml import dump_yaml
from femtodriver.iospec import IOSpec, SpecVariable
from femtodriver.iospec.spec_records import PLACES

# As the reference writes it: sections in another order, and a value that stands for two.
OF_THE_REFERENCE = """\
complex_sequences: {}

simple_sequences:
  sequence_0:
    type: simple_sequence
    inputs:
    - x
    outputs:
    - out1
    comments: &id001 {}
  sequence_1:
    type: simple_sequence
    inputs:
    - y
    outputs: []
    comments: *id001

inputs:
  x: {type: input, varname: x, length: 8, precision: 16, padded_length: null,
      quantization: {scale: 0.000244140625, zero_pt: 0}, comments: {latch: false}}
  y: {type: input, varname: y, length: 1, precision: 16, padded_length: 4}

outputs:
  out1: {type: output, varname: out1, length: 8, precision: 16, padded_length: null, comments: {},
         mailbox_id: 3, core_id: 1, length_64b_words: 2}
"""

names = st.text(st.characters(codec="utf-8"), max_size=8)
maybe = st.none() | st.integers(0, (1 << 16) - 1)
comments = st.dictionaries(names, st.booleans() | st.integers(-9, 9) | names | st.none(), max_size=2)


@st.composite
def variables(draw: st.DrawFn, kind: str, name: str) -> SpecVariable:
    length = draw(st.integers(0, 1000))
    places: dict[str, Any] = {key: draw(maybe) for key in PLACES}
    places["mailbox_id" if kind == "input" else "pc"] = None
    scale = draw(st.none() | st.floats(1e-200, 1e200))
    padded = draw(st.none() | st.integers(length, 2000))
    precision = draw(st.sampled_from((8, 16, 24, 32)))
    return SpecVariable(
        name, length, precision, padded, scale, draw(st.none() | st.just(0)), comments=draw(comments), **places
    )


@st.composite
def specifications(draw: st.DrawFn) -> IOSpec:
    spec = IOSpec()
    made = {kind: draw(st.lists(names, max_size=4, unique=True)) for kind in ("input", "output")}
    for kind, chosen in made.items():
        for name in chosen:
            spec.add_variable(kind, draw(variables(kind, name)))
    for _ in range(draw(st.integers(0, 3))):
        parts: list[Any] = [draw(st.lists(st.sampled_from(one), unique=True)) if one else [] for one in made.values()]
        if draw(st.booleans()):
            parts = [{name: draw(st.integers(1, 3)) for name in part} for part in parts]
        spec.add_sequence(parts[0], parts[1], comments=draw(comments))
    return spec


@given(specifications())
@settings(max_examples=60)
def test_any_specification_comes_back(spec: IOSpec) -> None:
    text = spec.serialize_to_string()
    again = IOSpec.deserialize_from_string(text)
    assert again.serialize_to_string() == text
    assert again.inputs == spec.inputs
    assert again.outputs == spec.outputs
    assert again.sequences == spec.sequences
    assert again.latched_input_names() == spec.latched_input_names()
    assert yaml.safe_load(text).keys() == {"inputs", "outputs", "simple_sequences", "complex_sequences"}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["inputs", "outputs", "simple_sequences", "type", "varname", "length", "x"]),
                        inner, max_size=4), max_leaves=12))  # fmt: skip
@settings(max_examples=50)
def test_any_other_document_is_refused_in_one_sentence(document: Any) -> None:
    try:
        spec = IOSpec.deserialize_from_string(dump_yaml(document), "io.yaml")
    except UsageError as error:
        assert str(error).startswith("io.yaml")  # noqa: PT017 (either may happen)
    else:
        assert not spec.outputs
        assert not spec.inputs


def test_what_the_reference_writes_is_read() -> None:
    spec = IOSpec.deserialize_from_string(OF_THE_REFERENCE)
    assert spec.latched_input_names() == ["y"]
    assert spec.input_padding == {"x": ((8,), (None,)), "y": ((1,), (4,))}
    assert (spec.outputs["out1"].mailbox_id, spec.outputs["out1"].core_id) == (3, 1)
    assert spec.inputs["x"].scale == 2**-12
    assert spec.is_simple
    assert IOSpec.deserialize_from_string("") == IOSpec()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("inputs:\n  x", "entries:\n  x", "entries must be among inputs, outputs, .*, not 'entries'"),
        ("varname: x,", "varname: z,", 'inputs: "x": varname: must be the name of the record, not \'z\''),
        ("varname: x,", "", 'inputs: "x": varname: must be there, but is missing'),
        ("padded_length: 4", "other: 4", 'inputs: "y": entries must be among .*, not \'other\''),
        ("type: input, varname: y", "type: output, varname: y", 'inputs: "y": type: must be input, not \'output\''),
        ("length: 1,", "length: one,", "length: must be a whole number from 0 to .*, not 'one'"),
        ("length: 1,", "length: 1.0,", "length: must be a whole number from 0 to .*, not 1.0"),
        ("padded_length: 4", "padded_length: 0", "padded_length: must be a whole number from 1 to"),
        ("zero_pt: 0", "zero: 0", "quantization: entries must be among scale, zero_pt, not 'zero'"),
        ("    - y", "    - nobody", '"sequence_1": inputs: must be variables'),
        ("    - y", "    - 3", "a name: must be a text, not 3"),
        ("    inputs:\n    - y", "    inputs: {y: 1}", "inputs: must be a list of names, not a mapping"),
        ("    outputs: []\n", "", '"sequence_1": outputs: must be there, but is missing'),
        ("complex_sequences: {}", "complex_sequences: []", "complex_sequences: must be a mapping, not a list"),
        ("complex_sequences: {}", "complex_sequences: {sequence_0: {type: complex_sequence, inputs: {}, outputs: {}}}",
         "must be that of one sequence, not of two"),
        ("complex_sequences: {}", "complex_sequences: {z: {type: complex_sequence, inputs: [x], outputs: {}}}",
         "must be a mapping from name to count, not a list"),
        ("mailbox_id: 3", "pc: 3", 'output "out1": pc: must be left out'),
        ("comments: {latch: false}", "comments: 7", "comments: must be a mapping"),
        ("comments: {latch: false}", "comments: !!python/object:os.system {}", "only plain YAML"),
    ],
)  # fmt: skip
def test_errors_name_the_place(old: str, new: str, sentence: str) -> None:
    assert old in OF_THE_REFERENCE
    with pytest.raises(UsageError, match=f"^io.yaml: .*{sentence}") as caught:
        IOSpec.deserialize_from_string(OF_THE_REFERENCE.replace(old, new, 1), "io.yaml")
    assert re.fullmatch(r"[^\n]{10,400}\.", str(caught.value))


def test_a_large_document_is_refused() -> None:
    with pytest.raises(UsageError, match=r"must have at most 1048576 bytes"):
        IOSpec.deserialize_from_string("#" * (1 << 21))
