"""The samples of a WAV file, read as far as they are asked for. docs/inputs.md says how they are converted."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.inputs.stored_array import Readable, StoredArray, read_elements
from femtodriver.inputs.wav_header import WavHeader, read_header


def wav_samples(file: Readable, size: int, where: str, channel: int | None = None) -> tuple[StoredArray, WavHeader]:
    """The samples of an open WAV file of ``size`` bytes, and what its header says.

    ``channel``: which channel, from 1; None for a mono file.

    PCM samples are signed integers of the file's width in the narrowest type that holds them: unsigned 8-bit samples
    minus 128, and 24 bits in 32. Float samples keep their type. InputError as ``read_header``.
    """
    header = read_header(file, size, where, channel)
    notes = (f"{where}: the last sample is cut off and not used",) if header.left_over else ()
    if header.channels > 1:
        notes = (*notes, f"{where}: channel {header.channel + 1} of {header.channels} is used")
    return StoredArray((header.count,), _type(header), partial(_read, file, where, header), notes), header


def _type(header: WavHeader) -> np.dtype[Any]:
    if header.is_float:
        return np.dtype(f"f{header.block}")
    return np.dtype(np.int16 if header.block <= 2 else np.int32)


def _read(file: Readable, where: str, header: WavHeader, first: int, last: int) -> AnyArray:
    """Samples first to last - 1 of the channel that is used."""
    start, count = header.start + first * header.block * header.channels, (last - first) * header.channels
    stored = read_elements(file, where, start, count * header.block, np.uint8)
    return pcm_samples(stored, header.block, header.is_float, header.order)[header.channel :: header.channels]


def pcm_samples(content: AnyArray, block: int, is_float: bool = False, order: str = "<") -> AnyArray:
    """The samples that stand in these bytes (uint8), each of ``block`` of them: float, or signed integers."""
    if is_float:
        return content.view(f"{order}f{block}")
    if block == 3:
        return _from_24_bits(content, order)
    if block == 1:
        signed: AnyArray = content.astype(np.int16) - np.int16(128)
        return signed
    return content.view(f"{order}i{block}")


def _from_24_bits(content: AnyArray, order: str) -> AnyArray:
    """Samples of three bytes each as int32: put into the upper bytes of four, and shifted down with their sign."""
    words = np.zeros((len(content) // 3, 4), np.uint8)
    words[:, slice(1, 4) if order == "<" else slice(0, 3)] = content.reshape(-1, 3)
    samples: AnyArray = words.reshape(-1).view(f"{order}i4") >> 8
    return samples
