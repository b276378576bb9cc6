"""Names of arrays in ``.npz`` archives: any text becomes a name that an archive can hold, and comes back from it.

The members of an archive are files, so a name must not be taken for a path, and NumPy strips the ending ``.npy``.
Names of networks are arbitrary text. Code that writes arrays by name uses ``escape_name``; code that looks for an array
escapes the name, or turns what it found back with ``unescape_name``.
"""

from __future__ import annotations

import hashlib
import re

MOST_CHARACTERS = 10_000
_FORBIDDEN = frozenset('/\\:*?"<>|')
_ENDING = ".npy"
_MISTAKABLE = re.compile("%(?=[0-9A-F]{2})")
_ESCAPES = re.compile("(?:%[0-9A-F]{2})+")


def escape_name(name: str) -> str:
    """The name as a member of an archive; different names stay different.

    Ordinary names stay as they are, ``%x.4`` among them. As in URLs, ``%`` and two capital hexadecimal digits stand for
    a byte of UTF-8: slashes and other marks that mean something in paths, characters that cannot be printed, the first
    dot of ``.``, ``..`` and a last ``.npy``, and a ``%`` that such digits follow. A text of more than 10,000 characters
    is cut there and ends in ``%~`` and the SHA-256 of the name: an archive cannot hold more.
    """
    text = "".join(
        escaped(char) if char in _FORBIDDEN or not char.isprintable() else char for char in _MISTAKABLE.sub("%25", name)
    )
    if text in (".", ".."):
        text = escaped(".") + text[1:]
    if text.endswith(_ENDING):
        text = text[: -len(_ENDING)] + escaped(".") + _ENDING[1:]
    if len(text) <= MOST_CHARACTERS:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:MOST_CHARACTERS]}%~{digest}"


def unescape_name(text: str) -> str:
    """The name of which ``escape_name`` made this text; a text that was cut, or is of another origin, as it is."""
    if len(text) > MOST_CHARACTERS:
        return text
    try:
        name = _ESCAPES.sub(_unescaped, text)
    except UnicodeDecodeError:
        return text
    return name if escape_name(name) == text else text


def escaped(char: str) -> str:
    """The bytes of a character in UTF-8, as in URLs: ``%`` and two capital hexadecimal digits each."""
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found.group().replace("%", "")).decode("utf-8", "surrogatepass")
