"""One run of the command: parse, work, and turn whatever happens into lines and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

from femtodriver.cli.main_options import LATER, build_parser, normalised
from femtodriver.cli.progress import progress_for_terminal
from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.errors import FemtoError, UsageError

EXIT_DIFFERENT = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141


def run_command(argv: Sequence[str] | None = None) -> int:
    """``femtodrive``: see ``femtodriver.cli.main``."""
    words = normalised(sys.argv[1:] if argv is None else argv)
    row = SUBCOMMANDS.get(words[0]) if words else None
    try:
        arguments = row.parser().parse_args(words[1:]) if row else _parsed(words)
    except SystemExit as stop:  # argparse has said why, or shown help or version
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    if argv is None and not arguments.debug:
        sys.excepthook = _own_fault
    with _streams(), _logging(arguments.debug):
        return _guarded(row.work if row else _work, arguments)


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """The words of the main command."""
    parser = build_parser()
    arguments = parser.parse_args(words)
    if arguments.model is None and not arguments.cleanup_docker and arguments.list_connected_devices is None:
        parser.error("MODEL must be given: LOOPBACK, or the path of a model; --help tells more")
    return arguments


def _guarded(work: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    try:
        return work(arguments)
    except FemtoError as error:
        if arguments.debug:
            logging.getLogger("femtodriver").debug("the error came from here", exc_info=True)
        _tell(f"error: {error}")
        return error.exit_code
    except MemoryError:
        _tell("error: the memory of this computer does not suffice; use a smaller model or fewer frames.")
        return EXIT_DIFFERENT
    except KeyboardInterrupt:
        _tell("interrupted; nothing was left half written.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE


def _work(arguments: argparse.Namespace) -> int:
    for name, reason in LATER.items():
        if getattr(arguments, f"later{name}") is not None:
            raise UsageError(f"{name}: must not be given: {reason}.")
    if arguments.list_connected_devices is not None:
        from femtodriver.cli.serve_board import list_devices

        return list_devices(arguments.list_connected_devices)
    from femtodriver.driver import Femtodriver

    with Femtodriver(debug=arguments.debug) as driver:
        driver.say = _say
        driver.progress = progress_for_terminal()
        result = driver.main(arguments)
    sys.stdout.flush()
    return EXIT_DIFFERENT if result.get("pass") is False else 0


def _say(text: str) -> None:
    print(text)


def _tell(sentence: str) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)  # a line of progress may stand there
    print(f"femtodrive: {sentence}", file=sys.stderr)


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """Characters that a stream cannot write are escaped meanwhile, instead of ending the run."""
    changed: list[tuple[Any, str]] = []
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            changed.append((stream, str(stream.errors)))
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in changed:
            stream.reconfigure(errors=errors)


@contextlib.contextmanager
def _logging(debug: bool) -> Iterator[None]:
    """Our log on stderr meanwhile: warnings, or everything."""
    logger = logging.getLogger("femtodriver")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("femtodrive: %(levelname)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _own_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An error that we did not foresee, told without a traceback."""
    _tell(f"internal error: {kind.__name__}: {error}. Please report it, with what --debug shows.")
