"""Which containers are ours, and which of them are removed; with an engine that is made up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from femtodriver.errors import BackendError
from femtodriver.femtocrux import marked_containers
from femtodriver.femtocrux.marked_containers import MARK, ContainerMark, clean_up, fresh_mark, read_mark, remove_marked

docker = pytest.importorskip("docker")
HOST = socket.gethostname()


class FakeContainer:
    """A container of an image, with an environment; ``failure``: what removing it raises."""

    def __init__(
        self, name: str, image: str, environment: Sequence[str] = (), failure: Exception | None = None
    ) -> None:
        self.name, self.failure, self.gone = name, failure, False
        self.attrs = {"Config": {"Image": image, "Env": list(environment)}}

    def remove(self, force: bool) -> None:
        if self.failure is not None:
            raise self.failure
        self.gone = True


def engine_with(monkeypatch: pytest.MonkeyPatch, *containers: FakeContainer) -> None:
    class Engine:
        def __init__(self) -> None:
            self.containers = self

        def list(self, all: bool, ignore_removed: bool) -> Any:
            return containers

        def close(self) -> None:
            """As docker's."""

    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setattr(docker, "from_env", Engine)


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_mark_is_read_back() -> None:
    mark = fresh_mark()
    assert read_mark(["A=1", f"{MARK}={mark.text}"]) == mark
    assert mark != fresh_mark()
    assert (mark.host, mark.process) == (HOST, os.getpid())


@pytest.mark.parametrize("value", ["", "x", "x:1", "x:one:t", "x:1:", f"{HOST}::t"])
def test_something_else_in_the_variable_is_no_mark(value: str) -> None:
    assert read_mark([f"{MARK}={value}"]) is None


def test_clean_up_removes_what_ended_runs_of_ours_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, mine = ContainerMark(HOST, ended_process(), "a"), ContainerMark(HOST, os.getpid(), "b")
    used, far = ContainerMark(HOST, os.getppid(), "c"), ContainerMark("elsewhere", os.getppid(), "d")
    ours = [FakeContainer(f"ours_{m.token}", "i", [f"{MARK}={m.text}"]) for m in (ended, mine, used, far)]
    other = FakeContainer("other", "ghcr.io/femtosense/femtocrux:3.11.6", ["FS_HW_CFG=x"])
    engine_with(monkeypatch, *ours, other)
    told: list[str] = []
    assert clean_up(True, told.append) == 3
    assert [container.gone for container in (*ours, other)] == [True, True, False, True, False]
    assert told[2] == f"left alone: container ours_c, which process {os.getppid()} is using"


def test_clean_up_all_goes_by_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    vendors = FakeContainer("vendors", "ghcr.io/femtosense/femtocrux:3.11.6")
    ours = FakeContainer("ours", "localhost/stand-in:1", [f"{MARK}={fresh_mark().text}"])
    engine_with(monkeypatch, vendors, ours)
    told: list[str] = []
    assert clean_up("all", told.append) == 1
    assert (vendors.gone, ours.gone, told) == (True, False, ["removed: container vendors"])


def test_nothing_to_remove_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    engine_with(monkeypatch)
    told: list[str] = []
    assert clean_up(True, told.append) == 0
    assert told == ["no containers to stop"]


def test_a_container_may_vanish_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = fresh_mark()
    busy = type("Response", (), {"status_code": 409})()
    gone = FakeContainer("gone", "i", [f"{MARK}={mark.text}"], docker.errors.NotFound("gone"))
    going = FakeContainer("going", "i", [f"{MARK}={mark.text}"], docker.errors.APIError("busy", response=busy))
    last = FakeContainer("last", "i", [f"{MARK}={mark.text}"])
    engine_with(monkeypatch, gone, going, last)
    remove_marked(mark)
    assert last.gone


def test_only_the_container_with_the_mark_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    mark, other = fresh_mark(), fresh_mark()
    containers = [FakeContainer("c", "i", [f"{MARK}={one.text}"]) for one in (mark, other)]
    engine_with(monkeypatch, *containers)
    remove_marked(mark)
    assert [container.gone for container in containers] == [True, False]


def test_a_process_that_was_forked_off_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = ContainerMark(HOST, os.getppid(), "x")
    container = FakeContainer("c", "i", [f"{MARK}={mark.text}"])
    engine_with(monkeypatch, container)
    remove_marked(mark)
    assert not container.gone


def test_without_an_engine_clean_up_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    told: list[str] = []
    assert clean_up(True, told.append) == 0
    assert told[0].startswith("no containers to stop: femtocrux: a container engine must be running")
    assert "; start Docker, or podman's socket" in told[0]
    remove_marked(fresh_mark())  # nobody could do anything about it


def test_without_the_package_docker_clean_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    told: list[str] = []
    assert clean_up(True, told.append) == 0
    assert "no containers to stop: femtocrux: the package docker must be installed" in told[0]


def test_other_errors_of_the_engine_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = ContainerMark(HOST, ended_process(), "a")
    engine_with(monkeypatch, FakeContainer("c", "i", [f"{MARK}={mark.text}"], docker.errors.APIError("disk full")))
    with pytest.raises(BackendError, match="disk full"):
        marked_containers.clean_up(True, print)
