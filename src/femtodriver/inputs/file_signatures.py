"""What a file is, whatever its name says: by its first bytes, in words for messages."""

from __future__ import annotations

import re

from femtodriver.program.femto.layout_a import MAGIC as LAYOUT_A
from femtodriver.program.femto.layout_b import MAGIC as LAYOUT_B

ENOUGH = 128
"""So many bytes from the start of a file are needed."""

SAVED_BY_TORCH = "a network or model that torch.save wrote (.pt)"
SAVED_ARRAYS = "an archive of NumPy arrays (.npz)"
_STARTS = (
    (LAYOUT_A, "a compiled program (.femto)"),
    (LAYOUT_B, "a compiled program (.femto)"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"PK\x03\x04", "a zip archive (.npz, .pt or .zip)"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"fqir ", "a network (.fqir)"),
    (b"fLaC", "FLAC audio"),
    (b"OggS", "Ogg audio"),
    (b"ID3", "MP3 audio"),
    (b"\xff\xfb", "MP3 audio"),
    (b"FORM", "AIFF audio"),
    (b".snd", "AU audio"),
    (b"riff\x2e\x91\xcf\x11", "Wave64 audio"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x80", "a Python pickle"),
    (b"\x7fELF", "a program"),
)
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


def kind_of_file(head: bytes) -> str:
    """The kind of file that begins with these bytes, as the end of "must be ..., not"."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return "a WAV file" if head[8:12] == b"WAVE" else "another RIFF file"
    if not head:
        return "an empty file"
    if head.startswith(b"PK\x03\x04"):  # the name of the first member follows the 30 bytes of its header
        named = head[30:]
        if b"/data.pkl" in named:
            return SAVED_BY_TORCH
        if b".npy" in named:
            return SAVED_ARRAYS
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    return "text" if _TEXT.fullmatch(head) else "something else"
