"""Typed metadata: what is accepted, what is refused with which sentence."""

from typing import Any

import pytest

from femtodriver.errors import ProgramError
from femtodriver.program.metadata import InputRecord, OutputRecord, program_info
from tests.program.program_samples import golden_program, rich_program, vector


def test_records() -> None:
    info = program_info(rich_program().metadata)
    assert info.inputs == (InputRecord("a", 0, 7, 2, 16, 7), InputRecord("b", 1, 2, 1, 8, 8))
    assert info.outputs == (OutputRecord("p", 0, 4, 3, 32, 5), OutputRecord("q", 0, 0, 1, 16, 1))
    assert (info.encrypted, info.key_index, info.key_salt) == (False, None, 0)
    assert info.inst_counts == {0: 40, 1: 9}


def test_padding_is_optional_and_precision_may_be_a_number() -> None:
    metadata = golden_program(encrypted=True, encryption_key_index=4, encryption_key_salt=2**64 - 1).metadata
    del metadata["fqir_input_padding"], metadata["fqir_output_padding"]
    metadata["inputs"]["x"]["precision"] = 8
    info = program_info(metadata)
    assert (info.inputs[0].usable, info.outputs[0].usable) == (16, 4)
    assert (info.encrypted, info.key_index, info.key_salt) == (True, 4, 2**64 - 1)


def test_unknown_keys_are_left_alone() -> None:
    program_info(golden_program(femtodriver={"anything": [1]}, iospec=None).metadata)


REFUSED: list[tuple[str, Any, str]] = [
    ("", None, "metadata: must be a mapping, not None"),
    ("inputs", ..., "metadata: the key 'inputs' is missing; the file must describe a compiled program"),
    ("inst_counts", {}, r"metadata: inst_counts: the cores must be 0, 1, \.\.\. without gaps, not \[\]"),
    ("inst_counts", {1: 1}, r"inst_counts: the cores must be 0, 1, \.\.\. without gaps, not \[1\]"),
    ("inst_counts", {0: 8193}, r"inst_counts\[0\]: must be in 0\.\.\.8192, not 8193"),
    ("inst_counts", {0: True}, r"inst_counts\[0\]: must be a whole number, not True"),
    ("inst_counts", {"0": 1}, "inst_counts: core: must be a whole number, not '0'"),
    ("inst_counts", {99: 1}, r"inst_counts: core: must be in 0\.\.\.15, not 99"),
    ("inst_counts", [1], "inst_counts: must be a mapping, not a list"),
    ("data_bank_sizes", {0: {8: 1}}, r"data_bank_sizes\[0\]: bank: must be in 0\.\.\.7, not 8"),
    ("data_bank_sizes", {0: {0: -1}}, r"data_bank_sizes\[0\]\[0\]: must be in 0\.\.\.32768, not -1"),
    ("data_bank_sizes", {0: {0: 1.0}}, r"data_bank_sizes\[0\]\[0\]: must be a whole number, not 1\.0"),
    ("data_bank_sizes", {1: {0: 1}}, "data_bank_sizes: core 1 must also be a key of inst_counts"),
    ("table_bank_sizes", {0: {4: 1}}, r"table_bank_sizes\[0\]: bank: must be in 0\.\.\.3, not 4"),
    ("table_bank_sizes", {0: 3}, r"table_bank_sizes\[0\]: must be a mapping, not 3"),
    ("table_bank_sizes", {0: {0: 10**40}}, r"must be in 0\.\.\.8192, not a very long number"),
    ("inputs", {3: vector(pc_val=1)}, "inputs: a variable's name must be text, not 3"),
    ("inputs", {"x": 5}, r"inputs\['x'\]: must be a mapping, not 5"),
    ("inputs", {"x": vector(2)}, r"inputs\['x'\]: the entry 'pc_val' is missing"),
    ("inputs", {"x": vector(2, pc_val=1 << 32)}, r"inputs\['x'\]: pc_val: must be in 0\.\.\.4294967295"),
    ("inputs", {"x": vector(pc_val=1, core=1)}, r"inputs\['x'\]: core must be one of the program's 1 cores, not 1"),
    ("inputs", {"x": vector(pc_val=1, precision="X")}, r"precision must be STD \(8 bits\), DBL \(16 bits\) or QUAD"),
    ("inputs", {"x": {**vector(pc_val=1), "precision": True}}, "precision must be STD"),
    ("inputs", {"x": {**vector(pc_val=1), "precision": [1]}}, "precision must be STD .*, not a list"),
    ("inputs", {"x": {**vector(pc_val=1), "dtype": "S"}}, "dtype must be text that starts with V"),
    ("outputs", {"y": vector(70000, mailbox_id=1)}, r"len_64b_words: must be in 0\.\.\.65535, not 70000"),
    (
        "outputs",
        {"y": vector(mailbox_id=1), "z": vector(mailbox_id=1)},
        r"outputs\['z'\]: mailbox_id 1 must differ from that of 'y'",
    ),
    ("fqir_input_padding", ..., "fqir_input_padding and fqir_output_padding must both be present, or none of them"),
    ("fqir_input_padding", {"x": {"fqir": 9, "fasmir": 8}}, r"\['x'\]: fqir must be at most fasmir, 8, not 9"),
    ("fqir_input_padding", {"x": {"fqir": 9}}, r"\['x'\]: fasmir: must be a whole number, not None"),
    (
        "fqir_input_padding",
        {"x": {"fqir": 9, "fasmir": 99}},
        r"inputs\['x'\]: 2 words hold 8 elements of 16 bits, not 9",
    ),
    ("encrypted", 1, "encrypted must be true or false, not 1"),
    ("encryption_key_index", 33, r"encryption_key_index: must be in 0\.\.\.32, not 33"),
    ("femto", {"part": "x"}, "femto: part: must be a whole number, not 'x'"),
    ("encryption_key_salt", 2**64, "encryption_key_salt: must be in"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), REFUSED)
def test_refused(key: str, value: Any, sentence: str) -> None:
    metadata: Any = golden_program().metadata
    if not key:
        metadata = value
    elif value is ...:
        del metadata[key]
    else:
        metadata[key] = value
    with pytest.raises(ProgramError, match=sentence) as caught:
        program_info(metadata)
    assert str(caught.value).startswith("metadata: ")
