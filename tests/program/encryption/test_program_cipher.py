"""Encrypted programs: equal to a second implementation, whole again with the key, refused after any change."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.bank_usage import used_banks
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_apb_files
from femtodriver.program.bus.write_recordings import apb_files
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.program.encryption.program_cipher import BoardCipher, decrypt_program, encrypt_program
from femtodriver.program.memory_map import OPEN_SPU
from tests.program.encryption import slow_cipher
from tests.program.program_samples import golden_program, programs, rich_program, words

KEY, LONG_KEY = bytes(range(16)), bytes(range(32))


KEYRING = Keyring({0: KEY, 31: LONG_KEY})


SALT = 0x0123456789ABCDEF


Banks = dict[tuple[int, str], np.ndarray]


def sample() -> CompiledData:
    """Two cores, every kind of memory, not encrypted."""
    data = rich_program(second_bank=False)
    data.mems_per_core[1]["RQ"] = [np.zeros(0, np.uint64)]
    return data


def banks_of(data: CompiledData) -> Banks:
    return {(core, bank.name): image for core, bank, image in used_banks(data.mems_per_core, data.info(), OPEN_SPU)}


def same(first: Banks, second: Banks) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[place], second[place]) for place in first)


@pytest.mark.parametrize("index", [0, 31])
def test_programs_equal_those_of_the_second_implementation(index: int) -> None:
    data = sample()
    plain = {place: image.tolist() for place, image in banks_of(data).items()}
    wanted = slow_cipher.encrypted(KEYRING.key(index), index, SALT, plain)
    found = banks_of(encrypt_program(data, KEYRING, index, SALT))
    assert {place: image.tolist() for place, image in found.items()} == wanted


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(programs(), st.sampled_from([0, 31]), st.integers(0, 2**64 - 1))
def test_with_the_key_the_program_is_whole_again(data: CompiledData, index: int, salt: int) -> None:
    for memories in data.mems_per_core.values():
        memories["RQ"] = [np.zeros(0, np.uint64)]
    secret = encrypt_program(data, KEYRING, index, salt)
    again = decrypt_program(secret, KEYRING)
    assert again.metadata == data.metadata
    assert same(banks_of(again), banks_of(data))
    for core, memories in data.mems_per_core.items():
        for memory in memories:
            assert len(again.image(core, memory)) == len(data.image(core, memory))


def test_sizes_and_records_stay() -> None:
    data = sample()
    secret = encrypt_program(data, KEYRING, 31, SALT)
    added = {"encrypted", "encryption_key_index", "encryption_key_salt", "encryption"}
    assert {key: value for key, value in secret.metadata.items() if key not in added} == {
        key: value for key, value in data.metadata.items() if key != "encrypted"
    }
    assert (secret.metadata["encrypted"], secret.metadata["encryption_key_index"]) == (True, 31)
    assert secret.metadata["encryption_key_salt"] == SALT
    assert data.metadata["encrypted"] is False  # the caller's program is not touched
    assert CompiledData.read_from_zip(secret.to_zip_bytes()).metadata == secret.metadata


def test_no_plain_word_is_left_and_equal_words_differ() -> None:
    data = sample()
    for memories in data.mems_per_core.values():
        for groups in memories.values():
            groups[0] = np.full(len(groups[0]), 5, np.uint64)
    secret = encrypt_program(data, KEYRING, 0, SALT)
    found = np.concatenate(list(banks_of(secret).values()))
    assert len(set(found.tolist())) == len(found)
    everything = [
        image for memories in secret.mems_per_core.values() for groups in memories.values() for image in groups
    ]
    assert not any((image == 5).any() for image in everything)  # also not in words that are never sent
    assert np.mean([bin(word).count("1") for word in found.tolist()]) == pytest.approx(32, abs=2)


def test_narrow_memories_carry_whole_words() -> None:
    secret = encrypt_program(sample(), KEYRING, 0, SALT)
    for memory in ("TM", "SB", "PB"):
        assert int(secret.image(0, memory).max()).bit_length() > 56


def test_every_build_has_its_own_salt() -> None:
    first, second = (encrypt_program(sample(), KEYRING, 0) for _ in range(2))
    assert first.metadata["encryption_key_salt"] != second.metadata["encryption_key_salt"] != 0
    for place, image in banks_of(first).items():
        assert not (image == banks_of(second)[place]).any()


@pytest.mark.parametrize("threads", [0, 1, 2, 3, 4, 62, 63, 64])
def test_every_number_of_threads_has_room_for_the_tag(threads: int) -> None:
    data = sample()
    data.mems_per_core[0]["SB"] = [np.arange(1, threads + 1, dtype=np.uint64) * np.uint64(31)]
    data.mems_per_core[0]["PB"] = [np.arange(threads, dtype=np.uint64)]
    secret = encrypt_program(data, KEYRING, 0, SALT)
    assert len(secret.image(0, "SB")) == max(3, threads)
    assert np.array_equal(decrypt_program(secret, KEYRING).image(0, "SB"), data.image(0, "SB"))


def refused(secret: CompiledData, keyring: Keyring = KEYRING, sentence: str = "must be those that") -> None:
    with pytest.raises(ProgramError, match=sentence):
        decrypt_program(secret, keyring)


def board(secret: CompiledData) -> tuple[int, int, Banks]:
    """What a board is told."""
    return secret.metadata["encryption_key_index"], secret.metadata["encryption_key_salt"], banks_of(secret)


def test_every_flipped_bit_of_a_small_program_is_detected() -> None:
    data = golden_program(encrypted=False)
    data.mems_per_core[0]["SB"] = [words(3)]
    data.mems_per_core[0]["PB"] = [words(0)]
    secret = encrypt_program(data, KEYRING, 0, SALT)
    flipped = 0
    for memory, groups in secret.mems_per_core[0].items():
        for at in range(len(groups[0])):
            for bit in range(64):
                groups[0][at] ^= np.uint64(1 << bit)
                refused(secret)
                groups[0][at] ^= np.uint64(1 << bit)
                flipped += 1
        assert memory in ("TM", "RQ") or len(groups[0])
    assert flipped == 64 * (1 + 3 + 1 + 1)
    decrypt_program(secret, KEYRING)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_bits_of_a_larger_program_are_detected(data: st.DataObject) -> None:
    index, salt, banks = board(encrypt_program(sample(), KEYRING, 31, SALT))
    place = data.draw(st.sampled_from(sorted(banks)))
    banks[place] = banks[place].copy()
    for _ in range(data.draw(st.integers(1, 3))):
        at, bit = data.draw(st.integers(0, len(banks[place]) - 1)), data.draw(st.integers(0, 63))
        banks[place][at] = banks[place][at] ^ np.uint64(1 << bit)
    if not same(banks, board(encrypt_program(sample(), KEYRING, 31, SALT))[2]):
        with pytest.raises(ProgramError, match="the program is not run"):
            BoardCipher(KEYRING).decipher(index, salt, banks)


def without_last(banks: Banks, place: tuple[int, str]) -> None:
    banks[place] = banks[place][:-1]


def one_more(banks: Banks, place: tuple[int, str]) -> None:
    banks[place] = np.append(banks[place], np.uint64(7))


def swap(banks: Banks, first: tuple[int, str], second: tuple[int, str]) -> None:
    banks[first], banks[second] = banks[second], banks[first]


CHANGES: dict[str, Callable[[Banks], Any]] = {
    **{
        f"last word of {bank} missing": partial(without_last, place=(0, bank))
        for bank in ("DM0", "TM0", "SB", "PB", "IM")
    },
    **{f"a word more in {bank}": partial(one_more, place=(0, bank)) for bank in ("DM0", "TM0", "SB", "PB", "IM")},
    "a bank missing": lambda banks: banks.pop((0, "TM0")),
    "the scoreboard missing": lambda banks: banks.pop((0, "SB")),
    "a core missing": lambda banks: [banks.pop(place) for place in list(banks) if place[0] == 1],
    "a bank more": lambda banks: banks.update({(1, "DM3"): words(1)}),
    "cores swapped": lambda banks: swap(banks, (0, "IM"), (1, "IM")),
    "banks swapped": lambda banks: swap(banks, (0, "DM0"), (0, "IM")),
    "two words swapped": lambda banks: banks.update({(0, "IM"): banks[0, "IM"][[1, 0, *range(2, 40)]]}),
    "nothing there": lambda banks: banks.clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_words_that_are_missing_added_or_moved_are_detected(change: str) -> None:
    index, salt, banks = board(encrypt_program(sample(), KEYRING, 0, SALT))
    plain = BoardCipher(KEYRING).decipher(index, salt, banks)
    assert same(plain, banks_of(sample()))
    CHANGES[change](banks)
    with pytest.raises(ProgramError, match="the program is not run"):
        BoardCipher(KEYRING).decipher(index, salt, banks)


def test_wrong_keys_salts_and_indexes_are_detected() -> None:
    secret = encrypt_program(sample(), KEYRING, 0, SALT)
    for other in (bytes([1, *range(1, 16)]), LONG_KEY, bytes(16)):
        refused(secret, Keyring({0: other}))
    refused(secret, Keyring({5: KEY}), "must have a key of index 0; the indexes in it are: 5")
    index, salt, banks = board(secret)
    for bit in range(64):
        with pytest.raises(ProgramError, match="the program is not run"):
            BoardCipher(KEYRING).decipher(index, salt ^ 1 << bit, banks)
    with pytest.raises(ProgramError, match="the program is not run"):
        BoardCipher(Keyring({0: KEY, 1: KEY})).decipher(1, salt, banks)


def renamed(metadata: dict[str, Any]) -> None:
    metadata["inputs"] = {{"a": "b", "b": "a"}[name]: record for name, record in metadata["inputs"].items()}


RECORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "entry pc": lambda metadata: metadata["inputs"]["a"].update(pc_val=8),
    "core": lambda metadata: metadata["inputs"]["a"].update(core=1),
    "mailbox": lambda metadata: metadata["outputs"]["q"].update(mailbox_id=5),
    "precision": lambda metadata: metadata["outputs"]["q"].update(precision="STD"),
    "length": lambda metadata: metadata["outputs"]["q"].update(len_64b_words=2),
    "usable": lambda metadata: metadata["fqir_input_padding"]["a"].update(fqir=6),
    "names": renamed,
    "order": lambda metadata: metadata.update(inputs=dict(reversed(metadata["inputs"].items()))),
    "part": lambda metadata: metadata["femtodriver"].update(part="spu001x4"),
    "tag": lambda metadata: metadata["encryption"].update(records="00" * 16),
    "no tag": lambda metadata: metadata["encryption"].pop("records"),
}


@pytest.mark.parametrize("change", RECORDS)
def test_changed_records_are_detected(change: str) -> None:
    data = sample()
    data.metadata["femtodriver"]["part"] = "spu001"
    secret = encrypt_program(data, KEYRING, 0, SALT)
    decrypt_program(secret, KEYRING)
    RECORDS[change](secret.metadata)
    refused(secret, sentence="the metadata has been changed")


@pytest.mark.parametrize("change", ["data_bank_sizes", "table_bank_sizes", "inst_counts"])
def test_changed_sizes_are_detected(change: str) -> None:
    secret = encrypt_program(sample(), KEYRING, 0, SALT)
    sizes = secret.metadata[change]
    sizes[1 if change == "inst_counts" else 0] = 8 if change == "inst_counts" else {0: 4}
    refused(secret)


def test_what_a_board_gets_over_the_bus_is_enough() -> None:
    data = encrypt_program(sample(), KEYRING, 31, SALT)
    addresses, values = apb_files(load_sequence(data))
    registers, banks = {}, {}
    for record in read_apb_files(addresses.encode(), values.encode()):
        if record.start_addr < 0x100000:
            registers.update({record.start_addr + 4 * at: value for at, value in enumerate(record.vals)})
            continue
        core, bank, offset = OPEN_SPU.locate(record.start_addr)
        assert offset == 0
        banks[core, bank.name] = np.array(record.vals, "<u4").view("<u8")
    salt = sum(registers[0x28 - 4 * part] << 16 * part for part in range(4))
    assert (registers[0x18], salt) == (31, SALT)
    assert same(BoardCipher(KEYRING).decipher(31, salt, banks), banks_of(sample()))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"encrypted": True}, "must be one of ours that is not encrypted"),
        ({"encrypted": None}, "must be one of ours that is not encrypted"),
    ],
)
def test_only_plain_programs_of_ours_are_enciphered(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        encrypt_program(golden_program(**changes), KEYRING, 0)


def test_programs_that_cannot_be_encrypted_are_refused() -> None:
    with pytest.raises(ProgramError, match="core 1: the ready queue of an encrypted program must be empty"):
        encrypt_program(rich_program(second_bank=False), KEYRING, 0)
    wide = sample()
    wide.mems_per_core[0]["SB"] = [words(1 << 11)]
    with pytest.raises(ProgramError, match="core 0: scoreboard words must have at most 11 bits"):
        encrypt_program(wide, KEYRING, 0)
    with pytest.raises(ProgramError, match="must have a key of index 3"):
        encrypt_program(sample(), KEYRING, 3)
    for index in (-1, 32):
        with pytest.raises(UsageError, match=r"the key index must be in 0\.\.\.31"):
            encrypt_program(sample(), KEYRING, index)
    for salt in (-1, 1 << 64):
        with pytest.raises(UsageError, match="the salt must be in"):
            encrypt_program(sample(), KEYRING, 0, salt)


def test_programs_of_others_are_never_deciphered() -> None:
    with pytest.raises(ProgramError, match="this one comes from another tool"):
        decrypt_program(golden_program(encrypted=True, encryption_key_index=0), KEYRING)
    with pytest.raises(ProgramError, match="must be encrypted to be deciphered"):
        decrypt_program(sample(), KEYRING)


def test_without_the_package_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    with pytest.raises(UsageError, match=r"pip install 'open-femtodriver\[crypto\]' brings it"):
        encrypt_program(sample(), KEYRING, 0)


def test_a_board_cipher_shows_no_key() -> None:
    cipher = BoardCipher(KEYRING)
    assert repr(cipher) == "BoardCipher(keyring=Keyring('keyring', indexes [0, 31]))"
    assert repr(replace(cipher)) == repr(cipher)
