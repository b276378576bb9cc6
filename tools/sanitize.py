"""Runs tests of the native loop with the address and the undefined-behaviour sanitizer of the C++ compiler.

    python tools/sanitize.py [PYTEST ARGUMENTS ...]    (default: tests/native tests/corpus)

The loop is built again with the sanitizers, in its own place, and as it was afterwards. Needs g++ with libasan.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from femtodriver.native.library import AVX2, BASELINE, FOLDER, source_hash

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["-std=c++17", "-O1", "-g", "-fPIC", "-shared", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
KINDS = {BASELINE: [], AVX2: ["-mavx2"]}


def main(arguments: list[str]) -> int:
    """Build, test, and build again as before; pytest's exit status."""
    kept = {name: (FOLDER / name).read_bytes() for name in KINDS if (FOLDER / name).exists()}
    identity = f'-DFEMTO_SOURCE="{source_hash(FOLDER)}"'
    try:
        for name in kept:
            command = ["g++", *FLAGS, *KINDS[name], identity, str(FOLDER / "loop.cpp"), "-o", str(FOLDER / name)]
            subprocess.run(command, check=True)
        runtime = [_runtime(name) for name in ("libasan.so", "libubsan.so")]
        environment = {**os.environ, "LD_PRELOAD": ":".join(runtime), "ASAN_OPTIONS": "detect_leaks=0"}
        tests = arguments or ["tests/native", "tests/corpus"]
        return subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, env=environment).returncode
    finally:
        for name, content in kept.items():
            (FOLDER / name).write_bytes(content)


def _runtime(name: str) -> str:
    """Where the compiler keeps a library that has to be loaded before everything else."""
    return subprocess.run(
        ["g++", f"-print-file-name={name}"], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
