"""The cipher ``open-spu-cipher/1``: memory words by their place, and tags. docs/encryption.md has the reasons.

A word of 64 bits goes through a Feistel network of ten rounds; the round function is one AES call, whose block names
salt, core, bank, index, round and half of the word, so every word of every build has a permutation of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, BusWords, Words
from femtodriver.errors import UsageError
from femtodriver.program.memory_map import OPEN_SPU

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

Halves = BusWords

SCHEME = "open-spu-cipher/1"
ROUNDS = 10
TAG_BYTES = 16
_WORDS_LABEL, _TAG_LABEL = b"open-spu-cipher/1 words", b"open-spu-cipher/1 tag"
# What one AES call enciphers: 16 bytes, little endian.
_BLOCK = np.dtype([("salt", "<u8"), ("index", "<u2"), ("bank", "u1"), ("core_round", "u1"), ("half", "<u4")])


class WordCipher:
    """Enciphers and deciphers words under one key (16 or 32 bytes) and one salt (64 bits), and makes tags.

    UsageError when the package ``cryptography`` is missing.
    """

    def __init__(self, key: bytes, salt: int) -> None:
        self._salt = salt
        self._words = _derived(key, _WORDS_LABEL)
        self._tags = _derived(key, _TAG_LABEL)

    def encipher(self, core: int, bank: str, words: npt.ArrayLike, first: int = 0) -> Words:
        """Words (1-D, uint64) of a bank ("DM0", "SB"...) from index ``first`` on, enciphered."""
        left, right = _halves(words)
        block = self._block(core, bank, first, len(left))
        for number in range(ROUNDS):
            left, right = right, left ^ self._round(block, core, number, right)
        return _joined(left, right)

    def decipher(self, core: int, bank: str, words: npt.ArrayLike, first: int = 0) -> Words:
        """The inverse of ``encipher``."""
        left, right = _halves(words)
        block = self._block(core, bank, first, len(left))
        for number in reversed(range(ROUNDS)):
            left, right = right ^ self._round(block, core, number, left), left
        return _joined(left, right)

    def tag(self, *parts: bytes) -> bytes:
        """AES-CMAC (16 bytes) of the parts, one after the other."""
        from cryptography.hazmat.primitives.cmac import CMAC

        mac = CMAC(self._tags)
        for part in parts:
            mac.update(part)
        return mac.finalize()

    def _block(self, core: int, bank: str, first: int, count: int) -> AnyArray:
        if not 0 <= core < OPEN_SPU.cores:
            raise UsageError(f"cipher: the core must be in 0...{OPEN_SPU.cores - 1}, not {core}.")
        block = np.zeros(count, _BLOCK)
        block["salt"] = self._salt
        block["index"] = np.arange(first, first + count)
        block["bank"] = OPEN_SPU.bank(bank).uid
        return block

    def _round(self, block: AnyArray, core: int, number: int, half: Halves) -> Halves:
        from cryptography.hazmat.primitives.ciphers import Cipher, modes

        block["core_round"] = core << 4 | number
        block["half"] = half
        # ECB: here AES is a function of single blocks, and no two blocks of a build are equal but for equal words.
        encryptor = Cipher(self._words, modes.ECB()).encryptor()
        output = encryptor.update(block.tobytes()) + encryptor.finalize()
        return np.frombuffer(output, "<u4").reshape(-1, 4)[:, 0]


def _derived(key: bytes, label: bytes) -> AES:
    """A key of the same length for one purpose: SP 800-108 in counter mode with AES-CMAC."""
    try:
        from cryptography.hazmat.primitives.ciphers import algorithms
        from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode
    except ImportError:
        raise UsageError(
            "encryption: the package cryptography must be installed; pip install 'open-femtodriver[crypto]' brings it."
        ) from None
    kdf = KBKDFCMAC(
        algorithm=algorithms.AES,
        mode=Mode.CounterMode,
        length=len(key),
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=label,
        context=b"",
        fixed=None,
    )
    return algorithms.AES(kdf.derive(key))


def _halves(words: npt.ArrayLike) -> tuple[Halves, Halves]:
    """High and low half of each word."""
    pairs = np.ascontiguousarray(words, dtype="<u8").view("<u4").reshape(-1, 2)
    return pairs[:, 1].astype("<u4"), pairs[:, 0].astype("<u4")


def _joined(high: Halves, low: Halves) -> Words:
    words: Words = high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64)
    return words
