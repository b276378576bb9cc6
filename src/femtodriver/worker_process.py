"""Processes of our own that do part of our work: how they start, how they are spoken to, and how they end.

Each has a pipe of its own. There are no threads and no queues between us and them, so there is nothing to wait for when
one dies or the user interrupts. Ctrl-C, which reaches all processes of a terminal, is ours to handle; they end with us,
however we end.

What Python has for this takes time to load, which runs without processes should not wait for: it is loaded where it is
used.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from femtodriver.errors import WorkerError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from multiprocessing.reduction import ForkingPickler

_BEGUN = "begun"
_PATIENCE_S = 5.0


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def packed(value: object) -> bytes:
    """A value as ``WorkerProcess.link.send_bytes`` hands it over, to pack once what several processes get."""
    return bytes(_pickler().dumps(value))


def _pickler() -> type[ForkingPickler]:
    """What packs values for other processes, also on pipes.

    From the first call on, it knows the mappings of networks, which Python itself does not hand over.
    """
    from multiprocessing.reduction import ForkingPickler

    ForkingPickler.register(MappingProxyType, _thawed)
    return ForkingPickler


def _frozen(content: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


def _thawed(mapping: MappingProxyType[Any, Any]) -> tuple[Any, tuple[dict[Any, Any]]]:
    return _frozen, (dict(mapping),)


@dataclass(eq=False)
class WorkerProcess:
    """A process at work. ``link``: our end of its pipe. ``begun``: whether it has been heard of."""

    process: SpawnProcess
    link: Connection
    begun: bool = False

    @classmethod
    def start(cls, work: Callable[[Connection], None], name: str) -> WorkerProcess:
        """A new process that calls ``work``, a function of a module, with its end of the pipe.

        ``work`` returns when its end raises EOFError: nobody asks any more.
        """
        from multiprocessing import get_context, resource_tracker

        _pickler()  # for what it is sent
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_live, args=(theirs, work), daemon=True, name=f"femtodriver {name}")
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # the first process would start it, and that lets Ctrl-C through
        with _deaf_to_ctrl_c():
            process.start()
        theirs.close()
        return cls(process, ours)

    def heard(self, command: str) -> Any:
        """What it says next; None when it has begun. EOFError or OSError if it has ended.

        Raises WorkerError if it ended before it began. ``command``: what to call us in that message.
        """
        try:
            said = self.link.recv()
        except (EOFError, OSError):
            if not self.begun:
                raise _never_began(command) from None
            raise
        if self.begun:
            return said
        self.begun = True
        return None

    def end(self) -> None:
        """Let it end, or make it."""
        self.link.close()  # which ends a process that waits for work
        self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()

    def kill(self) -> None:
        """Make it end, whatever it does; ``end`` has to follow."""
        self.process.kill()


def _never_began(command: str) -> WorkerError:
    return WorkerError(
        f"{command}: a worker process ended before it began; a script that starts workers must be a file and do its "
        'work under `if __name__ == "__main__":`, because workers import it.'
    )


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """A process that starts meanwhile hears of no Ctrl-C, where the system can arrange that; for us it comes later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live(link: Connection, work: Callable[[Connection], None]) -> None:
    """The life of a process."""
    _pickler()  # for what it sends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError):  # we are not needed any more
        link.send(_BEGUN)
        work(link)


def _end_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
