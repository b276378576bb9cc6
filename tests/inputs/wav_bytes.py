"""WAV files of every form, byte by byte."""

from __future__ import annotations

import struct

import numpy as np

GUID_TAIL = bytes.fromhex("800000aa00389b71")
RATE = 16000
RAMP = list(range(-40, 40))


def chunk(name: bytes, body: bytes, *, size: int | None = None, order: str = "<") -> bytes:
    """A chunk whose size is true unless it is given."""
    told = len(body) if size is None else size
    return name + struct.pack(f"{order}I", told) + body + b"\0" * (len(body) % 2)


def fmt(
    bits: int,
    *,
    tag: int = 1,
    channels: int = 1,
    block: int | None = None,
    extensible: bool = False,
    valid: int | None = None,
    rate: int = RATE,
    order: str = "<",
) -> bytes:
    """A chunk ``fmt ``; ``valid``: the bits that an extensible header says are used."""
    block = channels * ((bits + 7) // 8) if block is None else block
    head = struct.pack(
        f"{order}HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * block % 2**32, block, bits
    )
    if extensible:
        used = bits if valid is None else valid
        head += struct.pack(f"{order}HHIIHH", 22, used, 0, tag, 0, 0x10) + GUID_TAIL
    return chunk(b"fmt ", head, order=order)


def riff(*chunks: bytes, magic: bytes = b"RIFF", size: int | None = None) -> bytes:
    """A whole file; ``size``: what it tells instead of its own."""
    body = b"WAVE" + b"".join(chunks)
    order = ">" if magic == b"RIFX" else "<"
    return magic + struct.pack(f"{order}I", len(body) if size is None else size) + body


def ds64(size: int) -> bytes:
    """The chunk of 64-bit sizes of an RF64 file whose samples take ``size`` bytes."""
    return chunk(b"ds64", struct.pack("<QQQI", size + 72, size, size // 2, 0))


def pcm(values: list[int], bits: int = 16, order: str = "<") -> bytes:
    """Signed samples of 16, 24 or 32 bits."""
    return b"".join(value.to_bytes(bits // 8, "little" if order == "<" else "big", signed=True) for value in values)


def simple(values: list[int], rate: int = RATE) -> bytes:
    """The usual file: RIFF, 16 bits."""
    return riff(fmt(16, rate=rate), chunk(b"data", pcm(values)))


def real(values: list[float], bits: int = 32) -> bytes:
    """A file of float samples."""
    return riff(fmt(bits, tag=3), chunk(b"data", np.array(values, f"<f{bits // 8}").tobytes()))
