"""Encrypted programs: images enciphered word by word, with a tag that shows a wrong key or a changed bit.

The tag travels in the spare bits of core 0's scoreboard image, so every form of a program that can be loaded carries
it: folders, archives, ``.femto``, ``0PROG_*``, the bus. docs/encryption.md has the construction and its limits.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.bank_usage import used_banks
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY
from femtodriver.program.digest import records_text, with_digest
from femtodriver.program.encryption.cipher_entry import ENTRY, is_ours
from femtodriver.program.encryption.keyring import INDEXES, Keyring
from femtodriver.program.encryption.word_cipher import SCHEME, TAG_BYTES, WordCipher
from femtodriver.program.images import MEMORIES, Memories
from femtodriver.program.memory_map import DM_BANK_WORDS, OPEN_SPU, TM_BANK_WORDS
from femtodriver.program.metadata import ProgramInfo

Banks = Mapping[tuple[int, str], Words]

_MOST_SALT = (1 << 64) - 1

# A scoreboard word: 11 bits of the program, 53 spare ones. Three words carry tag (128 bits) and word count (7 bits).
_COUNT_BITS, _SPARE_BITS = 11, 53
_TAG_WORDS = 3
_LENGTH_SHIFT = 8 * TAG_BYTES
_STRIDES = {"DM": DM_BANK_WORDS, "TM": TM_BANK_WORDS}


def encrypt_program(data: CompiledData, keyring: Keyring, key_index: int, salt: int | None = None) -> CompiledData:
    """The program with every memory word enciphered under key ``key_index`` and ``salt`` (64 bits; None: at random).

    Sizes in the metadata stay; ``encrypted``, ``encryption_key_index``, ``encryption_key_salt`` and ``encryption`` are
    set. Words beyond the used ones become zero. UsageError for an index or salt out of range; ProgramError for a key
    that the keyring lacks, and for a program that is encrypted, foreign, or not one for the open SPU's memory map.
    """
    salt = new_salt() if salt is None else salt
    if not 0 <= key_index < INDEXES:
        raise UsageError(f"encryption: the key index must be in 0...{INDEXES - 1}, not {key_index}.")
    if not 0 <= salt <= _MOST_SALT:
        raise UsageError("encryption: the salt must be in 0...2^64-1.")
    info = data.info()
    if info.encrypted or (info.encrypted is None and KEY not in data.metadata):
        raise ProgramError("encryption: the program must be one of ours that is not encrypted.")
    plain = {(core, bank.name): words for core, bank, words in used_banks(data.mems_per_core, info, OPEN_SPU)}
    _check_narrow(plain)
    cipher = WordCipher(keyring.key(key_index), salt)
    tag = _words_tag(cipher, key_index, salt, plain)
    tagged = {**plain, (0, "SB"): _with_tag(plain.get((0, "SB"), np.zeros(0, np.uint64)), tag)}
    secret = {(core, bank): cipher.encipher(core, bank, words) for (core, bank), words in tagged.items()}
    metadata = {
        **data.metadata,
        "encrypted": True,
        "encryption_key_index": key_index,
        "encryption_key_salt": salt,
        ENTRY: {"scheme": SCHEME, "records": _records_tag(cipher, tag, info, data.metadata).hex()},
    }
    images = _images(data, info, secret)
    return CompiledData(with_digest(metadata, images), images, dict(data.files))


def decrypt_program(data: CompiledData, keyring: Keyring) -> CompiledData:
    """The plain program. ProgramError for one that is not encrypted or encrypted by another tool, for a key that the
    keyring lacks or that is the wrong one, and for any bit that changed in images, sizes or I/O records."""
    info = data.info()
    if info.encrypted is False:
        raise ProgramError("encryption: the program must be encrypted to be deciphered.")
    if not is_ours(data.metadata):
        raise ProgramError(
            f"encryption: the program must have been enciphered by {SCHEME}; this one comes from another tool, and "
            "what its words mean is not known here."
        )
    key_index = info.key_index or 0
    secret = {(core, bank.name): words for core, bank, words in used_banks(data.mems_per_core, info, OPEN_SPU)}
    cipher = WordCipher(keyring.key(key_index), info.key_salt)
    plain, tag = _opened(cipher, key_index, info.key_salt, secret)
    stored = str(data.metadata[ENTRY].get("records", ""))
    if not hmac.compare_digest(_records_tag(cipher, tag, info, data.metadata).hex().encode(), stored.encode()):
        raise ProgramError(
            "encryption: the sizes and I/O records of the program must be those that it was enciphered with; the "
            "metadata has been changed."
        )
    gone = ("encryption_key_index", "encryption_key_salt", ENTRY)
    metadata = {key: value for key, value in data.metadata.items() if key not in gone}
    images = _images(data, info, plain)
    return CompiledData(with_digest({**metadata, "encrypted": False}, images), images, dict(data.files))


def new_salt() -> int:
    """A random salt, 64 bits, never zero: zero counts as not given on its way to a board."""
    return secrets.randbelow(_MOST_SALT) + 1


@dataclass(frozen=True)
class BoardCipher:
    """What a board does with an encrypted program once it is loaded and before it runs."""

    keyring: Keyring

    def decipher(self, key_index: int, salt: int, banks: Banks) -> dict[tuple[int, str], Words]:
        """Plain words of every bank.

        ``key_index`` and ``salt`` are those of the registers; ``banks``: {(core, bank name): the uint64 words that were
        written, from word 0 of the bank on}. ProgramError for a missing or wrong key, a changed bit, a word too few or
        too many.
        """
        cipher = WordCipher(self.keyring.key(key_index), salt)
        return _opened(cipher, key_index, salt, banks)[0]


def _opened(cipher: WordCipher, key_index: int, salt: int, banks: Banks) -> tuple[dict[tuple[int, str], Words], bytes]:
    """Plain words and their tag, if it is the stored one. All checks end in the same message, so that an attacker does
    not learn which of them failed."""
    tagged = {(core, bank): cipher.decipher(core, bank, words) for (core, bank), words in banks.items() if len(words)}
    found = _without_tag(tagged.pop((0, "SB"), np.zeros(0, np.uint64)))
    if found is not None:
        counts, stored = found
        plain = {**tagged, **({(0, "SB"): counts} if len(counts) else {})}
        tag = _words_tag(cipher, key_index, salt, plain)
        if hmac.compare_digest(tag, stored):
            return plain, tag
    raise ProgramError(
        f"encryption: key {key_index} and the salt must be those that the program was enciphered with, and no word may "
        "have changed, be missing or be added since; the program is not run."
    )


def _words_tag(cipher: WordCipher, key_index: int, salt: int, plain: Banks) -> bytes:
    """Tag of all words of all banks with their places."""
    used = {place: words for place, words in plain.items() if len(words)}
    order = {bank.name: number for number, bank in enumerate(OPEN_SPU.banks)}
    parts = [SCHEME.encode() + b" words\0", struct.pack("<BQH", key_index, salt, len(used))]
    for core, bank in sorted(used, key=lambda place: (place[0], order[place[1]])):
        words = used[core, bank]
        parts += [struct.pack("<BBI", core, OPEN_SPU.bank(bank).uid, len(words)), words.astype("<u8").tobytes()]
    return cipher.tag(*parts)


def _records_tag(cipher: WordCipher, words_tag: bytes, info: ProgramInfo, metadata: Mapping[str, Any]) -> bytes:
    """Tag of what the host relies on."""
    return cipher.tag(SCHEME.encode() + b" records\0", words_tag, records_text(info, metadata))


def _check_narrow(plain: Banks) -> None:
    for (core, bank), words in plain.items():
        if bank == "RQ":
            raise ProgramError(f"encryption: core {core}: the ready queue of an encrypted program must be empty.")
        if bank == "SB" and int(words.max()) >> _COUNT_BITS:
            raise ProgramError(f"encryption: core {core}: scoreboard words must have at most {_COUNT_BITS} bits.")


def _with_tag(counts: Words, tag: bytes) -> Words:
    """Scoreboard words with tag and their number in the spare bits; at least three words."""
    spare = int.from_bytes(tag, "little") | len(counts) << _LENGTH_SHIFT
    words = np.zeros(max(_TAG_WORDS, len(counts)), np.uint64)
    words[: len(counts)] = counts
    mask = (1 << _SPARE_BITS) - 1
    for number in range(_TAG_WORDS):
        words[number] |= np.uint64((spare >> (_SPARE_BITS * number) & mask) << _COUNT_BITS)
    return words


def _without_tag(words: Words) -> tuple[Words, bytes] | None:
    """(scoreboard words, tag), or None for words that ``_with_tag`` cannot have made."""
    if len(words) < _TAG_WORDS:
        return None
    spare = sum(int(word) >> _COUNT_BITS << _SPARE_BITS * number for number, word in enumerate(words[:_TAG_WORDS]))
    length = spare >> _LENGTH_SHIFT
    low = words & np.uint64((1 << _COUNT_BITS) - 1)
    if len(words) != max(_TAG_WORDS, length) or (words[_TAG_WORDS:] != low[_TAG_WORDS:]).any() or low[length:].any():
        return None
    return low[:length], (spare & ((1 << _LENGTH_SHIFT) - 1)).to_bytes(TAG_BYTES, "little")


def _images(data: CompiledData, info: ProgramInfo, banks: Banks) -> Memories:
    """Images as long as before, with the words of the banks and zeros elsewhere; SB, RQ, PB just as long as needed."""
    memories: Memories = {}
    for core in range(len(info.inst_counts)):
        memories[core] = {}
        for memory in MEMORIES:
            parts = {bank: words for (where, bank), words in banks.items() if where == core and bank[:2] == memory}
            whole = memory in ("DM", "TM", "IM")
            image = np.zeros(
                len(data.image(core, memory)) if whole else max(map(len, parts.values()), default=0), np.uint64
            )
            for bank, words in parts.items():
                start = _STRIDES.get(memory, 0) * int(bank[2:] or 0)
                image[start : start + len(words)] = words
            memories[core][memory] = [image]
    return memories
