"""Keyrings: what they accept, and that neither messages nor objects show a key."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.encryption.keyring import Keyring

SHORT, LONG = "00112233445566778899aabbccddeeff", "F0" * 32


def keyring(folder: Path, text: str, name: str = "keys.toml", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys.toml", f'0 = "{SHORT}"\n31 = "{LONG}"\n'),
        ("keys", f'[keys]\n"0" = "{SHORT}"\n31 = "{LONG}"\n'),
        ("keys.yaml", f'0: "{SHORT}"\n31: "{LONG}"\n'),
        ("keys.yml", f"keys:\n  0: '{SHORT}'\n  '31': {LONG}\n"),
        ("keys.json", f'{{"keys": {{"0": "{SHORT}", "31": "{LONG}"}}}}'),
    ],
)
def test_every_form_of_a_keyring(tmp_path: Path, name: str, text: str) -> None:
    found = Keyring.load(keyring(tmp_path, text, name))
    assert found.indexes == (0, 31)
    assert (found.key(0), found.key(31)) == (bytes.fromhex(SHORT), bytes.fromhex(LONG))
    assert (0 in found, 1 in found) == (True, False)
    with pytest.raises(ProgramError, match="must have a key of index 4; the indexes in it are: 0, 31"):
        found.key(4)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("k.toml", f'0 = "{SHORT}', "must be TOML"),
        ("k.toml", f"0 = {SHORT}", "must be TOML"),
        ("k.toml", f'x = 1\n0 = "{SHORT}" "{SHORT}"', r"must be TOML \(line 2\)"),
        ("k.toml", "", "must be a table of indexes and keys"),
        ("k.toml", "keys = 3", r"the index of a key must be in 0\.\.\.31"),
        ("k.toml", f'32 = "{SHORT}"', r"the index of a key must be in 0\.\.\.31"),
        ("k.toml", f'{SHORT} = "x"', r"the index of a key must be in 0\.\.\.31"),
        ("k.toml", f'1 = "{SHORT}0"', "key 1 must be 32 or 64 hexadecimal digits in quotes"),
        ("k.toml", f'1 = "0x{SHORT[2:]}"', "key 1 must be 32 or 64 hexadecimal digits in quotes"),
        ("k.yaml", f'0: "{SHORT}', r"must be YAML \(line \d+\)"),
        ("k.yaml", f"0: !!python/object:{SHORT} x", "must be YAML"),
        ("k.yaml", f"- {SHORT}", "must be a table of indexes and keys"),
        ("k.yaml", f"0: {'1' * 32}", "key 0 must be 32 or 64 hexadecimal digits in quotes"),
        ("k.yaml", f'0: "{SHORT}"\n0: "{SHORT}"', "must be YAML"),
    ],
)
def test_malformed_keyrings_are_refused_without_showing_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, text: str, sentence: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(UsageError, match=sentence) as caught:
        Keyring.load(keyring(tmp_path, text, name))
    told = str(caught.value) + repr(caught.value.__cause__) + caplog.text
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    for piece in (SHORT, SHORT[2:], SHORT[:8], "1" * 16):
        assert piece not in told


def test_binary_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="must be TOML"):
        Keyring.load(tmp_path / "b.toml")
    with pytest.raises(UsageError, match=r"gone\.toml: the file must exist"):
        Keyring.load(tmp_path / "gone.toml")
    with pytest.raises(UsageError, match="must be an ordinary file"):
        Keyring.load(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions are a matter of POSIX systems")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_keyring_that_others_can_read_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    Keyring.load(keyring(tmp_path, f'0 = "{SHORT}"', mode=mode))
    assert ("readable by its owner only" in caplog.text) is warned


def test_keys_in_memory_are_checked_and_hidden() -> None:
    found = Keyring({3: bytes(16)})
    assert repr(found) == "Keyring('keyring', indexes [3])"
    assert "00" not in repr(found)
    for keys in ({0: bytes(15)}, {0: "00" * 16}, {32: bytes(16)}, {True: bytes(16)}, {-1: bytes(16)}):
        with pytest.raises(UsageError):
            Keyring(keys)  # type: ignore[arg-type]
