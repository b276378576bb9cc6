"""Reading WAV files: mono, PCM of 8 to 32 bits or float. What is converted, and how, is told in docs/inputs.md.

We read the chunks ourselves: the standard library's ``wave`` knows neither float nor, before Python 3.12, the
extensible format, which is what most recorders write for 24 bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
# Tail of the GUID that marks a format tag inside an extensible header.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_OTHER_FORMATS = {2: "MS ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 85: "MP3"}
FLOAT_BITS = 16


@dataclass(frozen=True)
class _Format:
    tag: int
    channels: int
    rate: int
    block: int
    bits: int


def read_wav(path: str | Path) -> tuple[Int64Array, int, int]:
    """Samples (1-D, int64), their width in bits, and the sample rate in Hz, which is reported but not judged.

    PCM samples keep their width; unsigned 8-bit samples become signed (minus 128). Float samples become 16-bit: times
    2^15, rounded half up, saturated. Raises InputError for a file that cannot be read, is damaged or cut off, is not
    mono, or has another sample format.
    """
    where = str(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{where}: the file cannot be read: {error.strerror}.") from None
    chunks = _chunks(where, content)
    for wanted in (b"fmt ", b"data"):
        if wanted not in chunks:
            raise InputError(f"{where}: must have a chunk {wanted.decode()!r}, which is missing. The file is damaged.")
    form = _format(where, chunks[b"fmt "])
    data = chunks[b"data"]
    if not data or len(data) % form.block:
        raise InputError(
            f"{where}: the samples must be a positive number of blocks of {form.block} bytes, not {len(data)} bytes. "
            "The file is empty or damaged."
        )
    if form.tag == FLOAT:
        return _from_float(where, data, form.bits), FLOAT_BITS, form.rate
    return _from_pcm(data, form.bits), form.bits, form.rate


def rescale(samples: Int64Array, from_bits: int, to_bits: int) -> Int64Array:
    """Samples of one width as samples of another: arithmetic shift, so that full scale stays full scale."""
    left = samples << np.int64(max(0, to_bits - from_bits))
    result: Int64Array = left >> np.int64(max(0, from_bits - to_bits))
    return result


def _chunks(where: str, content: bytes) -> dict[bytes, bytes]:
    """The chunks up to the samples, by name."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise InputError(f"{where}: must be a RIFF WAVE file, not a file that starts with {content[:12]!r}.")
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(content) and not {b"fmt ", b"data"} <= set(found):
        name, size = struct.unpack_from("<4sI", content, place)
        body = content[place + 8 : place + 8 + size]
        if len(body) < size:
            raise InputError(
                f"{where}: chunk {name.decode('ascii', 'replace')!r} must have {size} bytes, not {len(body)}. "
                "The file is cut off."
            )
        found.setdefault(name, body)
        place += 8 + size + size % 2
    return found


def _format(where: str, body: bytes) -> _Format:
    if len(body) < 16:
        raise InputError(f"{where}: chunk 'fmt ' must have at least 16 bytes, not {len(body)}. The file is damaged.")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if tag == EXTENSIBLE and len(body) >= 40 and body[26:40] == _GUID_TAIL:
        (tag,) = struct.unpack_from("<H", body, 24)
    if tag not in (PCM, FLOAT):
        name = _OTHER_FORMATS.get(tag, "unknown")
        raise InputError(
            f"{where}: samples must be PCM or float, not format {tag} ({name}). "
            "Convert the file: ffmpeg -i in.wav -c:a pcm_s16le out.wav"
        )
    if channels != 1:
        raise InputError(
            f"{where}: the file must be mono, not of {channels} channels. "
            "Mix them or choose one first: ffmpeg -i in.wav -ac 1 out.wav (or sox in.wav out.wav remix 1)."
        )
    known = (8, 16, 24, 32) if tag == PCM else (32, 64)
    if bits not in known or block != bits // 8:
        kind = "PCM" if tag == PCM else "float"
        raise InputError(
            f"{where}: {kind} samples must have {', '.join(map(str, known))} bits without gaps, not {bits} bits "
            f"in blocks of {block} bytes. Convert the file: ffmpeg -i in.wav -c:a pcm_s16le out.wav"
        )
    return _Format(tag, channels, rate, block, bits)


def _from_pcm(data: bytes, bits: int) -> Int64Array:
    if bits == 8:
        return np.frombuffer(data, np.uint8).astype(np.int64) - 128
    if bits == 24:
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int64)
        unsigned = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return (unsigned ^ (1 << 23)) - (1 << 23)
    return np.frombuffer(data, f"<i{bits // 8}").astype(np.int64)


def _from_float(where: str, data: bytes, bits: int) -> Int64Array:
    values = np.frombuffer(data, f"<f{bits // 8}").astype(np.float64)
    odd = np.flatnonzero(~np.isfinite(values))
    if odd.size:
        raise InputError(f"{where}: sample {odd[0]} must be a finite number, not {values[odd[0]]}.")
    full = float(1 << (FLOAT_BITS - 1))
    scaled = np.floor(np.clip(values, -1.0, 1.0) * full + 0.5)
    return np.minimum(scaled, full - 1).astype(np.int64)
