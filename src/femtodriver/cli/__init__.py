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


def model_dir(argv: Sequence[str] | None = None) -> int:
    """Run ``femtodrive_model_dir`` with these words (default: those of the process); gives the exit status."""
    try:
        from femtodriver.cli.model_dir_command import run_model_dir

        return run_model_dir(argv)
    except KeyboardInterrupt:
        print("femtodrive_model_dir: interrupted between two models.", file=sys.stderr)
        return 130
