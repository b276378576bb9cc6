"""One run of the command: parse, work, and turn whatever happens into lines and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from femtodriver.cli.main_options import build_parser
from femtodriver.cli.standard_streams import OutputError, dependable_streams, drop_output
from femtodriver.cli.subcommands import SUBCOMMANDS, Subcommand
from femtodriver.errors import FemtoError
from femtodriver.options.option_parser import EXIT_USAGE, normalised
from femtodriver.safe_text import one_line
from femtodriver.stop_signals import Ended, RunStopped, ending_signals

EXIT_DIFFERENT = 1
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141
EXIT_SIGNAL = 128


def run_command(argv: Sequence[str] | None = None) -> int:
    """``femtodrive``: see ``femtodriver.cli.main``."""
    words = normalised(sys.argv[1:] if argv is None else argv)
    row = SUBCOMMANDS.get(words[0]) if words else None
    with dependable_streams():
        try:
            given = row.parser().parse_args(words[1:]) if row else _parsed(words)
        except SystemExit as stop:  # the parser has said why, or shown help or version
            status = stop.code if isinstance(stop.code, int) else EXIT_USAGE
            return _guarded(lambda: status, debug=False)
        except OutputError as error:
            _tell(f"error: {error}")
            return error.exit_code
        debug = getattr(given, "debug", False)
        if argv is None and not debug:
            sys.excepthook = _own_fault

        def work() -> int:
            return _subcommand(row, given) if row else _work(given)

        with _logging(debug), ending_signals():
            return _guarded(work, debug)


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """The words of the main command."""
    parser = build_parser()
    given = parser.parse_args(words)
    if not {"model", "cleanup_docker", "list_connected_devices"} & vars(given).keys():
        parser.error("MODEL must be given: LOOPBACK, or the path of a model")
    return given


def _guarded(work: Callable[[], int], debug: bool) -> int:
    try:
        status = work()
        sys.stdout.flush()
        return status
    except FemtoError as error:
        if debug:
            logging.getLogger("femtodriver").debug("the error came from here", exc_info=True)
        _tell(f"error: {error}")
        return error.exit_code
    except MemoryError:
        _tell("error: the memory of this computer does not suffice; use a smaller model or fewer frames.")
        return EXIT_DIFFERENT
    except RunStopped as stopped:
        _tell(f"{stopped}; what was done so far was written as such.")
        return EXIT_SIGNAL + stopped.number
    except KeyboardInterrupt:
        _tell("interrupted; nothing was left half written.")
        return EXIT_INTERRUPTED
    except Ended as ended:
        _tell(f"ended by {ended.signal.name}; nothing was left half written.")
        return EXIT_SIGNAL + ended.signal
    except BrokenPipeError:
        drop_output()  # the reader has gone
        return EXIT_PIPE


def _subcommand(row: Subcommand, given: argparse.Namespace) -> int:
    from femtodriver.options.bind_request import bind  # a help text need not wait for it

    return row.command.work(bind(row.command.request, vars(given), row.name))


def _work(given: argparse.Namespace) -> int:
    from femtodriver.cli.terminal_driver import terminal_driver  # a help text need not wait for it

    with terminal_driver() as driver:
        result = driver.main(given)
    return EXIT_DIFFERENT if result.get("pass") is False else 0


def _tell(sentence: str) -> None:
    try:
        print(f"femtodrive: {one_line(sentence)}", file=sys.stderr, flush=True)
    except (OSError, ValueError):  # there is nowhere left to say it
        drop_output(sys.stderr)


class _OneLine(logging.Formatter):
    """Foreign text in a message does not reach the terminal raw; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """As of ``logging.Formatter``."""
        return one_line(super().formatMessage(record))


@contextlib.contextmanager
def _logging(debug: bool) -> Iterator[None]:
    """Our log on stderr meanwhile: warnings, or everything."""
    logger = logging.getLogger("femtodriver")
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("femtodrive: %(levelname)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _own_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An unexpected error, reported without a traceback."""
    _tell(f"internal error: {kind.__name__}: {error}. Please report it, with what --debug shows.")
