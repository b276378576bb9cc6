"""What goes wrong in the vendor's client, as one sentence each.

The client raises whatever happened to it: RuntimeError, AssertionError, plain Exception, AttributeError, errors of
docker, gRPC and termios. Which failure it is shows in the type's name and in the text.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from femtodriver.errors import BackendError, FemtoError
from femtodriver.safe_text import one_line

START, COMPILE, SIMULATE = "start", "compile", "simulate"
MOST_TEXT = 600
IMAGE = "FEMTOCRUX_SERVER_IMAGE_NAME"
SERVER_SAYS = "Client received error from compiler server:"
_USUAL_IMAGE = "ghcr.io/femtosense/femtocrux:VERSION"
_log = logging.getLogger(__name__)


class ClientFailures:
    """A block in which only the vendor's client works: any Exception of it becomes a BackendError.

    ``stage``: START, COMPILE or SIMULATE. ``what``: the model, in messages.
    """

    def __init__(self, stage: str, what: str = "") -> None:
        self._stage, self._what = stage, what

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, FemtoError):
            _log.debug("femtocrux: %s: %s", type(error).__name__, one_line(str(error)))
            raise BackendError(sentence(error, self._stage, self._what)) from error


def missing_client(name: str) -> str:
    """The sentence about a package that is not installed."""
    return (
        f"femtocrux: the package {name} must be installed for the vendor's compiler, which it is not; "
        "pip install 'open-femtodriver[femtocrux]', or use our own compiler and simulator."
    )


def no_engine(reason: str) -> str:
    """The sentence about a container engine that does not answer."""
    return (
        f"femtocrux: a container engine must be running for the vendor's compiler, but none answers ({reason}); "
        "start Docker, or podman's socket and set DOCKER_HOST, or use our own compiler and simulator."
    )


def sentence(error: Exception, stage: str, what: str = "") -> str:
    """What has happened and what to do, for an exception that the client has let out."""
    failure = _Failure(error, stage, what)
    for applies, tell in _RULES:
        if applies(failure):
            return tell(failure)
    where = f"femtocrux: {what}: " if what else "femtocrux: "
    return (
        f"{where}the vendor's client must {_TASKS[stage]}, but failed with {type(error).__name__}: {failure.text}. "
        "--debug shows what it printed; the container's log may say more (get_docker_logs)."
    )


_TASKS = {START: "start the compiler's container", COMPILE: "compile the network", SIMULATE: "simulate the network"}


@dataclass(frozen=True)
class _Failure:
    error: Exception
    stage: str
    what: str

    @property
    def text(self) -> str:
        """What the exception says, on one line."""
        details: Any = getattr(self.error, "details", None)
        told = details() if callable(details) else None
        return _short(str(told) if told else str(self.error))

    @property
    def kinds(self) -> set[str]:
        """The names of its class and of those that it inherits from."""
        return {kind.__name__ for kind in type(self.error).__mro__}

    @property
    def code(self) -> str:
        """The status of gRPC, "" for other exceptions."""
        code: Any = getattr(self.error, "code", None)
        return str(getattr(code() if callable(code) else None, "name", ""))

    def says(self, *words: str) -> bool:
        """Whether its text has all these words."""
        return all(word in str(self.error).lower() for word in words)


def _short(text: str) -> str:
    line = " ".join(one_line(part.strip()) for part in text.splitlines() if part.strip()).rstrip(".")
    return line if len(line) <= MOST_TEXT else f"{line[:MOST_TEXT]}..."


def _image() -> str:
    return os.environ.get(IMAGE) or _USUAL_IMAGE


def _no_image(failure: _Failure) -> str:
    return (
        f"femtocrux: the image {one_line(_image())} must be on this machine, but is not ({failure.text}); fetch it "
        f"with FS_ALLOW_DOCKER_PULL=yes and the vendor's key in GH_PACKAGE_KEY, or name another one in {IMAGE}."
    )


def _no_password(failure: _Failure) -> str:
    return (
        f"femtocrux: the image {one_line(_image())} must be fetched with a password, but there is no terminal to ask "
        "for it; put the vendor's key in GH_PACKAGE_KEY, or set FS_ALLOW_DOCKER_PULL=no and bring the image yourself."
    )


def _versions(failure: _Failure) -> str:
    return (
        "femtocrux: client and image must have the same version, but do not "
        f"({failure.text or 'the client does not say which'}); install the client of the image's version, or "
        f"unset {IMAGE}."
    )


def _unhealthy(failure: _Failure) -> str:
    return (
        f"femtocrux: the image {one_line(_image())} must start a healthy compiler service, but did not "
        f"({failure.text}); look whether it is the vendor's image, and whether memory suffices."
    )


def _too_large(failure: _Failure) -> str:
    return (
        f"femtocrux: {failure.what or 'the network'}: a message to the compiler must have at most 32 MiB, but is "
        f"larger ({failure.text}); use a smaller network or fewer frames, or our own compiler and simulator."
    )


def _gone(failure: _Failure) -> str:
    return (
        f"femtocrux: {failure.what or 'the service'}: the compiler's container must answer, but does not "
        f"({failure.code}: {failure.text}); it may have been stopped or run out of memory: run the command again."
    )


def _server_error(failure: _Failure) -> str:
    told = _short(str(failure.error).replace(SERVER_SAYS, "", 1)) or "it does not say why"
    return (
        f"femtocrux: {failure.what or 'the network'}: the vendor's compiler must be able to "
        f"{'compile' if failure.stage == COMPILE else 'simulate'} it, but refuses: {told}. Change the network, or use "
        "our own compiler and simulator."
    )


def _not_installed(failure: _Failure) -> str:
    return missing_client(str(getattr(failure.error, "name", None) or "femtocrux"))


_RULES: tuple[tuple[Callable[[_Failure], bool], Callable[[_Failure], str]], ...] = (
    (lambda it: "ModuleNotFoundError" in it.kinds, _not_installed),
    (lambda it: SERVER_SAYS in str(it.error), _server_error),
    (lambda it: it.code == "RESOURCE_EXHAUSTED", _too_large),
    (lambda it: "RpcError" in it.kinds, _gone),
    (lambda it: it.stage == START and "AssertionError" in it.kinds, _versions),
    (lambda it: it.says("health check"), _unhealthy),
    (lambda it: it.says("docker daemon"), lambda it: no_engine(it.text)),
    (lambda it: "ImageNotFound" in it.kinds or it.says("image", "not found"), _no_image),
    (lambda it: it.says("pull", "disabled") or it.says("docker pull"), _no_image),
    (lambda it: type(it.error).__module__ == "termios" or "EOFError" in it.kinds, _no_password),
    (lambda it: it.stage == START and "AttributeError" in it.kinds and it.says("nonetype"), _no_password),
    (lambda it: type(it.error).__name__ == "DockerException", lambda it: no_engine(it.text)),
)
