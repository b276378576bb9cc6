"""The command line: words to library calls, errors to exit codes. ``femtodrive --help`` needs nothing but argparse."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``femtodrive`` with these words (default: those of the process); gives the exit status.

    0 done, or all runners equal; 1 bad input, or runners differ; 2 wrong usage; 3 device; 130 interrupted.
    """
    try:
        from femtodriver.cli.command import run_command
    except KeyboardInterrupt:
        print("femtodrive: interrupted; nothing was left half written.", file=sys.stderr)
        return 130
    return run_command(argv)
