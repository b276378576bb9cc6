"""How the metadata say that a program was enciphered here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from femtodriver.program.encryption.word_cipher import SCHEME

ENTRY = "encryption"
"""Key of the metadata: {"scheme": SCHEME, "records": tag of the I/O records, hex}."""


def is_ours(metadata: Mapping[str, Any]) -> bool:
    """Whether an encrypted program was enciphered by ``encrypt_program``."""
    entry = metadata.get(ENTRY)
    return isinstance(entry, Mapping) and entry.get("scheme") == SCHEME
