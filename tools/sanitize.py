"""Runs tests of the native loop with the address and the undefined-behaviour sanitizer of the C++ compiler.

    python tools/sanitize.py [--short] [PYTEST ARGUMENTS ...]    (default: tests/native tests/corpus)

The loop of this processor is built again with the sanitizers, in its own place, and is as it was afterwards. Needs g++
with libasan and libubsan.
``--short`` is what `make test` runs: the tests of the loop and a part of the corpus, or a sentence where the compiler
has no sanitizers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from femtodriver.native.library import AVX2, BASELINE, FOLDER, find_library, source_hash

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["-std=c++17", "-O1", "-g", "-fPIC", "-shared", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
KINDS = {"baseline": (BASELINE, []), "avx2": (AVX2, ["-mavx2"])}
# Loops, both kinds of tables, messages between cores, wide numbers, sparse weights of every form, branches.
PART_OF_CORPUS = "biquad or eights or conditional or fft64 or i24_chain or loop_tanh or strided or tdnn_kws_M"
SHORT = ["tests/native", "tests/corpus", "-k", f"native or {PART_OF_CORPUS}"]


def main(arguments: list[str]) -> int:
    """Build, test, and build again as before; pytest's exit status."""
    short = arguments[:1] == ["--short"]
    library = find_library()
    trouble = library if isinstance(library, str) else _trouble()
    if isinstance(library, str) or trouble:
        print(f"the native loop is not tested with sanitizers: {trouble}")
        return 0 if short else 1
    name, more = KINDS[library.instructions]
    loaded = FOLDER / name
    kept = loaded.read_bytes()
    identity = f'-DFEMTO_SOURCE="{source_hash(FOLDER)}"'
    flags = [*FLAGS, *more]
    try:
        subprocess.run(["g++", *flags, identity, str(FOLDER / "loop.cpp"), "-o", str(loaded)], check=True)
        runtime = [_runtime(name) for name in ("libasan.so", "libubsan.so")]
        environment = {**os.environ, "LD_PRELOAD": ":".join(runtime), "ASAN_OPTIONS": "detect_leaks=0"}
        tests = SHORT if short else arguments or ["tests/native", "tests/corpus"]
        return subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, env=environment).returncode
    finally:
        loaded.write_bytes(kept)


def _trouble() -> str:
    """Why the compiler cannot do it, or ""."""
    if not shutil.which("g++"):
        return "there is no g++"
    missing = [name for name in ("libasan.so", "libubsan.so") if not Path(_runtime(name)).is_absolute()]
    return f"g++ has no {' and no '.join(missing)}" if missing else ""


def _runtime(name: str) -> str:
    """Where the compiler keeps a library that has to be loaded before everything else; its name if it has none."""
    return subprocess.run(
        ["g++", f"-print-file-name={name}"], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
