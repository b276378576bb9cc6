"""``main`` and ``cli``, as the reference's driver module has them. Our own command line is ``femtodriver.cli``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from femtodriver.driver.facade import Femtodriver
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.option_parser import OptionParser, normalised


def main(argv: Sequence[str] | None = None) -> int:
    """Run the words of a command line (default: those of the process): 0, or 1 if the runners differ.

    Errors are raised, not told: any FemtoError, and SystemExit for wrong words.
    """
    parser = OptionParser("femtodrive", MainRequest, "Compile, run and measure a network.", "")
    given = parser.parse_args(normalised(sys.argv[1:] if argv is None else argv))
    with Femtodriver() as driver:
        driver.say = print
        result = driver.main(given)
    return 1 if result.get("pass") is False else 0


def cli() -> None:
    """``main`` as the end of a process."""
    sys.exit(main())
