"""What a program says about itself: written and read in one form, refused where it is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from femtodriver.errors import ProgramError
from femtodriver.program.description import (
    KEY,
    CompilerOrigin,
    CoreMemory,
    DescribedLayer,
    Description,
    KeptPlace,
    ModelOrigin,
    VariableForm,
    bound_entries,
    is_described,
    read_description,
)

WHOLE = Description(
    schema=2,
    isa="open-spu/3",
    input_bits={"x": 16},
    output_bits={"y": 12},
    input_forms={"x": VariableForm((2, 8), -15.0, 3)},
    output_forms={"y": VariableForm(quanta=-3.5)},
    layers=(DescribedLayer("0 copy y", "copy", "y", 0, 16), DescribedLayer("(frame end)", "frame_end", "", 0, 0)),
    source_map={0: ((0, 3, 0), (3, 6, 1))},
    memory={0: CoreMemory(weights=8, dm_used_words_per_bank=(4, 3), tm_used_words=0, im_used_words=6)},
    kept={"y": KeptPlace(core=0, address=8, bits=16, length=16)},
    part="spu001",
    part_sha256="ab" * 32,
    part_geometry={"cores": 2},
    compiler=CompilerOrigin("0.1.0", {"cores": "auto", "reuse": True}),
    model=ModelOrigin("LOOPBACK", "cd" * 32),
)
LONG_ORDER = (
    *(
        "schema",
        "isa",
        "input_bits",
        "output_bits",
        "input_forms",
        "output_forms",
        "layers",
        "source_map",
        "memory",
        "kept",
    ),
    *("part", "part_sha256", "part_geometry", "compiler", "model"),
)
SHORT_ORDER = (
    *("schema", "isa", "input_forms", "output_forms", "part", "part_sha256", "part_geometry", "compiler", "model"),
    *("input_bits", "output_bits"),
)


def test_the_document_comes_back() -> None:
    table = WHOLE.table()
    assert tuple(table) == LONG_ORDER
    assert read_description({KEY: table}, "metadata.yaml") == WHOLE


def test_the_short_document_comes_back() -> None:
    short = WHOLE.short()
    assert (WHOLE.has_layers, short.has_layers) == (True, False)
    assert tuple(short.table()) == SHORT_ORDER
    assert read_description({KEY: short.table()}, "x") == short
    assert short.layer_at(0, 0) is None


def test_documents_of_schema_1_tell_no_forms() -> None:
    table = {**WHOLE.table(), "schema": 1}
    del table["input_forms"], table["output_forms"]
    found = read_description({KEY: table}, "x")
    assert found == replace(WHOLE, schema=1, input_forms=None, output_forms=None)


@pytest.mark.parametrize("zero", ["1", 0.5, True, 1 << 32])
def test_zero_points_are_whole_numbers(zero: object) -> None:
    table = {**WHOLE.table(), "input_forms": {"x": {"zero_point": zero}}}
    with pytest.raises(ProgramError, match=r"input_forms\['x'\].zero_point: must be a whole number of 32 bits, not "):
        read_description({KEY: table}, "x")


@pytest.mark.parametrize("quanta", [-1000, 1000.0, 0, -3.25])
def test_quanta_may_be_any_number_of_moderate_size(quanta: float) -> None:
    found = read_description({KEY: {**WHOLE.table(), "input_forms": {"x": {"quanta": quanta}}}}, "x")
    assert found is not None
    assert found.input_forms == {"x": VariableForm(quanta=quanta)}


def test_a_program_without_our_mark_is_foreign() -> None:
    tables: tuple[object, ...] = (None, [], {}, {"isa": "other/2"}, {"isa": []})
    for told in tables:
        assert read_description({KEY: told}, "x") is None
    assert read_description({}, "x") is None


@pytest.mark.parametrize("version", ["open-spu/2", "open-spu/4", "open-spu/"])
def test_programs_for_another_version_of_the_instruction_set_are_refused(version: str) -> None:
    assert is_described({KEY: {"isa": version}})
    sentence = (
        rf"^x: femtodriver: isa: must be open-spu/3, the version of the instruction set that is known here, "
        rf"not {version}\. Compile the model again\.$"
    )
    with pytest.raises(ProgramError, match=sentence):
        read_description({KEY: {**WHOLE.table(), "isa": version}}, "x")


@pytest.mark.parametrize(("pc", "layer"), [(0, 0), (2, 0), (3, 1), (5, 1), (6, None), (99, None)])
def test_instructions_have_a_layer(pc: int, layer: int | None) -> None:
    assert WHOLE.layer_at(0, pc) == layer
    assert WHOLE.layer_at(1, pc) is None


def test_ranges_come_in_order_and_without_empty_ones() -> None:
    table = {**WHOLE.table(), "source_map": {"0": [[3, 6, 1], [9, 9, 0], [0, 3, 0]]}}
    assert read_description({KEY: table}, "x") == WHOLE


def test_what_is_lost_is_not_bound() -> None:
    assert bound_entries({KEY: {**WHOLE.table(), "new": 5}}) == WHOLE.short().table()
    assert bound_entries({}) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema": 3}, "schema: must be in 1...2, not 3"),
        ({"schema": 0}, "schema: must be in 1...2, not 0"),
        ({"layers": "x"}, "layers: must be a list, not 'x'"),
        ({"layers": [{"core": -1}, {}]}, "layers[0].core: must be a whole number that is not negative, not -1"),
        ({"layers": [{"bytes": {"weights": 1.5}}, {}]}, "layers[0].bytes['weights']: must be a whole number"),
        (
            {"layers": [{"fate": {"how": "lost"}}, {}]},
            "layers[0].fate.how: must be fused, view or unused, not 'lost'",
        ),
        (
            {"layers": [{}, {"fate": {"how": "fused", "into": [2]}}]},
            "layers[1].fate.into: must have layers below 2, not 2",
        ),
        ({"layers": [{"fate": {}}, {}]}, "layers[0].fate.how: must be there, but is missing"),
        ({"source_map": []}, "source_map: must be a mapping, not []"),
        ({"source_map": {0: [[1, 2]]}}, "source_map[0][0]: must be a list of 3, not [1, 2]"),
        ({"source_map": {0: [[1, 2, 2]]}}, "source_map[0]: must be a list whose layers are below 2, not [1, 2, 2]"),
        (
            {"source_map": {0: [[4, 6, 1], [1, 5, 0]]}},
            "source_map[0]: must be a list of ranges that do not overlap [1, 5, 0], not [4, 6, 1]",
        ),
        ({"memory": {0: {}}}, "memory[0].dm_used_words_per_bank: must be there, but is missing"),
        ({"kept": {"y": {"core": 0}}}, "kept['y'].address: must be there, but is missing"),
        ({"compiler": "x"}, "compiler: must be a mapping, not 'x'"),
        ({"model": 3}, "model: must be a mapping, not 3"),
        ({"model": None}, "model: must be there, but is missing"),
        ({"part_geometry": {"cores": "2"}}, "part_geometry['cores']: must be a whole number that is not negative"),
        ({"input_bits": {"x": 0}}, "input_bits['x']: must be in 1...32, not 0"),
        ({"output_bits": {"y": 33}}, "output_bits['y']: must be in 1...32, not 33"),
        (
            {"input_forms": {"x": {"quanta": True}}},
            "input_forms['x'].quanta: must be a number from -1000 to 1000, not T",
        ),
        (
            {"input_forms": {"x": {"quanta": "1"}}},
            "input_forms['x'].quanta: must be a number from -1000 to 1000, not '1'",
        ),
        ({"output_forms": {"y": {"quanta": float("nan")}}}, "output_forms['y'].quanta: must be a number from -1000"),
        ({"output_forms": {"y": {"quanta": -1001}}}, "output_forms['y'].quanta: must be a number from -1000"),
        ({"output_forms": {"y": {"shape": [-1]}}}, "output_forms['y'].shape[0]: must be a whole number that is not"),
        ({"input_forms": []}, "input_forms: must be a mapping, not []"),
        ({"output_bits": None}, "output_bits: must be a mapping, not None"),
    ],
)
def test_a_description_that_is_wrong_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProgramError) as caught:
        read_description({KEY: {**WHOLE.table(), **changes}}, "metadata.yaml")
    message = str(caught.value)
    assert message.startswith(f"metadata.yaml: femtodriver: {sentence}")
    assert message.endswith(". Compile the model again.")


@pytest.mark.parametrize("name", ["schema", "input_bits", "part", "part_geometry", "compiler", "model"])
def test_a_description_that_lacks_an_entry_is_refused(name: str) -> None:
    table = WHOLE.table()
    del table[name]
    with pytest.raises(ProgramError, match=f"femtodriver: {name}: must be there, but is missing"):
        read_description({KEY: table}, "x")


def test_a_description_of_the_compiler_alone_is_not_complete() -> None:
    bare = replace(WHOLE, part=None, part_sha256=None, part_geometry=None, compiler=None, model=None)
    with pytest.raises(ProgramError, match="part: must be there, but is missing"):
        read_description({KEY: bare.table()}, "x")
    assert read_description({KEY: bare.table()}, "x", complete=False) == bare
