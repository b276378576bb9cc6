"""Every failure of the vendor's client is one sentence that says what to do."""

from __future__ import annotations

import pytest

from femtodriver.errors import BackendError, UsageError
from femtodriver.femtocrux.client_failures import COMPILE, SIMULATE, START, ClientFailures


class RpcError(Exception):
    """As gRPC's: a status and details."""

    def __init__(self, name: str, details: str) -> None:
        super().__init__("<_InactiveRpcError of RPC that terminated with: ...>")
        self._name, self._details = name, details

    def code(self) -> object:
        return type("StatusCode", (), {"name": self._name})()

    def details(self) -> str:
        return self._details


class DockerException(Exception):
    """As docker's."""


class ImageNotFound(DockerException):
    """As docker's."""


TerminalError = type("error", (Exception,), {"__module__": "termios"})


@pytest.mark.parametrize(
    ("stage", "error", "says", "advises"),
    [
        (START, ModuleNotFoundError("No", name="femtocrux"), "the package femtocrux must be installed", "pip install"),
        (START, ModuleNotFoundError("No", name="grpc"), "the package grpc must be installed", "[femtocrux]'"),
        (COMPILE, ModuleNotFoundError("No", name="fmot"), "the package fmot must be installed", "[femtocrux]'"),
        (
            START,
            RuntimeError("Failed to connect to the Docker daemon. Is it on?"),
            "a container engine must be running",
            "start Docker, or podman's socket and set DOCKER_HOST",
        ),
        (START, DockerException("Error while fetching server API version"), "a container engine must", "start Docker"),
        (
            START,
            RuntimeError("Docker image x:1 not found locally. Pull disabled."),
            "femtocrux: the image some/image:2 must be on this machine",
            "FS_ALLOW_DOCKER_PULL=yes and the vendor's key in GH_PACKAGE_KEY",
        ),
        (START, ImageNotFound("404"), "must be on this machine", "FEMTOCRUX_SERVER_IMAGE_NAME"),
        (START, TerminalError(25, "Inappropriate ioctl"), "there is no terminal to ask", "GH_PACKAGE_KEY"),
        (
            START,
            AttributeError("'NoneType' object has no attribute 'fileno'"),
            "there is no terminal",
            "GH_PACKAGE_KEY",
        ),
        (START, EOFError("EOF when reading a line"), "there is no terminal", "FS_ALLOW_DOCKER_PULL=no"),
        (
            START,
            AssertionError("Client 3.11.6, server 3.0.0"),
            "(Client 3.11.6, server 3.0.0)",
            "install the client of",
        ),
        (
            START,
            RuntimeError("Docker container failed 5 health check(s)!\nno module"),
            "(Docker container failed 5 health check(s)! no module)",
            "look whether it is the vendor's image",
        ),
        (
            COMPILE,
            RuntimeError("Client received error from compiler server:\nunsupported: conv9\nsecond line"),
            "net.pt: the vendor's compiler must be able to compile it, but refuses: unsupported: conv9 second line.",
            "Change the network",
        ),
        (
            SIMULATE,
            RuntimeError("Client received error from compiler server:\n"),
            "must be able to simulate it, but refuses: it does not say why.",
            "use our own compiler and simulator",
        ),
        (COMPILE, RpcError("RESOURCE_EXHAUSTED", "41 > 32"), "at most 32 MiB, but is larger (41 > 32)", "fewer frames"),
        (SIMULATE, RpcError("UNAVAILABLE", "reset"), "does not (UNAVAILABLE: reset)", "run the command again"),
        (COMPILE, Exception("No iospec"), "must compile the network, but failed with Exception: No iospec.", "--debug"),
        (SIMULATE, AttributeError("no x"), "must simulate the network, but failed with AttributeError: no x", "log"),
        (
            START,
            TypeError("x" * 2000),
            "must start the compiler's container, but failed with TypeError: xxx",
            "--debug",
        ),
    ],
)
def test_a_failure_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, stage: str, error: Exception, says: str, advises: str
) -> None:
    monkeypatch.setenv("FEMTOCRUX_SERVER_IMAGE_NAME", "some/image:2")
    with pytest.raises(BackendError) as found, ClientFailures(stage, "net.pt"):
        raise error
    text = str(found.value)
    assert text.startswith("femtocrux: ")
    assert says in text
    assert advises in text
    assert "\n" not in text
    assert len(text) < 1000
    assert found.value.__cause__ is error


def test_our_own_errors_and_interruptions_pass() -> None:
    with pytest.raises(UsageError, match="ours"), ClientFailures(START):
        raise UsageError("ours")
    with pytest.raises(KeyboardInterrupt), ClientFailures(START):
        raise KeyboardInterrupt
    with ClientFailures(START):
        pass


def test_what_a_server_says_cannot_reach_the_terminal_raw() -> None:
    with pytest.raises(BackendError) as found, ClientFailures(COMPILE):
        raise RuntimeError("Client received error from compiler server:\n\x1b[31mred\x1b[0m")
    assert "\x1b" not in str(found.value)
