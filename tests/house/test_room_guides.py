"""In a large room whose file names follow no pattern, the docstring of the package says where to look first."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.house.source_code import PACKAGE

GUIDED = ("pytorch", "tflite")


@pytest.mark.parametrize("room", GUIDED)
def test_the_guide_names_every_file_of_the_room(room: str) -> None:
    guide = importlib.import_module(f"femtodriver.{room}").__doc__ or ""
    named = set(re.findall(r"``(\w+)``", guide))
    files = {path.stem for path in (PACKAGE / room).glob("*.py")} - {"__init__"}
    assert sorted(files - named) == []
