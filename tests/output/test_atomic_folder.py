"""A tree of files is replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from femtodriver.errors import ProgramError
from femtodriver.output import atomic_folder
from femtodriver.output.atomic_folder import check_writable, replace_tree

OWNED = {"ours", "also"}


def write_ours(text: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        (folder / "ours").mkdir()
        (folder / "ours" / "file").write_text(text)

    return build


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else "/" for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A tree of an earlier run, with somebody else's files in it."""
    place = tmp_path / "out" / "model"
    (place / "ours").mkdir(parents=True)
    (place / "ours" / "file").write_text("old")
    (place / "ours" / "stale").write_text("old")
    (place / "also").write_text("old")
    (place / "notes.txt").write_text("mine")
    (place / "deep" / "er").mkdir(parents=True)
    (place / "deep" / "er" / "file").write_text("mine")
    (place / "link").symlink_to("notes.txt")
    return place


def test_a_new_tree_is_made_with_its_parents(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "model"
    replace_tree(target, OWNED, write_ours("new"))
    assert content(tmp_path / "a") == {"b": "/", "b/model": "/", "b/model/ours": "/", "b/model/ours/file": "new"}


def test_ours_is_replaced_and_the_rest_stays(target: Path) -> None:
    replace_tree(target, OWNED, write_ours("new"))
    assert content(target) == {
        "deep": "/",
        "deep/er": "/",
        "deep/er/file": "mine",
        "link": "mine",
        "notes.txt": "mine",
        "ours": "/",
        "ours/file": "new",
    }
    assert (target / "link").is_symlink()
    assert os.listdir(target.parent) == ["model"]


def disk_full(folder: Path) -> None:
    write_ours("new")(folder)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "x"))


def mistaken(folder: Path) -> None:
    [1].index(7)


def disk_full_in_a_room_below(folder: Path) -> None:
    raise ProgramError(f"{folder}/x: cannot be written: No space left on device.")


def interrupted(folder: Path) -> None:
    write_ours("new")(folder)
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("build", "error", "sentence"),
    [
        (disk_full, OSError, "No space left on device"),
        (mistaken, ValueError, "7 is not in list"),
        (disk_full_in_a_room_below, ProgramError, r"out/model/x: cannot be written: No space left on device\.$"),
        (interrupted, KeyboardInterrupt, "^$"),
    ],
)
def test_whatever_goes_wrong_the_old_tree_stays(
    target: Path, build: Callable[[Path], None], error: type[BaseException], sentence: str
) -> None:
    before = content(target)
    with pytest.raises(error, match=sentence):
        replace_tree(target, OWNED, build)
    assert content(target) == before
    assert os.listdir(target.parent) == ["model"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (
            errno.ENOSPC,
            r"No space left on device; what was there before is unchanged\. Free some room, or choose",
        ),
        (errno.EACCES, r"Permission denied; what was there before is unchanged\. Choose another --output-dir"),
    ],
)
def test_our_own_file_calls_are_retold(
    target: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    def full(place: int) -> None:
        raise OSError(number, os.strerror(number))

    before = content(target)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProgramError, match=f"out/model: cannot be written: {sentence}"):
        replace_tree(target, OWNED, write_ours("new"))
    assert content(target) == before
    assert os.listdir(target.parent) == ["model"]


def test_a_failure_leaves_no_parents_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        replace_tree(tmp_path / "a" / "b" / "model", OWNED, disk_full)
    assert content(tmp_path) == {}


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("fault", [OSError(errno.EROFS, os.strerror(errno.EROFS)), KeyboardInterrupt()])
def test_a_failing_rename_is_undone(
    target: Path, monkeypatch: pytest.MonkeyPatch, failing: int, fault: BaseException
) -> None:
    before = content(target)
    calls = []
    rename = os.rename

    def counted(source: Path, place: Path) -> None:
        calls.append(place)
        if len(calls) == failing:
            raise fault
        rename(source, place)

    monkeypatch.setattr(os, "rename", counted)
    monkeypatch.setattr(atomic_folder, "_exchanged", lambda one, other: False)
    expected = ProgramError if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        replace_tree(target, OWNED, write_ours("new"))
    assert content(target) == before
    assert os.listdir(target.parent) == ["model"]


