"""Arrays as inputs: what is taken, and every sentence that a user may meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError
from femtodriver.inputs.array_inputs import as_array, check_frame, check_inputs
from femtodriver.inputs.input_spec import InputSpec

X = InputSpec("x", 4, 16)
SQUARE = InputSpec("x", 4, 16, shape=(2, 2))
Y = InputSpec("y", 2, 8)


def test_what_fits_comes_back_as_new_int64_arrays_in_the_declared_order() -> None:
    x = np.arange(8, dtype=np.int16).reshape(2, 4)
    checked = check_inputs({"y": [[1, 2], [3, 4]], "x": x}, [X, Y])
    assert list(checked) == ["x", "y"]
    assert all(array.dtype == np.int64 for array in checked.values())
    assert checked["x"].tolist() == x.tolist()
    checked["x"][0, 0] = 99
    assert x[0, 0] == 0


def test_an_int64_array_is_copied_too() -> None:
    x = np.zeros((1, 4), np.int64)
    assert not np.shares_memory(check_inputs({"x": x}, [X])["x"], x)


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "u4", "i8", "u8", "f2", "f4", "f8"])
def test_every_kind_of_integer_and_whole_floats(dtype: str) -> None:
    checked = check_inputs({"x": np.array([[0, 1, 2, 100]], dtype)}, [X])
    assert checked["x"].tolist() == [[0, 1, 2, 100]]


@pytest.mark.parametrize(("bits", "low", "high"), [(8, -128, 127), (16, -32768, 32767), (24, -(2**23), 2**23 - 1)])
def test_the_limits_themselves_fit(bits: int, low: int, high: int) -> None:
    spec = InputSpec("x", 2, bits)
    assert spec.limits == (low, high)
    for dtype in ("i4", "f4", "f8"):
        assert check_inputs({"x": np.array([[low, high]], dtype)}, [spec])["x"].tolist() == [[low, high]]
    for wrong in (low - 1, high + 1):
        with pytest.raises(InputError, match=f"between {low} and {high} \\({bits} bits\\), not {wrong}"):
            check_inputs({"x": [[0, wrong]]}, [spec])


def at(frame: int, element: int, value: Any, dtype: str = "f8") -> AnyArray:
    array = np.zeros((5, 4), dtype)
    array[frame, element] = value
    return array


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1], "inputs: must be a mapping from input name to array, not list."),
        ({}, 'inputs: must have an array for "x", which is missing. Inputs: x (4 x 16 bits).'),
        (
            {"x": [[0] * 4], "z": 1},
            'inputs: must be inputs of the network, not "z". Inputs: x (4 x 16 bits).',
        ),
        ({"x": [0] * 4}, 'input "x": must have the shape (frames, 4), not (4,).'),
        ({"x": 7}, 'input "x": must have the shape (frames, 4), not ().'),
        ({"x": [[0] * 5]}, 'input "x": must have the shape (frames, 4), not (1, 5).'),
        ({"x": [[[0] * 4]]}, 'input "x": must have the shape (frames, 4), not (1, 1, 4).'),
        ({"x": np.zeros((0, 4), int)}, 'input "x": must have at least one frame, not 0.'),
        ({"x": [[0], [0, 1]]}, 'input "x": must be an array of numbers with rows of equal length: '),
        ({"x": np.zeros((1, 4), bool)}, 'input "x": must hold integers, not bool.'),
        ({"x": np.zeros((1, 4), complex)}, 'input "x": must hold integers, not complex128.'),
        ({"x": np.array([["a"] * 4])}, 'input "x": must hold integers, not <U1.'),
        ({"x": np.array([[None] * 4])}, 'input "x": must hold integers of at most 64 bits, not object.'),
        (
            {"x": at(3, 1, 0.5)},
            'input "x": frame 3, element 1: must be a whole number, not 0.5. '
            "Scale and round the input, or let --scale real do it.",
        ),
        ({"x": at(0, 0, np.nan)}, 'input "x": frame 0, element 0: must be a whole number, not nan.'),
        ({"x": at(4, 3, -np.inf)}, 'input "x": frame 4, element 3: must be a whole number, not -inf.'),
        (
            {"x": at(2, 3, 70000, "i8")},
            "frame 2, element 3: must be between -32768 and 32767 (16 bits), not 70000. Scale or clip the input.",
        ),
        ({"x": at(2, 0, 2**64 - 1, "u8")}, "must be between -32768 and 32767 (16 bits), not 18446744073709551615."),
        ({"x": at(2, 0, 1e300)}, "must be between -32768 and 32767 (16 bits), not 1e+300."),
        ({"x": at(2, 0, -(2**63), "i8")}, "not -9223372036854775808."),
    ],
)
def test_what_does_not_fit_says_why(inputs: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_inputs(inputs, [X])
    assert message in str(caught.value)


def test_the_first_fault_is_the_one_that_is_named() -> None:
    array = np.zeros((5, 4), int)
    array[4, 0] = array[1, 3] = array[3, 1] = 40000
    with pytest.raises(InputError, match="frame 1, element 3"):
        check_inputs({"x": array}, [X])


def test_inputs_must_have_equally_many_frames() -> None:
    with pytest.raises(InputError, match='input "y": must have as many frames as "x", 3, not 2'):
        check_inputs({"x": np.zeros((3, 4), int), "y": np.zeros((2, 2), int)}, [X, Y])


def test_an_object_that_makes_no_array_is_refused() -> None:
    class Odd:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise RuntimeError("cannot be turned into an array")

    with pytest.raises(InputError, match=r'input "x": must be an array of numbers .*: cannot be turned into an array'):
        check_inputs({"x": Odd()}, [X])


def test_an_input_of_no_elements() -> None:
    checked = check_inputs({"x": np.zeros((3, 0), int), "y": np.ones((3, 2), int)}, [InputSpec("x", 0, 16), Y])
    assert [rows.shape for rows in checked.values()] == [(3, 0), (3, 2)]


def test_a_network_without_inputs() -> None:
    assert check_inputs({}, []) == {}
    with pytest.raises(InputError, match=r'not "x"\. Inputs: none'):
        check_inputs({"x": [[1]]}, [])


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\x1b[31m\nb", r'"a\u001b[31m\nb"'), ("\u202e", r'"\u202e"'), ("n" * 1000, "... (1000 characters)")],
)
def test_names_of_a_network_are_quoted(name: str, shown: str) -> None:
    spec = InputSpec(name, 4, 16)
    attempts: list[Any] = [{}, {name: 1}, {name: at(0, 0, 0.5)}, {name: np.zeros((0, 4))}, {name: [[0] * 4], "q": 1}]
    for inputs in attempts:
        with pytest.raises(InputError) as caught:
            check_inputs(inputs, [spec])
        assert shown in str(caught.value)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


def test_names_of_the_caller_are_quoted() -> None:
    with pytest.raises(InputError, match=r'must be inputs of the network, not "\\u001b"\.'):
        check_inputs({"x": [[0] * 4], "\x1b": 1}, [X])
    odd: Any = {"x": [[0] * 4], 5: 1}
    with pytest.raises(InputError, match=r"must be inputs of the network, not a int\."):
        check_inputs(odd, [X])


def test_frames_may_have_the_axes_of_the_network() -> None:
    array = np.arange(12).reshape(3, 2, 2)
    for values in (array, array.reshape(3, 4), np.asfortranarray(array), array.tolist(), array.astype(float)):
        assert check_inputs({"x": values}, [SQUARE])["x"].tolist() == array.reshape(3, 4).tolist()
    assert check_frame({"x": array[1]}, [SQUARE])["x"].tolist() == [4, 5, 6, 7]
    assert check_frame({"x": array[1].ravel()}, [SQUARE])["x"].tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("shape", [(3, 4, 1), (3, 1, 4), (3, 2, 3), (3, 5), (12,), (2, 2), (3, 2, 2, 1), ()])
def test_other_axes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        check_inputs({"x": np.zeros(shape, int)}, [SQUARE])
    assert str(caught.value) == f'input "x": must have the shape (frames, 4) or (frames, 2, 2), not {shape}.'


@pytest.mark.parametrize("shape", [(1, 4), (1, 2, 2), (2,), (4, 1), ()])
def test_a_frame_of_other_axes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        check_frame({"x": np.zeros(shape, int)}, [SQUARE])
    assert str(caught.value) == f'input "x": a frame must have the shape (4,) or (2, 2), not {shape}.'


def test_one_frame_is_checked_like_many() -> None:
    values = np.zeros(4, np.int16)
    checked = check_frame({"x": values}, [X])["x"]
    assert checked.dtype == np.int64
    assert checked.shape == (4,)
    assert not np.shares_memory(checked, values)
    with pytest.raises(InputError, match='input "x": frame 0, element 3: must be between'):
        check_frame({"x": [0, 0, 0, 40000]}, [X])
    with pytest.raises(InputError, match="which is missing"):
        check_frame({}, [X])


def test_a_mask_is_not_ignored() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = mask[2, 0] = True
    hidden: Any = np.ma.masked_array(np.zeros((3, 4), int), mask=mask)
    for values in (hidden, list(hidden)):
        with pytest.raises(InputError, match='input "x": must be a plain array, not a masked one'):
            check_inputs({"x": values}, [X])
    with pytest.raises(InputError, match=r"\(masked values: 2, the first at \[1, 2\]\)\. Put numbers there"):
        check_inputs({"x": hidden}, [X])
    with pytest.raises(InputError, match=r"\(masked values: 1, the first at \[2\]\)\."):
        check_frame({"x": hidden[1]}, [X])
    row: Any = [1, np.ma.masked]
    with pytest.raises(InputError, match="here: must be a plain array, not a masked one"):
        as_array(row, "here")


def test_an_array_with_an_empty_mask_is_as_good_as_any() -> None:
    values: Any = np.ma.masked_array(np.ones((1, 4), int))
    checked = check_inputs({"x": values}, [X])["x"]
    assert type(checked) is np.ndarray
    assert checked.tolist() == [[1, 1, 1, 1]]


def test_a_signalling_nan_causes_no_warning_of_numpy() -> None:
    frames = np.zeros((1, 4), np.float32)
    frames.view(np.uint32)[0, 1] = 0x7F800001
    with pytest.raises(InputError, match="frame 0, element 1: must be a whole number, not nan"):
        check_inputs({"x": frames}, [X])
