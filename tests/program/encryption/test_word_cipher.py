"""The word cipher: the vector of the documentation, and equal to a second implementation."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.program.encryption.word_cipher import WordCipher
from tests.program.encryption import slow_cipher
from tests.program.program_samples import words

KEY, LONG_KEY = bytes(range(16)), bytes(range(32))


SALT = 0x0123456789ABCDEF


def test_the_vector_of_the_documentation() -> None:
    enciphered = WordCipher(KEY, SALT).encipher(0, "DM0", words(*[0x1111222233334444] * 2))
    assert [f"{word:016x}" for word in enciphered.tolist()] == ["977332b25d82caf0", "876495ae2a02ba16"]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 15),
    st.sampled_from(sorted(slow_cipher.UIDS)),
    st.lists(st.integers(0, 2**64 - 1), max_size=5),
    st.integers(0, 8000),
)
def test_words_go_there_and_back(salt: int, core: int, bank: str, values: list[int], first: int) -> None:
    cipher = WordCipher(KEY, salt)
    enciphered = cipher.encipher(core, bank, words(*values), first)
    assert cipher.decipher(core, bank, enciphered, first).tolist() == values
    for at, value in enumerate(values[:1]):
        assert enciphered.tolist()[at] == slow_cipher.encipher(KEY, salt, core, bank, first + at, value)
