"""Key index and salt for the registers of a board: as given, of the program, or of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from femtodriver.errors import UsageError
from femtodriver.program.encryption.keyring import INDEXES
from femtodriver.program.metadata import ProgramInfo

KEY_INDEX, SALT = "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT"


def key_registers(
    info: ProgramInfo,
    encrypted: bool,
    key_index: int | None = None,
    salt: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, int]:
    """(key index, salt) to write to the board: arguments first, then the metadata, then the environment, else 0.

    Both are 0 for a program that is not encrypted, unless they are given. UsageError for an environment variable
    that is no number in range.
    """
    if encrypted and key_index is None:
        key_index = info.key_index if info.key_index is not None else environment_key_index(environment)
    if encrypted and salt is None:
        salt = info.key_salt or environment_salt(environment)
    return key_index or 0, salt or 0


def environment_key_index(environment: Mapping[str, str] | None = None) -> int | None:
    """The key index in ``FS_ENCRYPTION_KEY_IDX``; None where it is not set. UsageError for anything else."""
    return _number(environment, KEY_INDEX, 10, INDEXES, f"a decimal number in 0...{INDEXES - 1}")


def environment_salt(environment: Mapping[str, str] | None = None) -> int | None:
    """The salt in ``FS_ENCRYPTION_SALT``; None where it is not set. UsageError for anything else."""
    return _number(environment, SALT, 16, 1 << 64, "a hexadecimal number below 2^64")


def _number(environment: Mapping[str, str] | None, name: str, base: int, end: int, wanted: str) -> int | None:
    text = (os.environ if environment is None else environment).get(name, "").strip()
    if not text:
        return None
    try:
        value = int(text, base)
    except ValueError:
        value = -1
    if not 0 <= value < end:
        raise UsageError(f"{name}: must be {wanted}, not {text!r:.60}.")
    return value
