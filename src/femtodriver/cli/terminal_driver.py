"""The driver as the commands use it: what it reports is printed, and how far it is is shown on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from femtodriver.cli.progress import progress_for_terminal

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from femtodriver.driver import Femtodriver
    from femtodriver.options.method_keywords import DriverKeywords


@contextmanager
def terminal_driver(unit: str = "frame", **settings: Unpack[DriverKeywords]) -> Iterator[Femtodriver]:
    """A driver of these settings, closed at the end. ``unit``: what its progress counts."""
    from femtodriver.driver import Femtodriver

    progress = progress_for_terminal(unit)
    with Femtodriver(**settings) as driver:
        driver.say, driver.progress = print, progress
        try:
            yield driver
        finally:
            if progress is not None:
                progress.stop()
