"""The digest of a file is that of its bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from femtodriver.errors import InputError
from femtodriver.files.file_digest import file_digest


def test_size_and_digest_are_those_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than one block
    (tmp_path / "a").write_bytes(content)
    assert file_digest(tmp_path / "a", 1 << 21, InputError) == (len(content), hashlib.sha256(content).hexdigest())
    with pytest.raises(InputError, match="must have at most 100 bytes"):
        file_digest(tmp_path / "a", 100, InputError)
