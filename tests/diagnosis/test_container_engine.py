"""The container engine is asked briefly, if it is on this machine; a stand-in for the package docker answers."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from femtodriver.diagnosis.container_engine import NO_PACKAGE, look_at_engine


class EngineError(Exception):
    """What the package raises."""


class NotFoundError(EngineError):
    """The same, for an image."""


class Client:
    """An engine with one image."""

    silent = False
    closed = 0

    def __init__(self, base_url: str, version: str, timeout: float) -> None:
        if self.silent:
            raise EngineError("it does not answer")
        self.images = self

    def version(self) -> dict[str, Any]:
        return {"Version": "5.4", "Components": [{"Name": "Podman Engine"}]}

    def get(self, image: str) -> None:
        if image != "ghcr.io/femtosense/femtocrux:3.11.6":
            raise NotFoundError(image)

    def close(self) -> None:
        Client.closed += 1


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with the socket of an engine, whose package is there."""
    errors = SimpleNamespace(DockerException=EngineError, NotFound=NotFoundError)
    monkeypatch.setitem(sys.modules, "docker", SimpleNamespace(DockerClient=Client, errors=errors))
    monkeypatch.setattr(Client, "silent", False)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "socket").touch()
    return {"DOCKER_HOST": f"unix://{tmp_path}/socket"}


@pytest.mark.parametrize(
    ("client", "image", "has_image"), [("3.11.6", None, True), ("3.9", None, False), ("3.11.6", "mine:1", False)]
)
def test_an_engine_that_answers_says_whether_it_has_the_image(
    given: dict[str, str], client: str, image: str | None, has_image: bool
) -> None:
    before = Client.closed
    found = look_at_engine(client, given | ({"FEMTOCRUX_SERVER_IMAGE_NAME": image} if image else {}))
    assert (found.version, found.trouble, found.has_image) == ("Podman 5.4", "", has_image)
    assert found.image == (image or f"ghcr.io/femtosense/femtocrux:{client}")
    assert Client.closed == before + 1


def test_without_a_client_nobody_knows_which_image(given: dict[str, str]) -> None:
    found = look_at_engine(None, given)
    assert (found.version, found.image, found.has_image) == ("Podman 5.4", "ghcr.io/femtosense/femtocrux", None)


def test_why_no_engine_answers(given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = look_at_engine(None, {"DOCKER_HOST": f"unix://{tmp_path}/gone"})
    assert (gone.programs, gone.version, gone.trouble) == ((), "", "there is no such socket")
    far = look_at_engine(None, {"DOCKER_HOST": "tcp://192.0.2.1:2375"})
    assert far.trouble == "it is not on this machine, so it was not asked"
    assert look_at_engine(None, {}).address == "unix:///var/run/docker.sock"
    monkeypatch.setattr(Client, "silent", True)
    assert look_at_engine("3.9", given).trouble == "it does not answer"
    monkeypatch.setitem(sys.modules, "docker", None)
    assert look_at_engine("3.9", given).trouble == NO_PACKAGE
