"""Programs into containers: numbering, sequences, keys, and what a container cannot hold."""

from __future__ import annotations

from typing import Any

import pytest

from femtodriver.errors import FemtoError, ProgramError, UsageError
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_from_program import vector_names
from femtodriver.program.femto.femto_records import (
    FemtoSequence,
)
from femtodriver.program.femto.femtofile import FemtoFile
from tests.program.program_samples import femto, golden_program, rich_program, vector


def test_sequences_list_all_vectors() -> None:
    assert FemtoFile.parse(femto(rich_program())).model.sequences == (FemtoSequence(0, (0, 1), (2, 3)),)
    data = golden_program()
    data.metadata["inputs"] = {f"i{k}": vector(pc_val=k) for k in range(5)}
    del data.metadata["fqir_input_padding"], data.metadata["fqir_output_padding"]
    assert FemtoFile.parse(femto(data, "A")).model.sequences == (
        FemtoSequence(0, (0, 1), (5,)),
        FemtoSequence(1, (2, 3), ()),
        FemtoSequence(2, (4,), ()),
    )


def test_inputs_are_numbered_by_pc_and_outputs_by_mailbox() -> None:
    assert vector_names(rich_program()) == ({"0": "b", "1": "a"}, {"2": "q", "3": "p"})


def test_the_key_index_says_whether_a_program_is_encrypted() -> None:
    for layout in ("A", "B-packed", "B-aligned"):
        read = [
            CompiledData.from_femto(FemtoFile.parse(femto(golden_program(**metadata), layout, **options))).metadata
            for metadata, options in (
                ({}, {}),
                ({"encrypted": False}, {}),
                ({}, {"encrypted": False, "key_index": 3}),
                ({"encrypted": True, "encryption_key_index": 5}, {}),
                ({"encrypted": False}, {"encrypted": True, "key_index": 31}),
            )
        ]
        found = [(metadata["encrypted"], metadata.get("encryption_key_index")) for metadata in read]
        assert found == [(True, 0), (False, None), (False, None), (True, 5), (True, 31)]


def _program(**changes: object) -> CompiledData:
    data = golden_program(**changes)
    del data.metadata["fqir_input_padding"], data.metadata["fqir_output_padding"]
    return data


@pytest.mark.parametrize(
    ("data", "options", "kind", "sentence"),
    [
        (golden_program(), {"layout": "C"}, UsageError, "layout: must be one of A, B-packed, B-aligned, not 'C'"),
        (golden_program(), {"key_index": 32}, UsageError, r"key index: must be in 0\.\.\.31, not 32"),
        (golden_program(), {"clock_mhz": 70000}, ProgramError, r"spu: a number must be in 0\.\.\.65535"),
        (golden_program(), {"layout": "A", "clock_mhz": 301}, ProgramError, r"clock \(MHz\) must be at most 300"),
        (golden_program(), {"layout": "A", "userdata": b"{}"}, ProgramError, "bytes of user data must be at most 0"),
        (
            golden_program(),
            {"userdata": bytes(65100)},
            ProgramError,
            "at most 65024 bytes, not .* shorten the user data",
        ),
        (golden_program(), {"userdata": bytes(70000)}, ProgramError, "is the user data too long"),
        (
            _program(inputs={"x": vector(pc_val=1 << 24)}),
            {},
            ProgramError,
            r"input 'x': its PC or mailbox must be below 2\^24 in a \.femto, not 16777216",
        ),
        (
            _program(inputs={"x": vector(16384, pc_val=1)}),
            {},
            ProgramError,
            r"input 'x': must have at most 65535 elements in a \.femto, not 65536",
        ),
        (
            _program(inputs={f"x{k}": vector(pc_val=k) for k in range(8)}),
            {"layout": "A"},
            ProgramError,
            "Layout A: vectors must be at most 8, not 9; write Layout B instead",
        ),
        (
            _program(inputs={f"x{k}": vector(pc_val=k) for k in range(255)}),
            {},
            ProgramError,
            "Layout B: vectors must be at most 255, not 256",
        ),
    ],
)
def test_programs_that_do_not_fit_the_container(
    data: CompiledData, options: dict[str, Any], kind: type[FemtoError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        femto(data, **options)
