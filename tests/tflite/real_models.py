"""The models of the package ``pymicro-wakeword``, from where it is installed; nothing of it is copied."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

INSTALL = "pip install --no-deps pymicro-wakeword==2.5.0"


@cache
def _files() -> tuple[Path, ...]:
    found = find_spec("pymicro_wakeword")
    places = (found.submodule_search_locations or []) if found else []
    return tuple(sorted(path for place in places for path in Path(place, "models").glob("*.tflite")))


def real_models() -> Mapping[str, bytes]:
    """{name: file}; skips the test where there are none."""
    if not _files():
        pytest.skip(f"pymicro-wakeword is not installed; get it with: {INSTALL}")
    return {path.stem: path.read_bytes() for path in _files()}
