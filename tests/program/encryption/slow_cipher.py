"""The cipher of docs/encryption.md a second time, made from that page, one word at a time."""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

UIDS = {**{f"DM{k}": 4 * k for k in range(8)}, **{f"TM{k}": 0x20 + 4 * k for k in range(4)}}
UIDS.update(SB=0x40, RQ=0x50, PB=0x60, IM=0x30)
ORDER = [*(f"DM{k}" for k in range(8)), *(f"TM{k}" for k in range(4)), "SB", "RQ", "PB", "IM"]


def cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def derived(key: bytes, label: bytes) -> bytes:
    """SP 800-108, counter mode: CMAC(key, counter, label, zero byte, length in bits)."""
    output = b""
    for counter in range(1, len(key) // 16 + 1):
        output += cmac(key, struct.pack(">I", counter) + label + b"\0" + struct.pack(">I", 8 * len(key)))
    return output


def encipher(key: bytes, salt: int, core: int, bank: str, index: int, word: int) -> int:
    aes = Cipher(algorithms.AES(derived(key, b"open-spu-cipher/1 words")), modes.ECB())
    left, right = word >> 32, word & 0xFFFFFFFF
    for number in range(10):
        encryptor = aes.encryptor()
        block = struct.pack("<QHBBI", salt, index, UIDS[bank], core * 16 + number, right)
        output = encryptor.update(block) + encryptor.finalize()
        left, right = right, left ^ int.from_bytes(output[:4], "little")
    return left << 32 | right


def words_tag(key: bytes, index: int, salt: int, banks: dict[tuple[int, str], list[int]]) -> bytes:
    message = b"open-spu-cipher/1 words\0" + struct.pack("<BQH", index, salt, len(banks))
    for core, bank in sorted(banks, key=lambda place: (place[0], ORDER.index(place[1]))):
        words = banks[core, bank]
        message += struct.pack("<BBI", core, UIDS[bank], len(words)) + struct.pack(f"<{len(words)}Q", *words)
    return cmac(derived(key, b"open-spu-cipher/1 tag"), message)


def tagged(counts: list[int], tag: bytes) -> list[int]:
    number = int.from_bytes(tag, "little") + (len(counts) << 128)
    words = counts + [0] * (3 - len(counts))
    for place in range(3):
        words[place] |= (number >> 53 * place & (1 << 53) - 1) << 11
    return words


def encrypted(
    key: bytes, index: int, salt: int, banks: dict[tuple[int, str], list[int]]
) -> dict[tuple[int, str], list[int]]:
    """Words of every bank that holds some, as they are loaded."""
    tag = words_tag(key, index, salt, banks)
    whole = {**banks, (0, "SB"): tagged(list(banks.get((0, "SB"), [])), tag)}
    return {
        (core, bank): [encipher(key, salt, core, bank, at, word) for at, word in enumerate(words)]
        for (core, bank), words in whole.items()
    }
