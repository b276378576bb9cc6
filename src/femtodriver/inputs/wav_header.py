"""The header of a WAV file: where its samples are, how many there are, and what one looks like.

It understands RIFF, its big-endian form RIFX, and RF64 (also called BW64), whose sizes have 64 bits. A program that
writes into a pipe cannot go back and fill in the sizes: it leaves 0 or a number near 2^31 or 2^32. Then the samples
reach to the end of the file. Any other size must be correct, or the file was cut off.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from femtodriver.errors import InputError
from femtodriver.inputs.file_signatures import ENOUGH, kind_of_file
from femtodriver.inputs.stored_array import Readable
from femtodriver.safe_text import quote

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
MOST_CHUNKS = 1000

_FORMS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}
_LONG_FORMS = (b"RF64", b"BW64")
# What follows a format tag in the GUID of an extensible header.
_GUID = (0, 0x0010, bytes.fromhex("800000aa00389b71"))
_OTHER_FORMATS = {2: "MS ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 85: "MP3"}
_CONVERT = "Convert the file: ffmpeg -i in.wav -c:a pcm_s16le out.wav"
# Sizes of writers into pipes: sox 0x7FFFF000, arecord 0x7FFFFFFF, ffmpeg 0xFFFFFFFF; others subtract a header.
_NEAR = 8192
_FORMAT_BYTES = 40


@dataclass(frozen=True)
class WavHeader:
    """``start``: the first byte of the samples; ``count``: how many of one channel; ``block``: bytes of one.

    ``is_float``; ``order``: ``<`` or ``>``; ``rate``: Hz, 0 where the file does not say; ``streamed``: the file does
    not say where the samples end; ``left_over``: bytes after the last whole sample of such a file. ``channels``: how
    many samples of one point in time stand side by side; ``channel``: which of them is used, from 0.
    """

    start: int
    count: int
    block: int
    is_float: bool
    order: str
    rate: int
    streamed: bool = False
    left_over: int = 0
    channels: int = 1
    channel: int = 0


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int
    size: int


def read_header(file: Readable, size: int, where: str, channel: int | None = None) -> WavHeader:
    """The header of a WAV file of ``size`` bytes. ``channel``: which one is used, from 1; None for a mono file.

    Raises InputError for a file that is no WAV file, is damaged or cut off, has several channels of which none was
    chosen, or does not have the chosen one, or whose samples are not PCM of 8 to 32 bits or float of 32 or 64 bits.
    """
    order, riff_size, chunks = _chunks(file, size, where)
    for wanted in (b"fmt ", b"data"):
        if wanted not in chunks:
            raise InputError(f"{where}: must have a chunk {wanted.decode()!r}, which is missing. The file is damaged.")
    form = chunks[b"fmt "]
    file.seek(form.start)
    rate, channels, block, is_float = _format(file.read(min(form.size, _FORMAT_BYTES)), order, where)
    _check_channel(channels, channel, where)
    data = chunks[b"data"]
    streamed = _is_streamed(data, riff_size, size)
    length = size - data.start if streamed else data.size
    whole = block * channels
    if length < whole or (length % whole and not streamed):
        raise InputError(
            f"{where}: the samples must be a positive number of blocks of {whole} bytes, not {length} bytes. "
            "The file is empty or damaged."
        )
    return WavHeader(
        data.start,
        length // whole,
        block,
        is_float,
        order,
        rate,
        streamed,
        length % whole,
        channels,
        (channel or 1) - 1,
    )


def _chunks(file: Readable, size: int, where: str) -> tuple[str, int, dict[bytes, _Chunk]]:
    """Byte order, the size of the whole according to the header, and the chunks up to the samples by name."""
    file.seek(0)
    head = file.read(ENOUGH)
    if head[:4] not in _FORMS or head[8:12] != b"WAVE":
        raise InputError(f"{where}: must be a WAV file, not {kind_of_file(head)}.")
    order = _FORMS[head[:4]]
    found: dict[bytes, _Chunk] = {}
    place = 12
    for _ in range(MOST_CHUNKS):
        if place + 8 > size or {b"fmt ", b"data"} <= set(found):
            return order, struct.unpack_from(f"{order}I", head, 4)[0], found
        file.seek(place)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        chunk = _Chunk(name, place + 8, length)
        if name == b"data" and head[:4] in _LONG_FORMS and length == 0xFFFFFFFF:
            chunk = _Chunk(name, place + 8, _long_size(file, found, where))
        found.setdefault(name, chunk)
        place = chunk.start + chunk.size + chunk.size % 2
        _check_inside(chunk, size, where)
    raise InputError(f"{where}: must have its samples among its first {MOST_CHUNKS} chunks. The file is damaged.")


def _check_inside(chunk: _Chunk, size: int, where: str) -> None:
    left = size - chunk.start
    if chunk.size > left and not (chunk.name == b"data" and _is_placeholder(chunk.size)):
        raise InputError(
            f"{where}: chunk {quote(chunk.name.decode('latin-1'))} must have {chunk.size} bytes, not {left}. "
            "The file is cut off."
        )


def _long_size(file: Readable, found: dict[bytes, _Chunk], where: str) -> int:
    """The size of the samples according to the chunk ``ds64`` of a long file."""
    chunk = found.get(b"ds64")
    if chunk is None or chunk.size < 24:
        raise InputError(f"{where}: an RF64 file must have a chunk 'ds64' before its samples. The file is damaged.")
    file.seek(chunk.start + 8)
    (size,) = struct.unpack("<Q", file.read(8))
    return size if size < 1 << 63 else 0xFFFFFFFF


def _is_placeholder(size: int) -> bool:
    """Whether a size is what a writer leaves that never learned the true one."""
    return size == 0 or abs(size - (1 << 31)) <= _NEAR or 0 <= (1 << 32) - size <= _NEAR


def _is_streamed(data: _Chunk, riff_size: int, size: int) -> bool:
    """Whether the samples reach to the end of the file because the header does not know their number."""
    if data.size == 0:
        # Samples may really be missing: then the size of the whole includes what follows.
        return _is_placeholder(riff_size) or 8 + riff_size <= data.start
    return data.start + data.size > size


def _check_channel(channels: int, chosen: int | None, where: str) -> None:
    if chosen is None and channels != 1:
        raise InputError(
            f"{where}: the file must be mono, not of {channels} channels. "
            f"Choose one of them with --channel (1 to {channels}), or mix them: ffmpeg -i in.wav -ac 1 out.wav"
        )
    if chosen is not None and chosen > channels:
        raise InputError(f"{where}: channel: must be one of the file's, from 1 to {channels}, not {chosen}.")


def _format(body: bytes, order: str, where: str) -> tuple[int, int, int, bool]:
    """Sample rate, channels, bytes of a sample of one of them, and whether samples are float."""
    if len(body) < 16:
        raise InputError(f"{where}: chunk 'fmt ' must have at least 16 bytes, not {len(body)}. The file is damaged.")
    tag, channels, rate, _, block, bits = struct.unpack_from(f"{order}HHIIHH", body)
    if tag == EXTENSIBLE and len(body) >= _FORMAT_BYTES:
        inner, *guid = struct.unpack_from(f"{order}IHH8s", body, 24)
        tag = inner if tuple(guid) == _GUID else tag
    if tag not in (PCM, FLOAT):
        name = _OTHER_FORMATS.get(tag, "unknown")
        raise InputError(f"{where}: samples must be PCM or float, not format {tag} ({name}). {_CONVERT}")
    if not channels:
        raise InputError(f"{where}: the file must have a channel, not 0. The file is damaged.")
    # Samples of 20 bits are in 3 bytes, at their upper end; a file may give 20 or 24 as their bits.
    if block != channels * ((bits + 7) // 8) or not (8 <= bits <= 32 if tag == PCM else bits in (32, 64)):
        wanted = "PCM samples must have 8 to 32 bits" if tag == PCM else "float samples must have 32 or 64 bits"
        raise InputError(
            f"{where}: {wanted} without unused bytes, not {bits} bits in blocks of {block} bytes. {_CONVERT}"
        )
    return rate, channels, block // channels, tag == FLOAT
