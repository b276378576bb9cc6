"""Hex images: round trips, tolerance and refusals; names of image files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import ProgramError
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.images import MEMORIES, image_name, parse_image_name, read_hex, write_hex


@given(st.lists(st.integers(0, (1 << 64) - 1), max_size=30), st.sampled_from(MEMORIES))
def test_write_and_read_are_inverse(values: list[int], memory: str) -> None:
    text = write_hex(np.array(values, dtype=np.uint64), memory)
    assert read_hex(text).tolist() == values
    digits = {"TM": 4, "SB": 3, "PB": 4}.get(memory, 16)
    assert text.decode() == "".join(f"{value:0{digits}x}\n" for value in values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b"", []),
        (b"\n", []),
        (b"5", [5]),
        (b"00000000000000005\n", [5]),
        (b"AbC\r\n1\r\n", [0xABC, 1]),
        (b"  1 \n\n 2\n\n", [1, 2]),
        (b"ffffffffffffffff", [2**64 - 1]),
    ],
)
def test_readers_tolerate(text: bytes, values: list[int]) -> None:
    read = CompiledData.convert_hex_to_ndarray(text)
    assert (read.dtype, read.tolist()) == (np.dtype(np.uint64), values)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"1\n10000000000000000\n", r"m: line 2: a word must be below 2\^64, not '10000000000000000'\."),
        (b"0x10\n", r"m: line 1: must be one hexadecimal number, not '0x10'\."),
        (b"1 2\n", r"m: line 1: must be one hexadecimal number, not '1 2'\."),
        (b"-1\n", "not '-1'"),
        (b"1_0\n", "not '1_0'"),
        (b"\xb2\n", "must be one hexadecimal number"),
        (b"f" * 1000, r"below 2\^64, not 'f{24}\.\.\.'"),
    ],
)
def test_readers_refuse(text: bytes, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        read_hex(text, "m")


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("test_core_0_data_mem_initial_py_hex.txt", (0, "DM", 0)),
        ("test_core_1_table_mem_initial_py_hex.txt", (1, "TM", 0)),
        ("test_core_12_sboard_initial_py_hex.txt", (12, "SB", 0)),
        ("test_core_0_rqueue_initial_py_hex.txt", (0, "RQ", 0)),
        ("test_core_0_progbuf_initial_py_hex.txt", (0, "PB", 0)),
        ("test_core_0_instr_mem_bitgroup1_initial_py_hex.txt", (0, "IM", 1)),
        ("c3_IM_bitgroup0_hex.txt", (3, "IM", 0)),
        ("c0_DM_hex.txt", (0, "DM", 0)),
        ("test_core_0_rqueue_len_initial.txt", (None, None, None)),
        ("test_core_0_data_mem_initial_py_hex.txt.bak", (None, None, None)),
        ("test_core_x_data_mem_initial_py_hex.txt", (None, None, None)),
        ("metadata.yaml", (None, None, None)),
    ],
)
def test_file_names(name: str, meaning: tuple[object, ...]) -> None:
    assert CompiledData.parse_memory_file_name(name) == meaning


def test_names_come_back() -> None:
    for memory in MEMORIES:
        for group in (None, 0, 3):
            parsed = parse_image_name(image_name(2, memory, group))
            assert parsed is not None
            assert (parsed.core, parsed.memory, parsed.bitgroup) == (2, memory, group or 0)
