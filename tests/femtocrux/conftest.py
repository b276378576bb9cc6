"""A container engine and the image of the stand-in service, where there are tools for them; else tests are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT.parent / "shared" / "tools"
IMAGE = "localhost/femtocrux-stand-in"
SERVER = "/femtocrux/femtocrux/server"


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The address of a container engine of our own; skipped where none can be started, or nobody asked for it."""
    if os.environ.get("FEMTODRIVER_CONTAINERS") != "1":
        pytest.skip("`make test-docker` runs the tests that start containers; they take minutes")
    tool = TOOLS / "container-engine"
    if not tool.exists() or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a container engine needs ../shared/tools/container-engine, and root")
    with tempfile.TemporaryDirectory(prefix="fx", dir="/tmp") as folder:
        started = subprocess.run([tool, "start", folder], capture_output=True, text=True, timeout=400, check=False)
        if started.returncode:
            pytest.skip(f"no container engine can be started here: {started.stderr.strip()[-200:]}")
        try:
            yield started.stdout.strip().splitlines()[-1].removeprefix("DOCKER_HOST=")
        finally:
            subprocess.run([tool, "purge", folder], capture_output=True, timeout=120, check=False)


@pytest.fixture(scope="session")
def image(engine: str) -> str:
    """The image of the stand-in service, of the version that the client wants."""
    return build_image(engine, f"{IMAGE}:1", "3.11.6")


@pytest.fixture(scope="session")
def old_image(engine: str, image: str) -> str:
    """The same, of another version."""
    return build_image(engine, f"{IMAGE}:old", "3.0.0")


@pytest.fixture(scope="session")
def sick_image(engine: str, image: str) -> str:
    """The same, whose health check fails."""
    return build_image(engine, f"{IMAGE}:sick", "3.11.6", "raise SystemExit('not healthy')\n")


def build_image(engine: str, tag: str, version: str, health: str = "") -> str:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copy(HERE / "stand_in_service.py", folder)
        shared = folder / "tests" / "femtocrux"
        shared.mkdir(parents=True)
        shutil.copy(HERE / "stand_in_messages.py", shared)
        shutil.copytree(ROOT / "src" / "femtodriver", folder / "femtodriver")
        (folder / "healthcheck.py").write_text(health)
        words = [
            str(TOOLS / "container-image"),
            str(folder),
            tag,
            "--at",
            SERVER,
            "--env",
            f"STAND_IN_VERSION={version}",
        ]
        words += ["--entrypoint", f"python3 {SERVER}/stand_in_service.py", "--port", "50051"]
        for package in ("grpcio", "numpy", "PyYAML"):
            words += ["--pip", package]
        built = subprocess.run(
            words, env={**os.environ, "DOCKER_HOST": engine}, capture_output=True, text=True, timeout=300, check=False
        )
        if built.returncode:
            pytest.skip(f"the image cannot be built here: {built.stderr.strip()[-200:]}")
    return tag
