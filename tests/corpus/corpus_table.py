"""The corpus table without pytest. From the root of the repository::

    python -m tests.corpus.corpus_table [PATTERN ...]

A pattern is a part of a graph's name, or has wildcards: ``gru``, ``zoo/``, ``*conv2d*``.
Exit code 1 if a graph is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from tests.corpus.corpus_check import WRONG, Row, check_all, graph_names
from tests.corpus.corpus_text import table_text

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code."""
    options = _parser().parse_args(arguments)
    names = [name for name in graph_names(options.corpus) if _wanted(name, options.patterns)]
    if not names:
        print(f"no graph of {options.corpus} matches {' '.join(options.patterns) or 'anything'}", file=sys.stderr)
        return 1
    rows: list[Row] = []
    for row in check_all(options.corpus, names, options.part, options.frames, options.processes):
        rows.append(row)
        if sys.stderr.isatty():
            print(f"\r{len(rows)} of {len(names)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    print(table_text(rows, "" if options.patterns or options.all else "zoo/"), end="")
    return int(any(row.verdict == WRONG for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.corpus_table", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="which graphs (default: all)")
    parser.add_argument("--all", action="store_true", help="list the sizes of captured graphs too")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder with zoo/ and captured/")
    parser.add_argument("--part", default="spu001", help="part to compile for: a name, or a .toml file")
    parser.add_argument("--frames", type=int, help="at most this many frames of each case (default: all)")
    parser.add_argument("--processes", type=int, default=2, help="worker processes (default 2)")
    return parser


def _wanted(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(pattern in name or fnmatchcase(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
