"""Builds the native loop (src/femtodriver/native/) into the wheel, or leaves it out where that cannot be done.

Nothing is needed but a C++17 compiler (``CXX``, c++, g++ or clang++). Without one, or if it fails, the wheel is pure
Python and programs run on the NumPy machine. ``FEMTODRIVER_NATIVE=0`` leaves the loop out; ``=1`` insists on it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("src/femtodriver/native")
FLAGS = ["-std=c++17", "-O3", "-fPIC", "-shared", "-fvisibility=hidden"]
# The loop depends on nothing that a machine without a compiler may lack.
ALONE = ["-static-libstdc++", "-static-libgcc"] if sys.platform == "linux" else []
KINDS = {"loop_baseline.so": []} | ({"loop_avx2.so": ["-mavx2"]} if platform.machine() in ("x86_64", "AMD64") else {})


class NativeLoop(BuildHookInterface):
    """The hook that hatchling calls before it writes a wheel, editable ones included."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = os.environ.get("FEMTODRIVER_NATIVE", "")
        folder = Path(self.root) / FOLDER
        for name in KINDS:
            (folder / name).unlink(missing_ok=True)
        trouble = "FEMTODRIVER_NATIVE is 0" if wanted == "0" else _build(folder)
        if not trouble:
            build_data["artifacts"] += [f"{FOLDER}/{name}" for name in KINDS]
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        elif wanted == "1":
            raise RuntimeError(f"the native loop must be built (FEMTODRIVER_NATIVE=1), but: {trouble}")
        else:
            self.app.display_warning(f"open-femtodriver: without the native loop, because {trouble}")


def source_hash(folder: Path) -> str:
    """SHA-256 of all sources in order of their names; ``femtodriver.native.library`` has the same."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.?pp")))).hexdigest()


def _build(folder: Path) -> str:
    """Compile every kind; what stood in the way, or "" for nothing."""
    compiler = os.environ.get("CXX") or next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if not compiler:
        return "no C++ compiler was found (CXX, c++, g++, clang++)"
    identity = f'-DFEMTO_SOURCE="{source_hash(folder)}"'
    for name, flags in KINDS.items():
        unfinished = folder / f"{name}.new"  # loading half a library would end Python
        command = [
            *compiler.split(),
            *FLAGS,
            *ALONE,
            *flags,
            identity,
            str(folder / "loop.cpp"),
            "-o",
            str(unfinished),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{compiler} could not be run: {error}"
        if done.returncode:
            return f"{compiler} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no message'}"
        unfinished.replace(folder / name)
    return ""
