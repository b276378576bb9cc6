"""Files of samples that grow frame by frame: WAV, and NumPy's ``.npy``. Their headers are completed at the end."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.files.file_access import shown_path
from femtodriver.files.growing_file import GrowingFile
from femtodriver.inputs.wav_header import FLOAT, PCM
from femtodriver.output.pcm_encoder import PcmEncoder

# Sizes in a RIFF header have 32 bits.
MOST_RIFF_BYTES = (1 << 32) - 1
_DS64_BYTES = 28
_MOST_HEADER = 128
_NPY_HEADER = 128


class WavWriter:
    """A mono WAV file of what an encoder makes; RF64 where it has more than 4 GiB.

    ``rate_hz``: samples per second, which the header can hold as a whole number only. ``samples``: how many will come
    at most, None where nobody knows. ProgramError where it cannot be written, UsageError for a rate that no header can
    hold.
    """

    def __init__(self, path: Path, encoder: PcmEncoder, rate_hz: float, samples: int | None) -> None:
        # RF64 needs room for longer sizes; the usual header of 44 bytes has none, but every program understands it.
        self._may_be_long = samples is None or samples * encoder.form.block > MOST_RIFF_BYTES - _MOST_HEADER
        self._rate = round(rate_hz)
        if not 0 < self._rate < 1 << 32:
            raise UsageError(f"{shown_path(path)}: the rate must be from 1 to {(1 << 32) - 1} Hz, not {rate_hz:g}.")
        self._encoder = encoder
        self._file = GrowingFile(path)
        self._file.write(self._header(0))
        self._start, self._data = self._file.size, 0

    def write(self, rows: Int64Array) -> None:
        """Append the samples of these frames."""
        self._file.write(self._encoder.encode(rows))

    def finish(self) -> None:
        """Complete the file, which is not in its place yet. May be called twice."""
        if self._file.is_finished:
            return
        self._data = self._file.size - self._start
        if self._data % 2:
            self._file.write(b"\0")
        self._file.write_at(0, self._header(self._data))
        self._file.finish()

    def keep(self) -> str:
        """Complete the file and put it into its place; gives what it holds in words."""
        self.finish()
        self._file.keep()
        form = self._encoder.form
        kind = "float samples" if form.is_float else "samples"
        return f"{self._data // form.block:,} {kind} of {form.bits} bits at {self._rate} Hz"

    def drop(self) -> None:
        """Remove the unfinished file."""
        self._file.drop()

    def _header(self, data: int) -> bytes:
        """The header of so many bytes of samples; its length is always the same."""
        form = self._encoder.form
        samples = data // form.block
        rest = _chunk(b"fmt ", self._form())
        if form.is_float:
            rest += _chunk(b"fact", struct.pack("<I", min(samples, MOST_RIFF_BYTES)))
        room = _chunk(b"JUNK", bytes(_DS64_BYTES)) if self._may_be_long else b""
        whole = 4 + len(room) + len(rest) + 8 + data + data % 2
        if whole <= MOST_RIFF_BYTES:
            return b"RIFF" + struct.pack("<I", whole) + b"WAVE" + room + rest + b"data" + struct.pack("<I", data)
        sizes = _chunk(b"ds64", struct.pack("<QQQI", whole, data, samples, 0))
        beyond = struct.pack("<I", MOST_RIFF_BYTES)
        return b"RF64" + beyond + b"WAVE" + sizes + rest + b"data" + beyond

    def _form(self) -> bytes:
        form = self._encoder.form
        tag = FLOAT if form.is_float else PCM
        per_second = self._rate * form.block & 0xFFFFFFFF
        return struct.pack("<HHIIHH", tag, 1, self._rate, per_second, form.block, form.bits)


class NpyWriter:
    """A ``.npy`` of integers as they are, shape (frames, width), in the narrowest type that holds ``bits``."""

    def __init__(self, path: Path, width: int, bits: int) -> None:
        self._type = np.dtype("<i1" if bits <= 8 else "<i2" if bits <= 16 else "<i4" if bits <= 32 else "<i8")
        self._width, self._frames = width, 0
        self._file = GrowingFile(path)
        self._file.write(self._header())

    def write(self, rows: Int64Array) -> None:
        """Append these frames."""
        self._frames += len(rows)
        self._file.write(rows.astype(self._type).tobytes())

    def finish(self) -> None:
        """Complete the file, which is not in its place yet. May be called twice."""
        if not self._file.is_finished:
            self._file.write_at(0, self._header())
            self._file.finish()

    def keep(self) -> str:
        """Complete the file and put it into its place; gives what it holds in words."""
        self.finish()
        self._file.keep()
        return f"{self._frames:,} frames of {self._width} value{'' if self._width == 1 else 's'}, {self._type.name}"

    def drop(self) -> None:
        """Remove the unfinished file."""
        self._file.drop()

    def _header(self) -> bytes:
        """Of version 1.0, padded so that its length does not depend on the number of frames."""
        facts = {"descr": self._type.str, "fortran_order": False, "shape": (self._frames, self._width)}
        text = repr(facts).ljust(_NPY_HEADER - 11) + "\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("ascii")


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body
