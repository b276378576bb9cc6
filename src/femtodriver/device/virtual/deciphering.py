"""Keys in the virtual board: encrypted programs become plain ones when the first message comes."""

from __future__ import annotations

from femtodriver.device.virtual.program_engine import Decipher, Loaded
from femtodriver.errors import ProgramError
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.program.encryption.program_cipher import BoardCipher
from femtodriver.program.encryption.word_cipher import WordCipher


def decipherer(keyring: Keyring | None) -> Decipher:
    """What deciphers with these keys; without any, encrypted programs are refused.

    UsageError where the package `cryptography` is not installed.
    """
    if keyring is None:
        return _refuse
    WordCipher(bytes(16), 0)  # better now than when the first message comes
    cipher = BoardCipher(keyring)

    def decipher(loaded: Loaded) -> Loaded:
        banks = cipher.decipher(loaded.key_index, loaded.salt, loaded.banks)
        return Loaded(loaded.key_index, loaded.salt, True, banks)

    return decipher


def _refuse(loaded: Loaded) -> Loaded:
    raise ProgramError(
        f"the program is encrypted with key {loaded.key_index}, and this board has no keys; start it with --keyring."
    )
