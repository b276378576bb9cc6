"""Replace the output that README shows by what its command prints today: ``python tools/readme_output.py``."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"(^`femtodrive ([^`]+)`\n\n<!-- output -->\n```\n)(.*?)(```\n<!-- /output -->)", re.M | re.S)


def main() -> None:
    text = README.read_text("utf-8")
    found = BLOCK.search(text)
    if found is None:
        sys.exit("README.md: must have a command and its output between the output marks.")
    words = [str(ROOT / word) if word.startswith("examples/") else word for word in shlex.split(found[2])]
    command = [sys.executable, "-m", "femtodriver", *words]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    README.write_text(text[: found.start(3)] + done.stdout + text[found.end(3) :], "utf-8")


if __name__ == "__main__":
    main()
