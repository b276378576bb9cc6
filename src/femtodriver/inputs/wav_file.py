"""The samples of a WAV file, read as far as they are asked for. docs/inputs.md says how they are converted."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.inputs.stored_array import Readable, StoredArray, read_elements
from femtodriver.inputs.wav_header import WavHeader, read_header


def wav_samples(file: Readable, size: int, where: str) -> tuple[StoredArray, WavHeader]:
    """The samples of an open WAV file of ``size`` bytes, and what its header says.

    PCM samples are signed integers of the file's width in the narrowest type that holds them: unsigned 8-bit samples
    minus 128, and 24 bits in 32. Float samples keep their type. InputError as ``read_header``.
    """
    header = read_header(file, size, where)
    notes = (f"{where}: the last sample is cut off and not used",) if header.left_over else ()
    return StoredArray((header.count,), _type(header), partial(_read, file, where, header), notes), header


def _type(header: WavHeader) -> np.dtype[Any]:
    if header.is_float:
        return np.dtype(f"f{header.block}")
    return np.dtype(np.int16 if header.block <= 2 else np.int32)


def _read(file: Readable, where: str, header: WavHeader, first: int, last: int) -> AnyArray:
    start = header.start + first * header.block
    if header.is_float:
        return read_elements(file, where, start, last - first, f"{header.order}f{header.block}")
    if header.block == 3:
        return _from_24_bits(read_elements(file, where, start, 3 * (last - first), np.uint8), header.order)
    if header.block == 1:
        signed: AnyArray = read_elements(file, where, start, last - first, np.uint8).astype(np.int16) - np.int16(128)
        return signed
    return read_elements(file, where, start, last - first, f"{header.order}i{header.block}")


def _from_24_bits(content: AnyArray, order: str) -> AnyArray:
    """Samples of three bytes each as int32: put into the upper bytes of four, and shifted down with their sign."""
    words = np.zeros((len(content) // 3, 4), np.uint8)
    words[:, slice(1, 4) if order == "<" else slice(0, 3)] = content.reshape(-1, 3)
    samples: AnyArray = words.reshape(-1).view(f"{order}i4") >> 8
    return samples
