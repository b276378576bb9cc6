"""``femtodrive inspect`` and ``femtodrive disasm``."""

from __future__ import annotations

import argparse
import sys

EXIT_PROBLEMS = 1


def add_inspect(parser: argparse.ArgumentParser) -> None:
    """Options of ``inspect``."""
    parser.epilog = (
        "FILE is a .femto, a memory-image zip, the folder of a compiled model, a hex image, 0PROG_A or 0PROG_D or\n"
        "their folder, a recording (.yaml), or a network (.pt, .pth). docs/inspect.md has the keys of --json.\n"
        "exit status: 0 sound, 1 damaged or not readable, 2 wrong usage"
    )
    parser.add_argument("file", metavar="FILE", help="what to look at")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")


def inspect(arguments: argparse.Namespace) -> int:
    """Print what the file holds; 1 if it is damaged."""
    from femtodriver.inspection import inspect_file, report_json, report_text

    report = inspect_file(arguments.file)
    print(report_json(report) if arguments.json else report_text(report))
    sys.stdout.flush()
    return 0 if report.sound else EXIT_PROBLEMS


def add_disasm(parser: argparse.ArgumentParser) -> None:
    """Options of ``disasm``."""
    parser.epilog = "Layers are named where the program still knows them: in folders and zips, not in a .femto."
    parser.add_argument("file", metavar="FILE", help="a .femto, a memory-image zip or the folder of a compiled model")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a listing")
    parser.add_argument("--keyring", metavar="FILE", help="keys for encrypted programs (default: FS_KEYRING)")


def disasm(arguments: argparse.Namespace) -> int:
    """Print the instructions of the program."""
    from femtodriver.inspection import disassemble_file, listing_json, listing_text

    listing = disassemble_file(arguments.file, arguments.keyring)
    print(listing_json(listing) if arguments.json else listing_text(listing))
    sys.stdout.flush()
    return 0
