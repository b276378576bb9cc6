"""How a program is written and read back: enciphered with a keyring, in plain words, or as it came.

================  ======================  =========================  =====================
program           no keyring              keyring                    --noencrypt
================  ======================  =========================  =====================
ours, plain       plain                   encrypted                  plain
ours, encrypted   as it came, cannot run  as it came, can run        plain (needs its key)
foreign           as it came, cannot run  as it came, cannot run     as it came
================  ======================  =========================  =====================
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from femtodriver.errors import ProgramError, UsageError
from femtodriver.model.build_model import Built, locked
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.encryption.cipher_entry import ENTRY, is_ours
from femtodriver.program.encryption.key_registers import environment_key_index, environment_salt, key_registers
from femtodriver.program.encryption.keyring import INDEXES, Keyring
from femtodriver.program.encryption.program_cipher import decrypt_program, encrypt_program
from femtodriver.program.metadata import NOT_ENCRYPTED, ProgramInfo
from femtodriver.safe_text import shown

KEYRING = "FS_KEYRING"
AnyKeyring = Keyring | str | os.PathLike[str] | None


@dataclass(frozen=True)
class Encryption:
    """What the caller wants. ``key_index`` and ``salt`` None: not given; ``plain``: programs must not be encrypted."""

    keyring: Keyring | None = None
    key_index: int | None = None
    salt: int | None = None
    plain: bool = False

    def applied(self, built: Built) -> Built:
        """The program as it is written (``data``) and as it runs (``plain``); see the table above.

        ProgramError for an encrypted program that contradicts itself or whose key is the wrong one, UsageError for a
        key index without a keyring.
        """
        if built.description is None:
            return replace(built, registers=self._foreign_registers(built.data.info()))
        if built.data.metadata.get("encrypted") is not False or ENTRY in built.data.metadata:
            return self._opened(built)
        if self.plain or self.keyring is None:
            if self.key_index is not None and not self.plain:
                raise UsageError("key index: must come with a keyring; give its file with --keyring.")
            return replace(built, plain=built.data)
        salt = self.salt if self.salt is not None else environment_salt()
        secret = encrypt_program(built.data, self.keyring, self._key_index(self.keyring), salt)
        # What runs here is what was written, deciphered: a program that could not be read back would show at once.
        plain = decrypt_program(secret, self.keyring)
        source = replace(built.source, container=None)
        return replace(built, source=source, data=secret, plain=plain, registers=_registers(secret.info()))

    def opened(self, data: CompiledData, where: str) -> CompiledData | None:
        """An encrypted program of ours in plain words; None without its key."""
        if data.metadata.get("encrypted") is False or not is_ours(data.metadata):
            raise ProgramError(
                f"{where}: the metadata of an encrypted program for the open SPU must say encrypted: true and name our "
                "scheme; this one has been changed."
            )
        if self.keyring is None or (data.info().key_index or 0) not in self.keyring:
            return None
        try:
            return decrypt_program(data, self.keyring)
        except ProgramError as error:
            raise ProgramError(f"{where}: {error}") from None

    def _opened(self, built: Built) -> Built:
        where = built.source.where
        plain = self.opened(built.data, where)
        info = built.data.info()
        if self.plain:
            if plain is None:
                raise ProgramError(f"{locked(built.data, where)} Without it, leave out --noencrypt.")
            return replace(built, source=replace(built.source, container=None), data=plain, plain=plain)
        if self.key_index is not None and self.key_index != info.key_index:
            raise UsageError(
                f"key index: must be {info.key_index}, by which {where} is encrypted already, or not given; "
                "decipher it with --noencrypt first to change it."
            )
        return replace(built, plain=plain, registers=_registers(info))

    def _key_index(self, keyring: Keyring) -> int:
        """The one given, else that of the environment, else the first one of the keyring."""
        key_index = self.key_index if self.key_index is not None else environment_key_index()
        if key_index is None:
            return min(keyring.indexes)
        if key_index not in keyring:
            raise UsageError(
                f"key index: must be one of {keyring.where} ({', '.join(map(str, keyring.indexes))}), not {key_index}."
            )
        return key_index

    def _foreign_registers(self, info: ProgramInfo) -> tuple[int, int]:
        """Key index and salt that a board needs for a foreign program."""
        if info.encrypted is False or info.key_index == NOT_ENCRYPTED:
            return 0, 0
        return key_registers(info, True, self.key_index, self.salt)


def encryption(
    keyring: AnyKeyring = None, key_index: int | None = None, salt: int | None = None, noencrypt: bool = False
) -> Encryption:
    """What arguments and environment (``FS_KEYRING``) ask for. UsageError for an invalid index or keyring."""
    if key_index is not None and not _is_number(key_index, INDEXES):
        raise UsageError(
            f"key index: must be in 0...{INDEXES - 1}, not {shown(key_index)}; --noencrypt writes plain programs."
        )
    if salt is not None and not _is_number(salt, 1 << 64):
        raise UsageError("salt: must be a number in 0...2^64-1.")
    return Encryption(load_keyring(keyring), key_index, salt, noencrypt)


def _is_number(value: object, end: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end


def load_keyring(keyring: AnyKeyring, environment: Mapping[str, str] | None = None) -> Keyring | None:
    """The keyring: as given, from its file, from the file that ``FS_KEYRING`` names, or None."""
    if isinstance(keyring, Keyring):
        return keyring
    found = os.environ if environment is None else environment
    path = keyring if keyring is not None else found.get(KEYRING) or None
    return None if path is None else Keyring.load(path)


def _registers(info: ProgramInfo) -> tuple[int, int]:
    return info.key_index or 0, info.key_salt
