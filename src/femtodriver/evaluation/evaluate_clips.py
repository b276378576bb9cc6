"""An evaluation: find the clips, let workers run those that have not been run, and sum up.

::

    <output_dir>/<model>/
    ├── clips.parquet      one row for each clip, see ``clips_parquet``
    ├── summary.json       see ``evaluation_summary``
    ├── summary.txt        the same for people
    ├── outputs/           with --keep-outputs: a .npz for each clip, see ``clip_outputs``
    └── journal/           what has finished, see ``clip_journal``; an evaluation that is run again starts from there
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask
from femtodriver.evaluation.clip_journal import Basis, ClipJournal, other_bases
from femtodriver.evaluation.clips_parquet import row_of, write_parquet
from femtodriver.evaluation.dask_workers import run_on_cluster
from femtodriver.evaluation.evaluation_plan import EvaluationPlan, basis_of, folder_of, job_of
from femtodriver.evaluation.evaluation_summary import summary_document
from femtodriver.evaluation.find_clips import content_digest
from femtodriver.evaluation.local_workers import run_local
from femtodriver.evaluation.summary_text import summary_text
from femtodriver.files.file_access import make_directory, write_file
from femtodriver.output.file_names import safe_name
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.stop_signals import RunStopped
from femtodriver.worker_process import cores

PARQUET, SUMMARY_JSON, SUMMARY_TEXT = "clips.parquet", "summary.json", "summary.txt"
OUTPUTS, JOURNAL = "outputs", "journal"
_CLIPS = "clips"
# The Parquet file is renewed while clips finish, but no more than a twentieth of the time goes into that.
_RENEW_S, _RENEW_SHARE = 30.0, 20.0
Say = Callable[[str], None]


def evaluate_clips(plan: EvaluationPlan, say: Say, progress: RunProgress | None) -> dict[str, Any]:
    """Run every clip that has no result yet; gives the document of ``summary.json``.

    ``say(text)`` gets what is told, ``progress("clips", done, all)`` is called after each clip. Ctrl-C leaves the
    results so far on disk and raises RunStopped, a KeyboardInterrupt.

    Raises ProgramError where results cannot be written, WorkerError where workers cannot start.
    """
    folder = folder_of(plan.request, plan.model.source.name)
    make_directory(folder / OUTPUTS if plan.request.keep_outputs else folder)
    basis = basis_of(plan)
    job = job_of(plan, basis)
    for note in (*plan.notes, *_changes(basis, other_bases(folder / JOURNAL, job.identity))):
        say(f"note: {note}")
    with ClipJournal(folder / JOURNAL, job.identity, basis) as journal:
        run = _Run(plan, job, journal, folder, basis)
        doc: dict[str, Any] = {}
        try:
            run.work(say, progress)
        except KeyboardInterrupt:
            say("the same command goes on from here")
            raise RunStopped(f"interrupted after {run.done} of {len(plan.clips.paths)} clips", signal.SIGINT) from None
        finally:
            if run.done:  # results of an earlier evaluation stay until there are others
                doc = run.write()
        return doc


def report_text(plan: EvaluationPlan, doc: Mapping[str, Any]) -> str:
    """What is told at the end."""
    folder = folder_of(plan.request, plan.model.source.name)
    files = ", ".join([PARQUET, SUMMARY_JSON, SUMMARY_TEXT, *([f"{OUTPUTS}/"] if plan.request.keep_outputs else [])])
    return f"{summary_text(doc)}\nwrote {folder}/\n  {files}"


@dataclass(eq=False)
class _Run:
    """One evaluation at work."""

    plan: EvaluationPlan
    job: ClipJob
    journal: ClipJournal
    folder: Path
    basis: Basis
    done: int = 0
    _finished: set[str] = field(default_factory=set)
    _written_at: float = 0.0
    _writing_s: float = 0.0

    def work(self, say: Say, progress: RunProgress | None) -> None:
        """Run what is left."""
        left = self._left(say)
        self._written_at = time.monotonic()
        if not left:
            return
        if progress is not None:
            progress(_CLIPS, self.done, len(self.plan.clips.paths))
        with closing(self._results(left)) as results:
            for result in results:
                self.journal.add(result)
                self._finished.add(result.name)
                self.done += 1
                if progress is not None:
                    progress(_CLIPS, self.done, len(self.plan.clips.paths))
                if time.monotonic() - self._written_at > max(_RENEW_S, _RENEW_SHARE * self._writing_s):
                    self._write_parquet()

    def _left(self, say: Say) -> list[ClipTask]:
        """The clips that have no result of this job, with their present content."""
        left, changed, failed, without_outputs = [], 0, 0, 0
        for task in self._tasks():
            if task.name not in self.journal:
                left.append(task)
                continue
            digests = [content_digest(path)[1] if path is not None else None for path in (task.path, task.reference)]
            finished = self.journal.finished(task.name, digests[0], digests[1])
            if finished and _are_kept(task.outputs, self.journal.outputs_sha256(task.name)):
                self._finished.add(task.name)
                self.done += 1
                continue
            left.append(task)
            if finished:
                without_outputs += 1
            elif self.journal.failed(task.name):
                failed += 1
            else:
                changed += 1
        if self.done:
            say(f"{self.done} of {len(self.plan.clips.paths)} clips have been run before, and are not run again")
        if failed:
            what = "1 clip that failed before is" if failed == 1 else f"{failed} clips that failed before are"
            say(f"{what} run again")
        if changed:
            what = (
                "1 clip has changed since it was" if changed == 1 else f"{changed} clips have changed since they were"
            )
            say(f"{what} run, and will be run again")
        if without_outputs:
            what = "1 clip whose outputs are" if without_outputs == 1 else f"{without_outputs} clips whose outputs are"
            say(f"{what} not in {OUTPUTS}/ will be run again")
        return left

    def _tasks(self) -> Iterator[ClipTask]:
        here = os.getcwd()
        for path in self.plan.clips.paths:
            outputs = None
            if self.plan.request.keep_outputs:
                outputs = os.path.abspath(self.folder / OUTPUTS / f"{safe_name(path)}.npz")
            yield ClipTask(path, here, self.plan.references.get(path), outputs)

    def _results(self, left: list[ClipTask]) -> Generator[ClipResult, None, None]:
        request = self.plan.request
        if request.scheduler is not None:
            return run_on_cluster(self.job, left, request.scheduler, request.scheduler_timeout)
        return run_local(self.job, left, min(request.workers or cores(), len(left)))

    def write(self) -> dict[str, Any]:
        """Everything that is there: rows and summary, whose document it gives."""
        self._write_parquet()
        clips, classes = len(self.plan.clips.paths), self.plan.labels.classes
        doc = summary_document(self._rows(), clips, self.plan.runners, classes, {"basis": dict(self.basis)})
        write_file(self.folder / SUMMARY_JSON, (json.dumps(doc, indent=2) + "\n").encode("utf-8"))
        write_file(self.folder / SUMMARY_TEXT, (summary_text(doc) + "\n").encode("utf-8"))
        return doc

    def _write_parquet(self) -> None:
        start = time.monotonic()
        write_parquet(self.folder / PARQUET, self._rows(), self.plan.runners, self.basis)
        self._written_at = time.monotonic()
        self._writing_s = self._written_at - start

    def _rows(self) -> Iterator[dict[str, Any]]:
        names = (path for path in self.plan.clips.paths if path in self._finished)
        for result in self.journal.results(names):
            yield row_of(result, self.plan.labels, self.plan.references)


def _are_kept(outputs: str | None, sha256: str | None) -> bool:
    """Whether the file is the one that was written; another evaluation in the folder may have replaced it."""
    if outputs is None:
        return True
    return sha256 is not None and os.path.isfile(outputs) and content_digest(outputs)[1] == sha256


def _changes(basis: Basis, others: list[Basis]) -> list[str]:
    """What is not as it was in the last evaluation in this folder, if there was one."""
    if not others:
        return []
    names = [name for name, value in basis.items() if others[0].get(name) != value]
    return [f"{', '.join(names)}: changed since the last evaluation in this folder, whose results are not used"]
