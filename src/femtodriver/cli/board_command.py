"""The options of ``femtodrive board``; ``serving`` does the work."""

from __future__ import annotations

import argparse

# Faults of the link: option, metavar (None: a switch), type, help. The attributes are the fields of ``Faults``.
FAULTS = (
    ("--drop", "SHARE", float, "share of entries, in both directions, that vanish"),
    ("--corrupt", "SHARE", float, "share of entries, in both directions, that get one bit flipped"),
    ("--delay", "SHARE", float, "share of answers that come late"),
    ("--delay-s", "S", float, "by how many seconds at most (default 0.02)"),
    ("--split", None, None, "send answers in small pieces"),
    ("--close-after", "BYTES", int, "close the connection once, after so many bytes from the board"),
    ("--close-after-entries", "N", int, "close the connection once, after so many entries from the client"),
    ("--seed", "N", int, "seed of the faults (default 0)"),
)


def add_board(parser: argparse.ArgumentParser) -> None:
    """Options of ``board``."""
    parser.epilog = (
        "In another terminal, with the address that the board prints:\n"
        "  femtodrive MODEL --runners hw,fasmir,fqir --hardware zynq --zynq-host 127.0.0.1:7007\n"
        "  femtodrive MODEL --runners hw,fasmir,fqir --hardware redis --zynq-host 127.0.0.1:6379\n"
        "exit status: 0 stopped by Ctrl-C, 2 wrong usage, 3 the address cannot be used, or the redis server went away"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--listen", metavar="HOST[:PORT]", help="serve the ZCU104 protocol there; port 0: any free one")
    where.add_argument("--redis", metavar="HOST[:PORT]", help="serve the redis protocol through the server there")
    parser.add_argument("--hw-config", metavar="PART", default="spu001", help="name of a part or a .toml file")
    parser.add_argument(
        "--keyring", metavar="FILE", help="keys of the board, for encrypted programs (default: FS_KEYRING)"
    )
    parser.add_argument(
        "--replay",
        metavar="PATH",
        help="load a program first: a folder with 0PROG_A and 0PROG_D (or that of a model), or setup.yaml",
    )
    group = parser.add_argument_group("faults of the link, for tests and demonstrations (with --listen)")
    for option, metavar, kind, text in FAULTS:
        if kind is None:
            group.add_argument(option, action="store_true", help=text)
        else:
            group.add_argument(option, metavar=metavar, type=kind, help=text)


def board(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    from femtodriver.cli.serve_board import serve_board  # signals and threads would cost the help text its time

    return serve_board(arguments)
