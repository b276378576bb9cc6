"""Arrays in pieces."""

from __future__ import annotations

import io

import numpy as np
import pytest

from femtodriver.errors import InputError
from femtodriver.inputs.stored_array import StoredArray, in_memory, read_elements


def test_an_array_in_memory_is_read_row_by_row_whatever_its_layout() -> None:
    array = np.arange(12).reshape(3, 4)
    for one in (array, np.asfortranarray(array), np.repeat(array, 2, axis=1)[:, ::2]):
        stored = in_memory(one)
        assert (stored.shape, stored.size) == ((3, 4), 12)
        assert stored.read(2, 7).tolist() == [2, 3, 4, 5, 6]
        assert stored.whole().tolist() == array.tolist()


def test_sizes_do_not_wrap() -> None:
    assert StoredArray((2**40, 2**40), np.dtype("i1"), lambda first, last: np.zeros(0)).size == 2**80
    assert in_memory(np.array(7)).size == 1


def test_elements_of_a_file() -> None:
    file = io.BytesIO(b"head" + np.arange(5, dtype=">i2").tobytes())
    assert read_elements(file, "f", 6, 3, ">i2").tolist() == [1, 2, 3]
    with pytest.raises(InputError, match=r"f: must have 12 bytes from byte 4 on, not 10\. The file was cut off"):
        read_elements(file, "f", 4, 6, ">i2")
