"""Our containers: how they are marked, found and removed.

The vendor's client sets name and labels itself, so the mark is an environment variable of the container. It says which
process started it, so that cleaning up leaves alone what another process is using.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.errors import BackendError
from femtodriver.femtocrux.client_failures import missing_client, no_engine
from femtodriver.safe_text import one_line

MARK = "OPEN_FEMTODRIVER_SESSION"
ALL = "all"
SOCKET = "unix://"
USUAL_ADDRESS = "unix:///var/run/docker.sock"
VENDOR_IMAGE = "ghcr.io/femtosense/femtocrux"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ContainerMark:
    """Who started a container: the computer, the process there, and which of its services."""

    host: str
    process: int
    token: str

    @property
    def text(self) -> str:
        """The value of the variable."""
        return f"{self.host}:{self.process}:{self.token}"

    @property
    def is_used(self) -> bool:
        """Whether another process of this computer that still runs has started it."""
        if self.host != socket.gethostname() or self.process == os.getpid():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it runs, but is somebody else's
            return True
        return True


def fresh_mark() -> ContainerMark:
    """A mark that no other container has."""
    return ContainerMark(socket.gethostname(), os.getpid(), secrets.token_hex(8))


def read_mark(environment: list[str]) -> ContainerMark | None:
    """The mark in the environment of a container, as the engine lists it; None for one that is not ours."""
    for entry in environment:
        name, _, value = entry.partition("=")
        host, _, rest = value.partition(":")
        process, _, token = rest.partition(":")
        if name == MARK and process.isdecimal() and token:
            return ContainerMark(host, int(process), token)
    return None


def remove_marked(mark: ContainerMark) -> None:
    """Remove the container with this mark, if it is there; does nothing in a process that was forked off.

    If the engine does not answer, that is logged: there is nobody left who could do something about it.
    """
    if mark.process != os.getpid():
        return
    try:
        with _engine(_connected()) as engine:
            for container in _containers(engine):
                if read_mark(_environment(container)) == mark:
                    _remove(container)
    except BackendError as error:
        _log.debug("%s", error)


def clean_up(which: bool | str, say: Callable[[str], None]) -> int:
    """Remove containers that earlier runs have left; how many.

    ``which``: "all" for every running one of the vendor's image, whoever started it, as the reference does it;
    otherwise those with our mark whose process has ended. ``say(text)`` gets a line for each.
    Without an engine or the package docker there is nothing to remove, and that is told. BackendError where the
    engine does not do what it is asked.
    """
    removed = 0
    try:
        connected = _connected()
    except BackendError as error:
        say(f"no containers to stop: {error}")
        return 0
    with _engine(connected) as engine:
        for container in _containers(engine, running=which == ALL):
            mark = read_mark(_environment(container))
            if which == ALL:
                chosen = str(_config(container).get("Image", "")).startswith(VENDOR_IMAGE)
            else:
                chosen = mark is not None and not mark.is_used
                if mark is not None and not chosen:
                    say(f"left alone: container {_name(container)}, which process {mark.process} is using")
            if chosen:
                _remove(container)
                say(f"removed: container {_name(container)}")
                removed += 1
    if not removed:
        say("no containers to stop")
    return removed


def _connected() -> Any:
    """A connection to the container engine. BackendError if there is none."""
    try:
        import docker
    except ImportError:
        raise BackendError(missing_client("docker")) from None
    address = os.environ.get("DOCKER_HOST") or USUAL_ADDRESS
    if os.name == "posix" and address.startswith(SOCKET) and not os.path.exists(address.removeprefix(SOCKET)):
        raise BackendError(no_engine(f"{one_line(address)} is not there"))
    try:
        return docker.from_env()
    except (docker.errors.DockerException, OSError) as error:
        raise BackendError(no_engine(one_line(str(error))[:200])) from None


@contextlib.contextmanager
def _engine(connected: Any) -> Iterator[Any]:
    """The engine, whose errors become a BackendError; closed afterwards."""
    import docker

    try:
        yield connected
    except (docker.errors.DockerException, OSError) as error:
        raise BackendError(
            f"femtocrux: the container engine must list and remove containers, but says: {one_line(str(error))[:200]}. "
            "Look at it with docker ps, or podman ps."
        ) from None
    finally:
        connected.close()


def _containers(engine: Any, running: bool = False) -> list[Any]:
    found: list[Any] = engine.containers.list(all=not running, ignore_removed=True)
    return found


def _environment(container: Any) -> list[str]:
    return _config(container).get("Env") or []


def _config(container: Any) -> Mapping[str, Any]:
    config: Mapping[str, Any] = container.attrs.get("Config") or {}
    return config


def _name(container: Any) -> str:
    return one_line(str(container.name))


def _remove(container: Any) -> None:
    """Gone afterwards; it may be on its way already."""
    import docker

    with contextlib.suppress(docker.errors.NotFound):
        try:
            container.remove(force=True)
        except docker.errors.APIError as error:
            if error.response is None or error.response.status_code != 409:  # "removal is already in progress"
                raise
