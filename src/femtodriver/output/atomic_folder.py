"""Replacing a folder of files in one step.

The new tree is built beside the old one, in a hidden folder on the same file system, and the two change places when it
is complete and on the disk. Until then the old tree is untouched; whatever goes wrong, the hidden folder is removed
again. Runs that write into the same place wait for each other only while trees change places.

A process that is killed leaves hidden folders behind. Each is locked by the process that works in it, so the next run
can see which ones no process owns, and removes them. Where two renames are needed, because the system cannot exchange
two folders in one step, a run may die between them: then the old tree is found beside its place, and is put back.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import signal
import stat
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from femtodriver.errors import FemtoError, ProgramError
from femtodriver.files.file_access import reason_of, shown_path

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

NEW, OLD = ".new", ".old"
_TRIES = 100
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_EXCHANGE = 2
_AT_WORKING_DIRECTORY = -100


def check_writable(target: Path) -> None:
    """ProgramError if ``replace_tree`` could not even start: better known before a long run than after it."""
    with _retold(target):
        place = Path(os.path.realpath(target))
        _check_place(place)
        nearest = next(folder for folder in place.parents if folder.exists())
        probe = nearest / f".{secrets.token_hex(4)}.probe"
        probe.mkdir()
        probe.rmdir()


def replace_tree(target: Path, owned: Collection[str], build: Callable[[Path], None]) -> None:
    """Puts what ``build(folder)`` writes into an empty folder in the place of ``target``.

    Entries of the old folder that are not in ``owned`` (names that we write) are somebody else's: they stay. Raises
    ProgramError, in one sentence with the system's reason, where the tree cannot be written. Errors of ``build`` pass,
    whatever they are; those that users meet name the target instead of the hidden folder.
    """
    with _retold(target):
        real = Path(os.path.realpath(target))
        _check_place(real)
        made = [folder for folder in real.parents if not folder.exists()]
    staged, lock, done = None, None, False
    try:
        with _retold(target):
            staged, lock = _stage(real)
        try:
            build(staged)
        except FemtoError as error:
            raise type(error)(str(error).replace(str(staged), str(target))) from None
        with _retold(target):
            _sync(staged)
            with _alone_in(real.parent):
                _repair(real)
                _keep_foreign(real, staged, owned)
                _change_places(staged, real)
            done = True
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        for folder in () if done else made:
            with contextlib.suppress(OSError):  # somebody else's run may be in it by now
                folder.rmdir()


@contextlib.contextmanager
def _retold(target: Path) -> Iterator[None]:
    """Around our own file calls: what the system says about them is reported in one sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else error
        full = isinstance(error, OSError) and error.errno in _NO_ROOM
        raise ProgramError(
            f"{shown_path(target)}: cannot be written: {reason}; what was there before is unchanged. "
            f"{'Free some room, or choose' if full else 'Choose'} another --output-dir."
        ) from None


def _check_place(real: Path) -> None:
    """OSError where something other than a folder is in its place, or above it."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(real).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(real))


def _stage(real: Path) -> tuple[Path, int | None]:
    """A new hidden folder for the target, and the lock that says that it is in use."""
    for _ in range(_TRIES):
        real.parent.mkdir(parents=True, exist_ok=True)
        # Another run that fails removes the folders that it made: perhaps these, a moment ago.
        with contextlib.suppress(FileNotFoundError), _alone_in(real.parent):
            _repair(real)
            staged = real.parent / f"{_hidden(real)}{secrets.token_hex(4)}{NEW}"
            staged.mkdir()
            return staged, _locked(staged)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(real.parent))


def _hidden(real: Path) -> str:
    """How the names of hidden folders of this target begin, and of no other."""
    digest = hashlib.sha256(os.fsencode(real.name)).hexdigest()[:8]
    return f".{real.name[:40]}.{digest}."


def _repair(real: Path) -> None:
    """Puts back or removes what dead runs have left. To be called while nobody else is in the parent folder."""
    begin = _hidden(real)
    for name in sorted(os.listdir(real.parent)):
        place = real.parent / name
        if not name.startswith(begin):
            continue
        if name.endswith(OLD) and not real.exists():
            os.rename(place, real)
        elif name.endswith((OLD, NEW)) and _is_nobodys(place):
            shutil.rmtree(place, ignore_errors=True)


def _is_nobodys(folder: Path) -> bool:
    """Whether no living process works in the hidden folder."""
    lock = _locked(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


def _locked(folder: Path) -> int | None:
    """The lock of a folder; None if another process holds it, or where folders cannot be locked."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sync(folder: Path) -> None:
    """Everything in the folder is on the disk afterwards, also after a power cut."""
    if fcntl is None:
        return
    places = [folder]
    for parent, folders, files in os.walk(folder):
        places += [Path(parent, name) for name in (*folders, *files) if not os.path.islink(Path(parent, name))]
    with ThreadPoolExecutor(8) as pool:  # the file system writes them together, instead of one after the other
        list(pool.map(_sync_one, places))


def _sync_one(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # the file system has no such thing
            raise
    finally:
        os.close(descriptor)


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


def _change_places(staged: Path, real: Path) -> None:
    """The new tree is in the place of the old one, which is removed; Ctrl-C waits until it is done."""
    with _uninterrupted():
        if not real.exists():
            os.rename(staged, real)
        elif not _exchanged(staged, real):
            _rename_twice(staged, real)
        shutil.rmtree(staged, ignore_errors=True)
        if fcntl is not None:
            _sync_one(real.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchanges two folders in one step; False where the system cannot, and then nothing has happened."""
    import ctypes  # loading it takes longer than writing a small model, and only existing folders need it

    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError, TypeError):  # no such library, function, or way to ask for it
        return False
    here = _AT_WORKING_DIRECTORY
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), _EXCHANGE) == 0)


def _rename_twice(staged: Path, real: Path) -> None:
    """The same in two steps. If the second fails, the first is undone; if we die between them, ``_repair`` does it."""
    aside = staged.with_suffix(OLD)
    try:
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
    """Holds back signals that would end us where the system can; they arrive afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
