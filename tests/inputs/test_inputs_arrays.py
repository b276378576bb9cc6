"""Arrays as inputs: files, checks, and every sentence that a user may meet."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver.errors import InputError
from femtodriver.inputs import InputSpec, check_inputs, read_array
from femtodriver.inputs import array_inputs as arrays_module

X = InputSpec("x", 4, 16)
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


def at(frame: int, element: int, value: Any, dtype: str = "f8") -> np.ndarray:
    array = np.zeros((5, 4), dtype)
    array[frame, element] = value
    return array


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1], "inputs: must be a mapping from input name to array, not list."),
        ({}, "inputs: must have an array for 'x', which is missing. Inputs: x (4 x 16 bits)."),
        (
            {"x": [[0] * 4], "z": 1},
            "inputs: must be inputs of the network, not 'z'. Inputs: x (4 x 16 bits).",
        ),
        ({"x": [0] * 4}, "input 'x': must have the shape (frames, 4), not (4,)."),
        ({"x": 7}, "input 'x': must have the shape (frames, 4), not ()."),
        ({"x": [[0] * 5]}, "input 'x': must have the shape (frames, 4), not (1, 5)."),
        ({"x": [[[0] * 4]]}, "input 'x': must have the shape (frames, 4), not (1, 1, 4)."),
        ({"x": np.zeros((0, 4), int)}, "input 'x': must have at least one frame, not 0."),
        ({"x": [[0], [0, 1]]}, "input 'x': must be an array of numbers with rows of equal length: "),
        ({"x": np.zeros((1, 4), bool)}, "input 'x': must hold integers, not bool."),
        ({"x": np.zeros((1, 4), complex)}, "input 'x': must hold integers, not complex128."),
        ({"x": np.array([["a"] * 4])}, "input 'x': must hold integers, not <U1."),
        ({"x": np.array([[None] * 4])}, "input 'x': must hold integers, not object."),
        (
            {"x": at(3, 1, 0.5)},
            "input 'x': frame 3, element 1: must be a whole number, not 0.5. Scale and round the input.",
        ),
        ({"x": at(0, 0, np.nan)}, "input 'x': frame 0, element 0: must be a whole number, not nan."),
        ({"x": at(4, 3, -np.inf)}, "input 'x': frame 4, element 3: must be a whole number, not -inf."),
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
    with pytest.raises(InputError, match="input 'y': must have as many frames as 'x', 3, not 2"):
        check_inputs({"x": np.zeros((3, 4), int), "y": np.zeros((2, 2), int)}, [X, Y])


def test_an_object_that_makes_no_array_is_refused() -> None:
    class Odd:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise RuntimeError("cannot be turned into an array")

    with pytest.raises(InputError, match=r"input 'x': must be an array of numbers .*: cannot be turned into an array"):
        check_inputs({"x": Odd()}, [X])


def test_a_network_without_inputs() -> None:
    assert check_inputs({}, []) == {}
    with pytest.raises(InputError, match=r"not 'x'\. Inputs: none"):
        check_inputs({"x": [[1]]}, [])


def test_npy_and_npz_are_read(tmp_path: Path) -> None:
    array = np.arange(6).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array, y=array + 1)
    np.savez_compressed(tmp_path / "b.NPZ.npz", x=array)
    assert np.array_equal(read_array(tmp_path / "a.npy"), array)
    found = read_array(str(tmp_path / "a.npz"))
    assert isinstance(found, dict)
    assert list(found) == ["x", "y"]
    assert np.array_equal(found["y"], array + 1)
    assert np.array_equal(read_array(tmp_path / "b.NPZ.npz")["x"], array)


class Trap:
    """Pickles to something that would leave a mark when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_objects_and_pickles_are_never_loaded(tmp_path: Path, suffix: str) -> None:
    mark = tmp_path / "mark"
    objects = np.array([Trap(mark)], dtype=object)
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        if suffix == ".npy":
            np.save(file, objects, allow_pickle=True)
        else:
            np.savez(file, x=objects)
    with pytest.raises(InputError, match="of plain numbers, which cannot be read: "):
        read_array(path)
    path.write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(InputError, match="which cannot be read: "):
        read_array(path)
    assert not mark.exists()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"", "a.npy: must be an array (numpy.save) of plain numbers, which cannot be read: No data left"),
        ("a.npy", b"hello", "a.npy: must be an array (numpy.save) of plain numbers, which cannot be read: "),
        ("a.npy", saved(np.zeros(100))[:200], "which cannot be read: "),
        ("a.npy", zipped({"x.npy": saved(np.zeros(3))}), "must be an array (numpy.save), not something else under"),
        (
            "a.npz",
            b"",
            "a.npz: must be an archive of arrays (numpy.savez) of plain numbers, which cannot be read: File",
        ),
        ("a.npz", saved(np.zeros(3)), "which cannot be read: File is not a zip file"),
        ("a.npz", zipped({"x.npy": saved(np.zeros(100))})[:100], "which cannot be read: "),
        ("a.npz", zipped({"x.npy": saved(np.zeros(100))[:200]}), "which cannot be read: "),
        ("a.npz", zipped({"notes.txt": b"hello"}), "not something else under that name"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_array(tmp_path / name)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", ["none.npy", "none.npz"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="which cannot be read: No such file or directory"):
        read_array(tmp_path / name)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(zipped({"x.npy": saved(np.zeros(100_000))}))
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(arrays_module, "MOST_BYTES", 500_000)
    with pytest.raises(InputError, match="must unpack to at most 500000 bytes, not 800128"):
        read_array(path)


@pytest.mark.parametrize("claim", [b"(2, 10000000000000000000)", b"(99999999999, 16)", b"(3, 16)", b"(2, 2 ** 9)"])
def test_a_header_that_promises_the_moon_is_refused(tmp_path: Path, claim: bytes) -> None:
    content = saved(np.zeros((2, 16), np.int8))
    honest = b"(2, 16), }" + b" " * (len(claim) - 7)
    assert honest in content
    (tmp_path / "a.npy").write_bytes(content.replace(honest, claim + b", }"))
    with pytest.raises(InputError, match="which cannot be read"):
        read_array(tmp_path / "a.npy")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    edits=st.lists(st.tuples(st.integers(0, 127), st.integers(0, 255)), min_size=1, max_size=3), packed=st.booleans()
)
def test_a_damaged_header_is_read_or_refused_and_nothing_else(
    tmp_path: Path, edits: list[tuple[int, int]], packed: bool
) -> None:
    content = bytearray(saved(np.arange(8, dtype=np.int16).reshape(2, 4)))
    for place, value in edits:
        content[place] = value
    path = tmp_path / ("a.npz" if packed else "a.npy")
    path.write_bytes(zipped({"x.npy": bytes(content)}) if packed else bytes(content))
    try:
        found = read_array(path)
        array = found["x"] if isinstance(found, dict) else found
        check_inputs({"x": array}, [X])
    except InputError:
        pass
