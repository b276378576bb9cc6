"""Programs out of containers: round trips, and containers that hold no program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ProgramError
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_from_program import femto_from_compiled, vector_names
from femtodriver.program.femto.femto_records import (
    FemtoCore,
    FemtoModel,
    FemtoSpu,
    FemtoVector,
)
from femtodriver.program.femto.femtofile import FemtoFile
from tests.program.program_samples import femto, programs, vector, words


def _trimmed(sizes: dict[int, dict[int, int]]) -> dict[int, dict[int, int]]:
    trimmed = {core: {bank: size for bank, size in banks.items() if size} for core, banks in sizes.items()}
    return {core: banks for core, banks in trimmed.items() if banks}


def _assert_same_program(data: CompiledData, again: CompiledData) -> None:
    """The same words in the used part of every memory, the same records under the names of the container."""
    for key in ("data_bank_sizes", "table_bank_sizes"):
        assert _trimmed(again.metadata[key]) == _trimmed(data.metadata[key])
    assert again.metadata["inst_counts"] == data.metadata["inst_counts"]
    for core in data.mems_per_core:
        for memory in ("SB", "RQ", "PB"):
            assert np.array_equal(again.image(core, memory), data.image(core, memory))
        count = data.metadata["inst_counts"][core]
        assert np.array_equal(again.image(core, "IM"), data.image(core, "IM")[:count])
        for memory, stride, key in (("DM", 8192, "data_bank_sizes"), ("TM", 2048, "table_bank_sizes")):
            for bank, size in data.metadata[key].get(core, {}).items():
                part = slice(bank * stride, bank * stride + size)
                assert np.array_equal(again.image(core, memory)[part], data.image(core, memory)[part])


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(programs(), st.sampled_from(["B-packed", "B-aligned"]), st.binary(max_size=600))
def test_layout_b_keeps_the_program(data: CompiledData, layout: str, userdata: bytes) -> None:
    written = femto(data, layout, userdata=userdata)
    file = FemtoFile.parse(written)
    assert file.serialize() == written
    assert file.notes == ()
    again = CompiledData.from_femto(file)
    _assert_same_program(data, again)
    assert again.metadata.get("userdata", b"") == userdata
    inputs, outputs = vector_names(data)
    for names, key in ((inputs, "inputs"), (outputs, "outputs")):
        restored = {names[number]: record for number, record in again.metadata[key].items()}
        expected = {name: {**record, "dtype": "V"} for name, record in data.metadata[key].items()}
        assert restored == expected
        padding = again.metadata[f"fqir_{key[:-1]}_padding"]
        assert {names[number]: record for number, record in padding.items()} == data.metadata[
            f"fqir_{key[:-1]}_padding"
        ]


@settings(max_examples=25, deadline=None)
@given(programs(layout="A"))
def test_layout_a_keeps_what_it_has_room_for(data: CompiledData) -> None:
    written = femto(data, "A")
    file = FemtoFile.parse(written)
    assert (file.layout, file.notes) == ("A", ())
    assert file.serialize() == written
    again = CompiledData.from_femto(file)
    _assert_same_program(data, again)
    for key, parameter in (("inputs", "pc_val"), ("outputs", "mailbox_id")):
        expected = sorted(data.metadata[key].values(), key=lambda record: record[parameter])
        assert list(again.metadata[key].values()) == expected
        assert list(again.metadata[key]) == [str(i) for i in range(len(expected))]


@settings(max_examples=25, deadline=None)
@given(programs())
def test_a_container_of_a_container_is_the_same(data: CompiledData) -> None:
    written = femto(data, name="x", model_type="custom")
    again = CompiledData.from_femto(FemtoFile.parse(written))
    assert femto(again, name="x", model_type="custom") == written


def test_four_cores_travel_as_an_unknown_part() -> None:
    data = CompiledData(
        {
            "data_bank_sizes": {3: {7: 2}},
            "table_bank_sizes": {},
            "inst_counts": dict.fromkeys(range(4), 1),
            "inputs": {"x": vector(core=3, pc_val=0)},
            "outputs": {"y": vector(core=2, mailbox_id=0)},
        },
        {core: {"DM": [np.arange(7 * 8192 + 2, dtype=np.uint64)], "IM": [words(core)]} for core in range(4)},
    )
    file = FemtoFile.parse(femto(data))
    assert (file.spu.part, file.spu.used_cores) == (255, (0, 1, 2, 3))
    assert file.banks[3, "DM7"].tolist() == [57344, 0, 57345, 0]
    _assert_same_program(data, CompiledData.from_femto(file))
    with pytest.raises(ProgramError, match="Layout A: cores must be at most 2, not 4; write Layout B instead"):
        femto(data, "A")


def test_two_planes_of_instructions_come_back_as_bit_groups() -> None:
    file = FemtoFile(spu=FemtoSpu(4, 3, 250, tuple(FemtoCore(i, int(i == 0)) for i in range(4))))
    plane = np.zeros(8192, np.uint32)
    plane[:6] = 1, 0, 2, 0, 3, 0
    file.fill_memory(0, "IM", np.concatenate([plane, [7, 0, 8, 0, 9, 0]]))
    data = CompiledData.read_from_zip(CompiledData.from_femto(FemtoFile.parse(file.serialize())).to_zip_bytes())
    assert [group.tolist() for group in data.mems_per_core[0]["IM"]] == [[1, 2, 3], [7, 8, 9]]
    again = FemtoFile.parse(femto_from_compiled(data, name="x", producer="p", clock_mhz=250))
    assert (again.spu.part, again.spu.key_index) == (4, 3)
    assert np.array_equal(again.banks[0, "IM"], file.banks[0, "IM"])


def test_eight_bit_lengths_in_int16_units_are_understood() -> None:
    def words_of(usable: int, padded: int) -> object:
        file = FemtoFile(model=FemtoModel(vectors=(FemtoVector(0, "input", 0, 8, usable, padded, 0),)))
        file.fill_memory(0, "IM", [1, 0])
        return CompiledData.from_femto(FemtoFile.parse(file.serialize())).metadata["inputs"]["0"]["len_64b_words"]

    assert words_of(16, 16) == 2
    assert words_of(15, 8) == 2  # 2.6.0 without an IOSpec: words x 4
    with pytest.raises(ProgramError, match="the padded length must be at least 17, the usable one, not 8"):
        words_of(17, 8)


def test_parameters_are_inputs() -> None:
    model = FemtoModel(vectors=(FemtoVector(4, "parameter", 0, 16, 3, 4, 9),))
    file = FemtoFile(model=model)
    file.fill_memory(0, "IM", [1, 0])
    metadata = CompiledData.from_femto(FemtoFile.parse(file.serialize())).metadata
    assert metadata["inputs"]["4"]["pc_val"] == 9
    assert metadata["outputs"] == {}


def test_odd_banks_cannot_become_a_program() -> None:
    file = FemtoFile()
    file.fill_memory(0, "DM1", [1, 2, 3])
    with pytest.raises(ProgramError, match="DM1 of core 0: the number of 32-bit words must be even, not 3"):
        CompiledData.from_femto(FemtoFile.parse(file.serialize()))


def test_a_container_without_a_used_core_is_no_program() -> None:
    with pytest.raises(ProgramError, match=r"inst_counts: the cores must be 0, 1, \.\.\. without gaps"):
        CompiledData.from_femto(FemtoFile.parse(FemtoFile().serialize()))


def test_only_core_one_used() -> None:
    file = FemtoFile()
    file.fill_memory(1, "IM", [5, 6])
    data = CompiledData.from_femto(FemtoFile.parse(file.serialize()))
    assert data.metadata["inst_counts"] == {0: 0, 1: 1}
    assert data.image(1, "IM").tolist() == [6 << 32 | 5]
