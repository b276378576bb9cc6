"""Model names as file names: any text becomes one plain name, and different texts become different names."""

from __future__ import annotations

import hashlib
import sys

from femtodriver.array_names import escaped
from femtodriver.errors import UsageError

_KEPT = frozenset("-_+=@,()[]")
_KEPT_INSIDE = frozenset(". ")
_MOST_BYTES = 120
_HEAD_BYTES = 100


def safe_name(name: str) -> str:
    """The model name as the name of a file or folder.

    Letters, digits and a few marks stay; other characters, and those that this system cannot write in file names,
    become ``%`` and two hex digits per byte, as in URLs. So do dots and spaces at either end. A longer name than 120
    bytes is cut and ends in its SHA-256. UsageError for no name.
    """
    if not name:
        raise UsageError("model name: must be at least one character, not empty.")
    last = len(name) - 1
    text = "".join(
        char if _is_kept(char, inside=0 < place < last) else escaped(char) for place, char in enumerate(name)
    )
    whole = text.encode("utf-8")
    if len(whole) <= _MOST_BYTES:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{whole[:_HEAD_BYTES].decode('utf-8', 'ignore')}%{digest}"


def _is_kept(char: str, inside: bool) -> bool:
    if char in _KEPT or (inside and char in _KEPT_INSIDE):
        return True
    return char.isalnum() and (char.isascii() or _can_be_written(char))


def _can_be_written(char: str) -> bool:
    try:
        char.encode(sys.getfilesystemencoding())
    except UnicodeEncodeError:
        return False
    return True
