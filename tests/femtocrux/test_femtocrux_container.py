"""The whole way through a real container: our driver, a client with the documented signatures, a service of our own."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.femtocrux.conftest import ROOT

docker = pytest.importorskip("docker")
pytest.importorskip("grpc")
pytest.importorskip("fmot")
pytestmark = [pytest.mark.slow, pytest.mark.fmot]
SPOTTER = ROOT / "examples" / "keyword_spotter" / "keyword_spotter.pt"
STAND_IN = "import sys, tests.femtocrux.stand_in_client as client; sys.modules['femtocrux'] = client\n"
COMMAND = STAND_IN + "from femtodriver.cli import main; sys.exit(main())"
LIBRARY = STAND_IN + "from femtodriver import Femtodriver\ndriver = Femtodriver()\n"
COMPILE = f"driver.compile({str(SPOTTER)!r}, compiler='femtocrux')\n"
SLOW = f"driver.compile({str(SPOTTER)!r}, compiler='femtocrux', opt_profile='conservative')\n"


def started(script: str, words: list[str], engine: str, image: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "DOCKER_HOST": engine, "FEMTOCRUX_SERVER_IMAGE_NAME": image, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", script, *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(script: str, words: list[str], engine: str, image: str, folder: Path) -> tuple[int, str, str]:
    process = started(script, words, engine, image, folder)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def containers(engine: str) -> list[Any]:
    client = docker.DockerClient(engine)
    try:
        found: list[Any] = client.containers.list(all=True, ignore_removed=True)
        return found
    finally:
        client.close()


def wait_for_compile(engine: str) -> None:
    """Until the service says that it compiles."""
    for _ in range(300):
        if any(b"compile" in one.logs() for one in containers(engine)):
            return
        time.sleep(0.1)
    pytest.fail("the service has not begun to compile")


def test_compiled_and_simulated_in_a_container(engine: str, image: str, tmp_path: Path) -> None:
    words = [str(SPOTTER), "--compiler", "femtocrux", "--runners", "femtocrux,fqir"]
    status, out, err = done(COMMAND, words, engine, image, tmp_path)
    assert (status, err) == (0, "")
    assert "femtocrux = fqir, 8 frames, bit-exact" in out
    assert (tmp_path / "model_datas/keyword_spotter/meta_from_femtocrux/metadata.yaml").is_file()
    assert containers(engine) == []


def test_gone_at_the_end_of_an_interpreter_that_closes_nothing(engine: str, image: str, tmp_path: Path) -> None:
    status, out, err = done(LIBRARY + COMPILE + "print(driver.get_docker_logs())", [], engine, image, tmp_path)
    assert (status, err) == (0, "")
    assert "for spu1p3v1.dat" in out
    assert containers(engine) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("library", [False, True])
def test_a_signal_ends_it_and_the_container(
    engine: str, image: str, tmp_path: Path, number: signal.Signals, library: bool
) -> None:
    words = [] if library else [str(SPOTTER), "--compiler", "femtocrux", "--opt-profile", "conservative"]
    process = started(LIBRARY + SLOW if library else COMMAND, words, engine, image, tmp_path)
    wait_for_compile(engine)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode in (128 + number, -number)
    assert "Traceback" not in err or (library and number == signal.SIGINT)
    assert containers(engine) == []
    assert list(tmp_path.iterdir()) == []


def test_what_kill_leaves_is_removed_by_cleaning_up(engine: str, image: str, tmp_path: Path) -> None:
    process = started(LIBRARY + SLOW, [], engine, image, tmp_path)
    wait_for_compile(engine)
    used, _, _ = done(COMMAND, ["--cleanup-docker"], engine, image, tmp_path)
    assert (used, len(containers(engine))) == (0, 1)
    process.kill()
    process.communicate(timeout=20)
    status, out, _ = done(COMMAND, ["--cleanup-docker"], engine, image, tmp_path)
    assert (status, "removed: container femtocrux_server" in out) == (0, True)
    assert containers(engine) == []


def test_another_version_is_told_and_leaves_nothing(engine: str, old_image: str, tmp_path: Path) -> None:
    status, _, err = done(COMMAND, [str(SPOTTER), "--compiler=femtocrux"], engine, old_image, tmp_path)
    assert status == 1
    assert "client and image must have the same version, but do not" in err
    assert containers(engine) == []


def test_a_service_that_does_not_get_healthy_is_told_and_leaves_nothing(
    engine: str, sick_image: str, tmp_path: Path
) -> None:
    status, _, err = done(COMMAND, [str(SPOTTER), "--compiler=femtocrux"], engine, sick_image, tmp_path)
    assert status == 1
    assert f"the image {sick_image} must start a healthy compiler service, but did not" in err
    assert "not healthy" in err
    assert containers(engine) == []


def test_a_missing_image_is_told(engine: str, tmp_path: Path) -> None:
    status, _, err = done(COMMAND, [str(SPOTTER), "--compiler=femtocrux"], engine, "localhost/gone:1", tmp_path)
    assert status == 1
    assert "the image localhost/gone:1 must be on this machine" in err


@pytest.mark.skipif(importlib.util.find_spec("femtocrux") is None, reason="the vendor's client is not installed")
def test_the_vendors_own_client(engine: str, image: str, tmp_path: Path) -> None:
    script = "import sys; from femtodriver.cli import main; sys.exit(main())"
    words = [str(SPOTTER), "--compiler", "femtocrux", "--runners", "femtocrux,fqir"]
    status, out, _ = done(script, words, engine, image, tmp_path)
    assert (status, "femtocrux = fqir, 8 frames, bit-exact" in out) == (0, True)
    assert containers(engine) == []
