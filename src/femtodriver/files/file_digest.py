"""What identifies the content of a file: its SHA-256."""

from __future__ import annotations

import hashlib

from femtodriver.errors import FemtoError
from femtodriver.files.file_access import AnyPath, open_file

_BLOCK = 1 << 20


def file_digest(path: AnyPath, max_bytes: int, error: type[FemtoError]) -> tuple[int, str]:
    """The number of bytes of a file, and their SHA-256 in hex. ``error`` as for ``file_access.read_file``."""
    digest, size = hashlib.sha256(), 0
    with open_file(path, max_bytes, error) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()
