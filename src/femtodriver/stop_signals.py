"""Signals that end us, and runs that end before their end because of one.

While frames are run, the first Ctrl-C or SIGTERM only asks the run to stop, so that it ends between two frames and what
was done so far is written as such. A second one ends us at once.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# Runs that signals ask to end.
_held: list[Stop] = []
# Whether a frame is under way that may take long; only signal handlers and the main thread look at it.
_breakable: list[object] = []
# How many want SIGTERM and SIGHUP to raise SystemExit.
_exiting: list[object] = []


class Ended(BaseException):
    """A signal that ends us. Raised like Ctrl-C, so that unfinished work is undone."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


class RunStopped(KeyboardInterrupt):
    """A run was stopped, and what it had done was written. ``number``: of the signal, as in the exit status."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number


class FrameBrokenError(BaseException):
    """A frame was given up, because the run is to end and nobody knows how long the frame may take."""


class Stop:
    """Whether a run is to end before its end. ``reason``: why, "" if it is not; ``number``: of the signal."""

    def __init__(self) -> None:
        self.reason = ""
        self.number = 0

    @property
    def asked(self) -> bool:
        """Whether anybody has asked."""
        return bool(self.reason)

    def ask(self, reason: str, number: int) -> None:
        """Ask the run to end; the first reason counts."""
        if not self.asked:
            self.reason, self.number = reason, number

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Meanwhile the first signal that would end us asks instead.

        Only Ctrl-C as Python has it, and handlers that are ``end_by_signal``, are replaced: those of an application
        stay. Nothing happens outside of the main thread, which alone may have handlers.
        """
        before = {number: signal.getsignal(number) for number in _numbers()} if _in_main_thread() else {}
        ours = {number: old for number, old in before.items() if old in (signal.default_int_handler, end_by_signal)}

        def note(number: int, frame: object) -> None:
            if self.asked:
                raise (KeyboardInterrupt if number == signal.SIGINT else Ended(number))
            name = signal.Signals(number).name
            self.ask("interrupted" if number == signal.SIGINT else f"ended by {name}", number)
            if _breakable:
                _breakable.clear()
                raise FrameBrokenError

        for number in ours:
            signal.signal(number, note)
        _held.append(self)
        try:
            yield
        finally:
            _held.remove(self)
            for number, old in ours.items():
                signal.signal(number, old)


@contextlib.contextmanager
def breakable() -> Iterator[None]:
    """Meanwhile a signal that asks the run to end raises FrameBrokenError too: a board may never answer.

    Nothing happens outside of the main thread, which alone gets signals, and where nobody has asked for ``on_signals``.
    """
    if not _in_main_thread() or not _held:
        yield
        return
    _breakable.append(None)
    try:
        if any(stop.asked for stop in _held):
            raise FrameBrokenError
        yield
    finally:
        _breakable.clear()


def end_by_signal(number: int, frame: object) -> None:
    """The handler that raises ``Ended``."""
    raise Ended(number)


@contextlib.contextmanager
def ending_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise ``Ended`` meanwhile; one that is ignored (nohup) or taken stays as it is."""
    numbers = [number for number in _numbers() if number != signal.SIGINT] if _in_main_thread() else []
    ours = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end_by_signal)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def exit_by_signal(number: int, frame: object) -> None:
    """The handler that ends the process in the ordinary way, so that what must be undone at its end is undone."""
    raise SystemExit(128 + number)


def exiting_signals() -> Callable[[], None]:
    """From now on SIGTERM and SIGHUP raise SystemExit where they would end the process at once.

    What is returned ends that; of several who have asked for it, the last one does. Nothing happens outside of the
    main thread, which alone may have handlers.
    """
    ask = object()
    _exiting.append(ask)
    _replace(signal.SIG_DFL, exit_by_signal)

    def give_back() -> None:
        if ask in _exiting:
            _exiting.remove(ask)
        if not _exiting:
            _replace(exit_by_signal, signal.SIG_DFL)

    return give_back


def _replace(old: object, new: Callable[[int, object], None] | signal.Handlers) -> None:
    for number in _numbers() if _in_main_thread() else ():
        if number != signal.SIGINT and signal.getsignal(number) == old:
            signal.signal(number, new)


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
