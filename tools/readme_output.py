"""Replace the output that README and pages of docs/ show by what their commands print today.

``python tools/readme_output.py [PAGE...]``; ``page_steps.py`` says what of a page is run, and what is output.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from page_steps import NO_CODE, ROOT, Step, pages, steps_of
from run_page import PageRun, shown

OUTPUTS = ("output", "part of the output")


def with_output(page: str, text: str) -> str:
    """The page with the output that its steps print now; run it in an empty folder."""
    lines = text.splitlines(keepends=True)
    replaced: list[tuple[Step, str]] = []
    with PageRun() as run:
        for step in steps_of(page, text):
            if step.kind in OUTPUTS:
                replaced.append((step, shown(step, run.output)))
            elif step.kind not in ("not run", "checked by", *NO_CODE):
                run.run(step)
    for step, output in reversed(replaced):
        lines[slice(*step.lines)] = output.splitlines(keepends=True)
    return "".join(lines)


def main() -> None:
    chosen = sys.argv[1:] or pages()
    for page in chosen:
        path = ROOT / page
        before = path.read_text("utf-8")
        if not any(step.kind in OUTPUTS for step in steps_of(page, before)):
            continue
        with _empty_folder():
            path.write_text(with_output(page, before), "utf-8")


@contextlib.contextmanager
def _empty_folder() -> Iterator[None]:
    """An empty folder, which is the current one meanwhile."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
