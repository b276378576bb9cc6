"""Arrays that NumPy saved: read as far as they are asked for, and refused in words of our own."""

from __future__ import annotations

import contextlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError
from femtodriver.inputs import npy_file
from femtodriver.inputs.npy_file import npy_array, npz_arrays
from femtodriver.inputs.stored_array import StoredArray


def saved(array: AnyArray, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(content: bytes) -> StoredArray:
    return npy_array(io.BytesIO(content), len(content), "a.npy")


def npz(content: bytes) -> dict[str, StoredArray]:
    return npz_arrays(io.BytesIO(content), len(content), "a.npz")


def whole(content: bytes, archive: bool) -> list[AnyArray]:
    return [array.whole() for array in (npz(content).values() if archive else [npy(content)])]


def refusal(content: bytes, archive: bool = False) -> str:
    """What is said of a file, when it is opened or when its elements are read."""
    with pytest.raises(InputError) as caught:
        whole(content, archive)
    assert str(caught.value).startswith("a.npz: " if archive else "a.npy: ")
    assert "pickle=True" not in str(caught.value)
    assert "unsafe" not in str(caught.value)
    return str(caught.value)


dtypes = st.sampled_from(["i1", "u1", "<i2", ">i2", "u4", "i8", "f2", "f4", ">f8", "?", "c8", "S3"])
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@given(dtypes, shapes, st.booleans(), st.sampled_from([(1, 0), (2, 0)]), st.data())
def test_every_array_comes_back_whole_and_in_parts(
    dtype: str, shape: tuple[int, ...], by_columns: bool, version: tuple[int, int], data: st.DataObject
) -> None:
    size = int(np.prod(shape, dtype=int))
    array = np.arange(size).astype(dtype).reshape(shape, order="F" if by_columns else "C")
    for found in (npy(saved(array, version)), npz(zipped({"x.npy": saved(array, version)}))["x"]):
        assert (found.shape, found.dtype) == (array.shape, array.dtype)
        assert np.array_equal(found.whole(), array)
        first, last = sorted((data.draw(st.integers(0, size)), data.draw(st.integers(0, size))))
        assert np.array_equal(found.read(first, last), array.ravel()[first:last])


def test_parts_of_an_archive_can_be_read_in_any_order() -> None:
    arrays = {"x": np.arange(1000), "y": np.arange(1000) * 3}
    found = npz(zipped({f"{name}.npy": saved(array) for name, array in arrays.items()}))
    for first in (900, 0, 500, 501, 100):
        for name, array in arrays.items():
            assert found[name].read(first, first + 7).tolist() == array[first : first + 7].tolist()


class Trap:
    """Pickles to something that would leave a mark when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_objects_and_pickles_are_never_loaded(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    stream = io.BytesIO()
    np.save(stream, np.array([Trap(mark)], dtype=object), allow_pickle=True)
    assert "not Python objects, which are never loaded. Save the numbers themselves." in refusal(stream.getvalue())
    assert "not Python objects" in refusal(zipped({"x.npy": stream.getvalue()}), archive=True)
    for archive in (False, True):
        assert refusal(pickle.dumps(Trap(mark)), archive).endswith("not a Python pickle.")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an array of plain numbers that numpy.save wrote, not an empty file."),
        (b'{"a": 1}', "must be an array of plain numbers that numpy.save wrote, not text."),
        (zipped({"x.npy": saved(np.zeros(3))}), "not an archive of NumPy arrays (.npz)."),
        (saved(np.zeros(100))[:200], "must have 800 bytes of numbers, not 72. The file is cut off."),
        (saved(np.zeros(3))[:20], "but its header is damaged"),
        (saved(np.zeros(3, [("a", "i4"), ("b", "i4")])), "not [('a', '<i4'), ('b', '<i4')]."),
        (saved(np.zeros(3, "S0")).replace(b"|S1", b"|S0"), "not |S0."),
        (b"\x93NUMPY\x03\x00" + saved(np.zeros(3))[8:], "but its header is damaged or of a later version."),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 20_000, "but its header is damaged or of a later version."),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000, "but its header is damaged or of a later version."),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"-" * 9_999 + b"1", "but its header is damaged or of a later version."),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"9" * 10_000, "but its header is damaged or of a later version."),
    ],
)
def test_a_file_that_is_no_array_is_refused(content: bytes, message: str) -> None:
    assert message in refusal(content)


@pytest.mark.parametrize(
    "claim", [b"(2, 10000000000000000000)", b"(99999999999, 16)", b"(3, 16)", b"(2, 2 ** 9)", b"(-1, 16)"]
)
def test_a_header_that_promises_the_moon_is_refused(claim: bytes) -> None:
    content = saved(np.zeros((2, 16), np.int8))
    honest = b"(2, 16), }" + b" " * (len(claim) - 7)
    assert honest in content
    text = refusal(content.replace(honest, claim + b", }"))
    assert "its header is damaged" in text or "The file is cut off" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an archive of arrays of plain numbers that numpy.savez wrote, not an empty file."),
        (saved(np.zeros(3)), "not a NumPy array (.npy)."),
        (b"hello", "not text."),
        (zipped({"x.npy": saved(np.zeros(100))})[:100], "must be an undamaged archive of arrays"),
        (zipped({"x.npy": saved(np.zeros(100))[:200]}), 'a.npz: "x.npy": must have 800 bytes of numbers, not 72.'),
        (zipped({"notes.txt": b"hello"}), 'not one with a member "notes.txt".'),
        (
            zipped({"x.npy": b"hello"}),
            'a.npz: "x.npy": must be an array of plain numbers that numpy.save wrote, not te',
        ),
        (zipped({"\x1b.npy": b"hello"}), 'a.npz: "\\u001b.npy": must be an array'),
        (
            zipped({"x.npy": saved(np.zeros(3))}, zipfile.ZIP_BZIP2),
            "not one that is encrypted or packed in",
        ),
        (zipped({f"{name}.npy": b"" for name in range(1001)}), "must have at most 1000 arrays, not 1001."),
    ],
)
def test_a_file_that_is_no_archive_of_arrays_is_refused(content: bytes, message: str) -> None:
    assert message in refusal(content, archive=True)


def test_a_damaged_member_is_noticed_by_its_checksum() -> None:
    content = bytearray(zipped({"x.npy": saved(np.arange(100))}, zipfile.ZIP_STORED))
    content[400] ^= 1
    assert 'a.npz: "x.npy": must be an undamaged archive of arrays' in refusal(bytes(content), archive=True)


def test_two_arrays_of_one_name_are_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", saved(np.zeros(1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", saved(np.ones(1)))
    assert 'must have one array of each name, not two of "x.npy".' in refusal(stream.getvalue(), archive=True)


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({"x.npy": saved(np.zeros(100_000))})
    assert len(content) < 10_000
    monkeypatch.setattr(npy_file, "MOST_BYTES", 500_000)
    assert "must unpack to at most 500000 bytes, not 800128" in refusal(content, archive=True)


def test_a_directory_of_millions_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the archive must not be opened")

    content = bytearray(zipped({"x.npy": saved(np.zeros(3))}))
    content[-10:-6] = (100 << 20).to_bytes(4, "little")
    monkeypatch.setattr(zipfile, "ZipFile", never)
    assert "must have at most 1000 arrays, not more." in refusal(bytes(content), archive=True)


def test_an_array_stored_by_columns_is_read_whole_so_it_must_be_small(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(np.asfortranarray(np.zeros((100, 100))))
    monkeypatch.setattr(npy_file, "MOST_BYTES", 1000)
    assert "must be stored row by row (C order) if it has more than 1000 bytes." in refusal(content)


def test_what_follows_an_array_is_told() -> None:
    content = saved(np.zeros(3))
    assert npy(content).notes == ()
    twice = npy(content + content)
    assert twice.notes == (f"a.npy: the file goes on after the array; {len(content)} bytes are not used",)
    assert twice.whole().tolist() == [0, 0, 0]


@pytest.mark.slow
@settings(max_examples=500)
@given(
    edits=st.lists(st.tuples(st.integers(0, 127), st.integers(0, 255)), min_size=1, max_size=3), packed=st.booleans()
)
def test_a_damaged_header_is_read_or_refused_and_nothing_else(edits: list[tuple[int, int]], packed: bool) -> None:
    content = bytearray(saved(np.arange(8, dtype=np.int16).reshape(2, 4)))
    for place, value in edits:
        content[place] = value
    with contextlib.suppress(InputError):
        whole(zipped({"x.npy": bytes(content)}) if packed else bytes(content), packed)


@pytest.mark.slow
@settings(max_examples=500)
@given(edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_archive_is_read_or_refused_and_nothing_else(edits: list[tuple[int, int]]) -> None:
    content = bytearray(zipped({"x.npy": saved(np.arange(8)), "y.npy": saved(np.arange(4))}))
    for place, value in edits:
        content[place % len(content)] = value
    with contextlib.suppress(InputError):
        whole(bytes(content), archive=True)
