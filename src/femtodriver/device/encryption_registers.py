"""Key index and salt of a program: from arguments, metadata or the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from femtodriver.errors import UsageError
from femtodriver.program.metadata import ProgramInfo

KEY_INDEX, SALT = "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT"


def key_and_salt_of(
    info: ProgramInfo,
    encrypted: bool,
    key_index: int | None,
    salt: int | None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, int]:
    """(key index, salt) to write to the board: arguments first, then the metadata, then the environment, else 0.

    Both are 0 for a program that is not encrypted, unless they are given. UsageError for an environment variable
    that is no number.
    """
    found = os.environ if environment is None else environment
    if key_index is None and encrypted:
        key_index = info.key_index if info.key_index is not None else _number(found, KEY_INDEX, 10)
    if salt is None and encrypted:
        salt = info.key_salt or _number(found, SALT, 16)
    return key_index or 0, salt or 0


def _number(environment: Mapping[str, str], name: str, base: int) -> int:
    text = environment.get(name)
    if not text:
        return 0
    try:
        return int(text, base)
    except ValueError:
        kind = "decimal" if base == 10 else "hexadecimal"
        raise UsageError(f"{name}: must be a {kind} number, not {text!r}.") from None
