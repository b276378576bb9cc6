"""``femtodrive_model_dir``: the main command on every network file below a folder, as the reference 2.x has it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from femtodriver.cli.command import EXIT_INTERRUPTED, EXIT_SIGNAL, run_command
from femtodriver.cli.main_options import build_parser
from femtodriver.errors import FemtoError, UsageError
from femtodriver.options.option_parser import EXIT_USAGE, normalised
from femtodriver.safe_text import one_line, short_line

NAME = "femtodrive_model_dir"
LOG_DIR, OUTPUT_DIR = "--log-dir", "--output-dir"
USUAL = {LOG_DIR: "femtodrive_logs", OUTPUT_DIR: "model_datas"}
SUMMARY = "summary.txt"
ENDING = ".pt"
HELP = """\
usage: femtodrive_model_dir DIR [options of femtodrive] [--log-dir LOGS]

Runs femtodrive on every *.pt below DIR, one after the other, with the same options. What a run of DIR/a/b.pt prints
goes to LOGS/a/b.log (default femtodrive_logs), and its files to OUT/a/b/, where --output-dir says OUT (default
model_datas). LOGS/summary.txt has a line for each model.

exit status
  0 every run gave 0; 1 some did not; 2 wrong usage; 130 interrupted"""


@dataclass(frozen=True)
class ModelRun:
    """What became of a model: the exit status of its run, and the last line that it printed."""

    name: str
    status: int
    last: str

    @property
    def line(self) -> str:
        """The same in words."""
        if not self.status:
            return f"passed  {self.name}"
        return f"failed  {self.name}  exit status {self.status}: {self.last}"


def run_model_dir(argv: Sequence[str] | None = None) -> int:
    """Run the command with these words (default: those of the process); gives the exit status."""
    words = normalised(sys.argv[1:] if argv is None else argv)
    if not words or {"-h", "--help"} & set(words):
        print(HELP)
        return 0 if words else EXIT_USAGE
    try:
        return _run(words)
    except FemtoError as error:
        print(f"{NAME}: error: {one_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except SystemExit as stop:  # the parser has said why
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE


def _run(words: Sequence[str]) -> int:
    from femtodriver.files.file_access import make_directory, write_file

    folder = Path(words[0])
    places, rest = _places(words[1:])
    models = _models(folder)
    _check(rest, len(models))
    logs, runs = Path(places[LOG_DIR]), []
    make_directory(logs)
    for number, name in enumerate(models, 1):
        run, printed = _one(folder, name, rest, Path(places[OUTPUT_DIR]))
        runs.append(run)
        log = (logs / name).with_suffix(".log")
        make_directory(log.parent)
        write_file(log, printed.encode("utf-8", "backslashreplace"))
        write_file(logs / SUMMARY, "".join(f"{one.line}\n" for one in runs).encode("utf-8", "backslashreplace"))
        print(f"{number}/{len(models)} {run.line}", flush=True)
        if run.status >= EXIT_SIGNAL:
            return EXIT_INTERRUPTED
    return int(any(run.status for run in runs))


def _places(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The folders that are said, and the other words. UsageError for one without a value."""
    places, rest = dict(USUAL), []
    left = iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        if name not in places:
            rest.append(word)
            continue
        places[name] = value if equals else next(left, "")
        if not places[name]:
            raise UsageError(f"{name}: must be given a folder.")
    return places, rest


def _models(folder: Path) -> list[str]:
    """The files below a folder, as paths from it. UsageError if there are none."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: must be a folder with *{ENDING} files, given as the first word.")
    found = [
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith(ENDING)
    ]
    if not found:
        raise UsageError(f"{folder}: must have at least one *{ENDING} file in it, but has none.")
    return sorted(found)


def _check(rest: Sequence[str], models: int) -> None:
    """SystemExit for wrong options; UsageError for a file that every run would write anew."""
    from femtodriver.output.distinct_files import WRITTEN

    given = vars(build_parser().parse_args(["LOOPBACK", *rest]))
    for name in WRITTEN if models > 1 else ():
        if name in given:
            raise UsageError(
                f"{name}: must be left out for {models} models, because each would replace the file of the one before."
            )


def _one(folder: Path, name: str, rest: Sequence[str], output_dir: Path) -> tuple[ModelRun, str]:
    """Run one model; also what it printed."""
    printed = io.StringIO()
    words = [os.path.join(folder, name), *rest, OUTPUT_DIR, os.path.join(output_dir, os.path.dirname(name))]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = run_command(words)
    text = printed.getvalue()
    return ModelRun(one_line(name), status, _last_line(text)), text


def _last_line(text: str) -> str:
    lines: Iterator[str] = filter(None, reversed(text.splitlines()))
    return short_line(next(lines, ""), 300)
