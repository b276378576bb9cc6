"""A keyring: AES keys by index, from a TOML or YAML file. Its keys are never shown, logged or written.

::

    [keys]                                       # this line may be left out
    0 = "32 hex digits: a key of 128 bits"
    7 = "64 hex digits: a key of 256 bits"
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import read_file
from femtodriver.files.plain_toml import load_toml
from femtodriver.files.plain_yaml import load_yaml

MAX_BYTES = 1 << 16
INDEXES = 32
_HEX = re.compile(r"(?:[0-9a-fA-F]{32}){1,2}")
_YAML = (".yaml", ".yml", ".json")
_log = logging.getLogger(__name__)


class Keyring:
    """Keys (16 or 32 bytes) by index 0...31; ``where`` names it in messages. UsageError for other keys."""

    def __init__(self, keys: Mapping[int, bytes], where: str = "keyring") -> None:
        self.where = where
        self._keys = {_index(index, where): _checked(key, index, where) for index, key in keys.items()}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Keyring:
        """The keyring in a file: TOML, or YAML if it ends in .yaml, .yml or .json.

        A file that others may read is named in a warning. UsageError for one that is missing or malformed; messages
        name the place, never the content.
        """
        where = os.fspath(path)
        try:
            content = read_file(path, MAX_BYTES)
        except ProgramError as error:
            raise UsageError(f"keyring: {error}") from None
        _warn_if_open(path)
        keys = {index: _from_hex(text, index, where) for index, text in _table(content, where).items()}
        return cls(keys, where)

    @property
    def indexes(self) -> tuple[int, ...]:
        """The indexes that have a key, sorted."""
        return tuple(sorted(self._keys))

    def __contains__(self, index: object) -> bool:
        return index in self._keys

    def __repr__(self) -> str:
        return f"Keyring({self.where!r}, indexes {list(self.indexes)})"

    def key(self, index: int) -> bytes:
        """The key of an index. ProgramError when there is none."""
        if index not in self._keys:
            have = ", ".join(str(number) for number in self.indexes) or "none"
            raise ProgramError(f"{self.where}: must have a key of index {index}; the indexes in it are: {have}.")
        return self._keys[index]


def _table(content: bytes, where: str) -> dict[int, object]:
    """Index -> value."""
    top = _parsed(content, where)
    if isinstance(top, Mapping) and isinstance(top.get("keys"), Mapping):
        top = top["keys"]
    if not isinstance(top, Mapping) or not top:
        raise UsageError(f"{where}: a keyring must be a table of indexes and keys, see docs/encryption.md.")
    return {_index(index, where): value for index, value in top.items()}


def _parsed(content: bytes, where: str) -> Any:
    # The messages of parsers quote the text, which here is secret: only the line is told.
    try:
        if where.lower().endswith(_YAML):
            return load_yaml(content, where)
        return load_toml(content, where, UsageError)
    except (ProgramError, UsageError) as error:
        line = re.search(r"line (\d+)", str(error))
        place = f" (line {line.group(1)})" if line else ""
        kind = "YAML" if where.lower().endswith(_YAML) else "TOML"
        raise UsageError(f"{where}: a keyring must be {kind}{place}, see docs/encryption.md.") from None


def _index(value: object, where: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,2}", text) or int(text) >= INDEXES:
        raise UsageError(f"{where}: the index of a key must be in 0...{INDEXES - 1}.")
    return int(text)


def _from_hex(text: object, index: int, where: str) -> bytes:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise UsageError(f"{where}: key {index} must be 32 or 64 hexadecimal digits in quotes.")
    return bytes.fromhex(text)


def _checked(key: bytes, index: int, where: str) -> bytes:
    if not isinstance(key, bytes) or len(key) not in (16, 32):
        raise UsageError(f"{where}: key {index} must be 16 or 32 bytes.")
    return key


def _warn_if_open(path: str | os.PathLike[str]) -> None:
    if os.name == "posix" and stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        _log.warning("%s: a keyring should be readable by its owner only; run chmod 600", os.fspath(path))
