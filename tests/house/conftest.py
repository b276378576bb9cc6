"""The source code as fixtures; new tests import ``tests.house.source_code`` instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.house import source_code


@pytest.fixture(scope="session")
def make_source() -> Callable[[str, str], source_code.Source]:
    """``make_source(module, text)``."""
    return source_code.parse


@pytest.fixture(scope="session")
def sources() -> tuple[source_code.Source, ...]:
    """Every module of the package."""
    return source_code.sources()
