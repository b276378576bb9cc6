"""Key index and salt for a board: arguments, then the metadata, then the environment, then 0."""

from __future__ import annotations

import pytest

from femtodriver.errors import UsageError
from femtodriver.program.encryption.key_registers import environment_key_index, environment_salt, key_registers
from femtodriver.program.metadata import ProgramInfo

PLAIN = ProgramInfo({}, {}, {0: 1}, (), ())
STORED = ProgramInfo({}, {}, {0: 1}, (), (), encrypted=True, key_index=7, key_salt=0xAB)
SET = {"FS_ENCRYPTION_KEY_IDX": "9", "FS_ENCRYPTION_SALT": "ff"}


@pytest.mark.parametrize(
    ("info", "encrypted", "given", "environment", "registers"),
    [
        (PLAIN, True, (None, None), {}, (0, 0)),
        (PLAIN, True, (None, None), SET, (9, 0xFF)),
        (PLAIN, False, (None, None), SET, (0, 0)),
        (PLAIN, False, (3, 4), SET, (3, 4)),
        (STORED, True, (None, None), SET, (7, 0xAB)),
        (STORED, True, (0, 0), SET, (0, 0)),
        (STORED, False, (None, None), SET, (0, 0)),
    ],
)
def test_who_is_asked_first(
    info: ProgramInfo,
    encrypted: bool,
    given: tuple[int | None, int | None],
    environment: dict[str, str],
    registers: tuple[int, int],
) -> None:
    assert key_registers(info, encrypted, *given, environment=environment) == registers


@pytest.mark.parametrize(("text", "number"), [("", None), (" ", None), ("0", 0), ("31", 31)])
def test_key_index_of_the_environment(text: str, number: int | None) -> None:
    assert environment_key_index({"FS_ENCRYPTION_KEY_IDX": text}) == number


@pytest.mark.parametrize("text", ["32", "-1", "x", "1.0", "9" * 5000])
def test_a_key_index_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"FS_ENCRYPTION_KEY_IDX: must be a decimal number in 0\.\.\.31, not "
    ) as caught:
        environment_key_index({"FS_ENCRYPTION_KEY_IDX": text})
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(("text", "number"), [("", None), ("0", 0), ("f" * 16, 2**64 - 1), ("0x10", 16)])
def test_salt_of_the_environment(text: str, number: int | None) -> None:
    assert environment_salt({"FS_ENCRYPTION_SALT": text}) == number


@pytest.mark.parametrize("text", ["1" + "0" * 16, "-1", "xyz"])
def test_a_salt_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"FS_ENCRYPTION_SALT: must be a hexadecimal number below 2\^64, not "):
        environment_salt({"FS_ENCRYPTION_SALT": text})
