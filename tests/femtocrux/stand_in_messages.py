"""The messages of the compiler service as bytes, written from its description: enough of protobuf's wire format."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

SERVICE = "fscompiler.Compile"
Field = tuple[int, "int | float | bytes | str"]


def encode(fields: Iterable[Field]) -> bytes:
    """Fields (number, value): whole numbers as varints, floats as fixed32, the rest with its length."""
    return b"".join(_encoded(number, value) for number, value in fields)


def decode(data: bytes) -> dict[int, list[int | float | bytes]]:
    """The values of each field, in order."""
    found: dict[int, list[int | float | bytes]] = {}
    for number, value in _decoded(data):
        found.setdefault(number, []).append(value)
    return found


def part(fields: Mapping[int, list[int | float | bytes]], number: int) -> bytes:
    """The bytes in a field, b"" if it is not there."""
    value = fields.get(number, [b""])[-1]
    assert isinstance(value, bytes)
    return value


def status(success: bool, text: str = "") -> bytes:
    return encode([(1, int(success)), (2, text)])


def array_bytes(array: npt.NDArray[np.generic]) -> bytes:
    shape = b"".join(_varint(size) for size in array.shape)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return encode([(1, little.tobytes(order="C")), (2, shape), (3, array.dtype.name)])


def array_of(data: bytes) -> npt.NDArray[np.generic]:
    fields = decode(data)
    shape, place, packed = [], 0, part(fields, 2)
    while place < len(packed):
        size, place = _read_varint(packed, place)
        shape.append(size)
    kind = np.dtype(part(fields, 3).decode()).newbyteorder("<")
    return np.frombuffer(part(fields, 1), kind).reshape(shape)


def arrays_bytes(arrays: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    """A map from text to array: an entry (key 1, value 2) in field 1 for each."""
    return encode((1, encode([(1, name), (2, array_bytes(rows))])) for name, rows in arrays.items())


def arrays_of(data: bytes) -> dict[str, npt.NDArray[np.generic]]:
    found = {}
    for entry in decode(data).get(1, []):
        assert isinstance(entry, bytes)
        fields = decode(entry)
        found[part(fields, 1).decode()] = array_of(part(fields, 2))
    return found


def _encoded(number: int, value: int | float | bytes | str) -> bytes:
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _decoded(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    place = 0
    while place < len(data):
        key, place = _read_varint(data, place)
        kind = key & 7
        if kind == 0:
            number, place = _read_varint(data, place)
            yield key >> 3, number
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            yield key >> 3, struct.unpack("<d" if kind == 1 else "<f", data[place : place + size])[0]
            place += size
        else:
            size, place = _read_varint(data, place)
            yield key >> 3, data[place : place + size]
            place += size


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