def test_files_of_others_survive_where_links_are_impossible(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*args: object, **options: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    replace_tree(target, OWNED, write_ours("new"))
    assert content(target)["deep/er/file"] == "mine"
    assert (target / "link").is_symlink()


def test_a_symbolic_link_keeps_pointing_to_the_tree(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(target)
    replace_tree(link, OWNED, write_ours("new"))
    assert link.is_symlink()
    assert (target / "ours" / "file").read_text() == "new"


def test_a_file_in_the_way_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine")
    for place in (tmp_path / "model", tmp_path / "model" / "below"):
        with pytest.raises(ProgramError, match="cannot be written"):
            replace_tree(place, OWNED, write_ours("new"))
        with pytest.raises(ProgramError, match="cannot be written"):
            check_writable(place)
    assert (tmp_path / "model").read_text() == "mine"


def test_probing_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b" / "model")
    assert content(tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("exchange", [False, True])
def test_several_at_a_time_end_with_one_whole_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(atomic_folder, "_exchanged", lambda one, other: False)
    troubles: list[Exception] = []

    def work(text: str) -> None:
        try:
            for turn in range(20):
                target = tmp_path / "fresh" / str(turn) / "model" if fresh else tmp_path / "model"
                check_writable(target)
                replace_tree(target, OWNED, write_ours(text))
        except ProgramError as error:
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(text,)) for text in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    targets = sorted(tmp_path.glob("fresh/*/model")) if fresh else [tmp_path / "model"]
    assert len(targets) == (20 if fresh else 1)
    for target in targets:
        assert os.listdir(target.parent) == ["model"]
        assert list(content(target)) == ["ours", "ours/file"]


def test_a_failing_run_does_not_take_the_folders_of_another(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "model"

    def fail(folder: Path) -> None:
        replace_tree(target.with_name("other"), OWNED, write_ours("new"))
        raise ProgramError("full")

    with pytest.raises(ProgramError, match="full"):
        replace_tree(target, OWNED, fail)
    assert sorted(content(tmp_path / "a")) == ["b", "b/other", "b/other/ours", "b/other/ours/file"]


KILLED = """
import os, sys
from pathlib import Path
from femtodriver.output import atomic_folder
point, target = sys.argv[1:]
rename = os.rename
def last(source, place):
    if point == "before the renames":
        os._exit(9)
    rename(source, place)
    if point == "between the renames" or str(source).endswith(".new"):
        os._exit(9)
os.rename = last
if point != "after the exchange":
    atomic_folder._exchanged = lambda one, other: False
else:
    atomic_folder.shutil.rmtree = lambda *given, **named: os._exit(9)
def build(folder):
    (folder / "ours").write_text("new")
    if point == "while building":
        os._exit(9)
atomic_folder.replace_tree(Path(target), ["ours", "also"], build)
"""


@pytest.mark.parametrize(
    "point",
    ["while building", "before the renames", "between the renames", "after the renames", "after the exchange"],
)
def test_the_next_run_repairs_what_a_dead_one_left(target: Path, point: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, point, str(target)], check=False)
    assert done.returncode == 9
    assert len(os.listdir(target.parent)) > 1 or point == "between the renames"
    replace_tree(target, OWNED, write_ours("newer"))
    assert os.listdir(target.parent) == ["model"]
    assert (target / "notes.txt").read_text() == "mine"
    assert (target / "ours" / "file").read_text() == "newer"


def test_hidden_folders_of_living_runs_and_of_other_targets_stay(target: Path) -> None:
    beside = target.parent / ".model2.0123abcd.0123abcd.new"
    beside.mkdir()

    def build(folder: Path) -> None:
        replace_tree(target, OWNED, write_ours("inner"))
        assert folder.is_dir()
        write_ours("outer")(folder)

    replace_tree(target, OWNED, build)
    assert (target / "ours" / "file").read_text() == "outer"
    assert sorted(os.listdir(target.parent)) == [beside.name, "model"]


def test_everything_is_on_the_disk_before_names_change(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    synced, exchanged = atomic_folder._sync_one, atomic_folder._exchanged

    def note_sync(place: Path) -> None:
        events.append(place.name if place.suffix != ".new" else "staged")
        synced(place)

    def note_exchange(one: Path, other: Path) -> bool:
        events.append("exchange")
        return exchanged(one, other)

    monkeypatch.setattr(atomic_folder, "_sync_one", note_sync)
    monkeypatch.setattr(atomic_folder, "_exchanged", note_exchange)
    replace_tree(target, OWNED, write_ours("new"))
    assert sorted(events[:3]) == ["file", "ours", "staged"]
    assert events[3:] == ["exchange", "out"]
