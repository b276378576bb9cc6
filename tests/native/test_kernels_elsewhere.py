"""The kernels of other processors: built and run alone, and emulated where this one cannot run them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from femtodriver.native.library import FOLDER

NEON = ("aarch64-linux-gnu-g++", "qemu-aarch64-static")


def run_check(compiler: list[str], emulator: list[str], folder: Path) -> str:
    """Build ``check_kernels.cpp`` and run it; what it says."""
    source, program = Path(__file__).with_name("check_kernels.cpp"), folder / "check_kernels"
    build = [*compiler, "-std=c++17", "-O3", f"-I{FOLDER}", "-static", str(source), "-o", str(program)]
    subprocess.run(build, check=True, timeout=200)
    done = subprocess.run([*emulator, str(program)], capture_output=True, text=True, timeout=200)
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
def test_kernels_without_avx2(tmp_path: Path) -> None:
    assert run_check(["g++"], [], tmp_path) == "all equal"


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, NEON)), reason=f"{' and '.join(NEON)} are not both there")
def test_kernels_of_neon(tmp_path: Path) -> None:
    assert run_check([NEON[0]], [NEON[1]], tmp_path) == "all equal"
