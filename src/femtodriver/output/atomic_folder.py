"""Replacing a folder of files in one step.

The new tree is built beside the old one, in a hidden folder on the same file system, and takes its place by two
renames. Until then the old tree is untouched; whatever goes wrong, the hidden folder is removed again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from femtodriver.errors import FemtoError, ProgramError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]


def check_writable(target: Path) -> None:
    """ProgramError if ``replace_tree`` could not even start: better known before a long run than after it."""
    place = Path(os.path.realpath(target))
    try:
        with _parents_of(place, always_remove=True):
            probe = place.parent / f".{secrets.token_hex(4)}.probe"
            probe.mkdir()
            probe.rmdir()
    except (OSError, ValueError) as error:
        raise _told(target, error) from None


def replace_tree(target: Path, owned: Collection[str], build: Callable[[Path], None]) -> None:
    """Puts what ``build(folder)`` writes into an empty folder in the place of ``target``.

    Entries of the old folder that are not in ``owned`` (names that we write) are somebody else's: they stay. Raises
    ProgramError, in one sentence with the system's reason, where the tree cannot be written; errors of ``build`` pass.
    """
    real = Path(os.path.realpath(target))
    staged = real.parent / f".{real.name[:100]}.{secrets.token_hex(4)}.new"
    try:
        with _parents_of(real):
            _build_and_swap(staged, real, owned, build)
    except FemtoError as error:
        # The hidden folder is nobody's business: the message names the place where the file was to be.
        raise type(error)(str(error).replace(str(staged), str(target))) from None
    except (OSError, ValueError) as error:
        raise _told(target, error) from None


def _told(target: Path, error: OSError | ValueError) -> ProgramError:
    reason = getattr(error, "strerror", None) or error
    return ProgramError(
        f"{target}: cannot be written: {reason}; what was there before is unchanged. "
        "Free some room or choose another --output-dir."
    )


def _build_and_swap(staged: Path, real: Path, owned: Collection[str], build: Callable[[Path], None]) -> None:
    try:
        staged.mkdir()
        build(staged)
        with _alone_in(real.parent):
            _keep_foreign(real, staged, owned)
            _swap(staged, real)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


@contextlib.contextmanager
def _parents_of(real: Path, always_remove: bool = False) -> Iterator[None]:
    """Makes the folder's parents; those that we made go again if the body fails, or always."""
    if real.exists() and not real.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(real))
    missing = [folder for folder in real.parents if not folder.exists()]
    done = False
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        yield
        done = not always_remove
    finally:
        if not done:
            for folder in missing:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _keep_foreign(old: Path, staged: Path, owned: Collection[str]) -> None:
    """Other people's entries appear in the new tree too; as links to the same bytes where that is possible."""
    if not old.is_dir():
        return
    for entry in sorted(old.iterdir()):
        place = staged / entry.name
        if entry.name in owned or os.path.lexists(place):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, place, symlinks=True, copy_function=_link)
        else:
            _link(entry, place)


def _link(source: str | Path, place: str | Path) -> None:
    try:
        os.link(source, place, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, place, follow_symlinks=False)


def _swap(staged: Path, real: Path) -> None:
    """The renames. If the second fails, the first is undone; Ctrl-C waits until both are done."""
    aside = staged.with_suffix(".old")
    with _uninterrupted():
        try:
            if real.exists():
                os.rename(real, aside)
            os.rename(staged, real)
        finally:
            if aside.exists() and not real.exists():
                os.rename(aside, real)
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Other runs that replace something in this folder wait meanwhile, where the system can lock a folder."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Holds back SIGINT and SIGTERM where the system can; they arrive afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
