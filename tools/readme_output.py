"""Replace the output that README and pages of docs/ show by what their commands print today.

``python tools/readme_output.py``. In a page, a command between backticks stands alone on its line (it may be broken),
and its output follows between the output marks; with ``<!-- output from WORD -->``, from the line on that begins so.
What must have run before is in comments, ``<!-- before: ... -->``. All commands of a page run in one folder, from the
top.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/diff.md", "docs/profile.md", "docs/quantization.md", "docs/sweep.md")
STEP = re.compile(
    r"^<!-- before: femtodrive (?P<before>[^>]+) -->$"
    r"|^`femtodrive (?P<shown>[^`]+)`\n\n<!-- output(?: from (?P<first>\w+))? -->\n"
    r"```\n(?P<output>.*?)```\n<!-- /output -->",
    re.M | re.S,
)


def with_output(text: str, run: Callable[[Sequence[str]], str]) -> str:
    """The page with the outputs that ``run`` gives for the words of each command."""

    def step(found: re.Match[str]) -> str:
        words = shlex.split(found["before"] or found["shown"])
        output = run([str(ROOT / word) if word.startswith("examples/") else word for word in words])
        if found["before"]:
            return found[0]
        if found["first"]:
            output = output[output.index(f"\n{found['first']}") + 1 :]
        start, end = (place - found.start() for place in found.span("output"))
        return found[0][:start] + output + found[0][end:]

    return STEP.sub(step, text)


def main() -> None:
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder:

            def run(words: Sequence[str], folder: str = folder) -> str:
                command = [sys.executable, "-m", "femtodriver", *words]
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                if done.stderr:
                    sys.exit(f"{shlex.join(command)}: {done.stderr}")
                return done.stdout

            path = ROOT / page
            path.write_text(with_output(path.read_text("utf-8"), run), "utf-8")


if __name__ == "__main__":
    main()
