"""A job that only writes files says how to run the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from femtodriver import Femtodriver

NETWORK = "nothing was run; --runners fqir,fasmir checks the program against the network, and measures it"
PROGRAM = "nothing was run; --runners fasmir simulates and measures the program"


def last_words(model: str | Path, folder: Path, **options: Any) -> str:
    """The last line that is told."""
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run(model, output_dir=str(folder), **options)
    return said[-1].splitlines()[-1]


def test_the_next_step_is_told_where_nothing_was_run(tmp_path: Path) -> None:
    assert last_words("LOOPBACK", tmp_path) == NETWORK
    assert last_words(tmp_path / "LOOPBACK", tmp_path) == PROGRAM


@pytest.mark.parametrize("options", [{"norun": True}, {"runners": "fqir"}])
def test_it_is_not_told_otherwise(tmp_path: Path, options: dict[str, Any]) -> None:
    assert not last_words("LOOPBACK", tmp_path, **options).startswith("nothing was run")
