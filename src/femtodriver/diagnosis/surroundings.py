"""What is around us: packages, programs, ports, boards. Facts alone; ``diagnose`` judges them."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

import numpy as np

from femtodriver import __version__
from femtodriver.device.addresses import lab_address, redis_port
from femtodriver.device.evk2.usb_boards import EvkBoard, list_boards
from femtodriver.diagnosis.container_engine import CLIENT, ContainerEngine, look_at_engine
from femtodriver.driver.facade import Femtodriver
from femtodriver.errors import DeviceError, FemtoError
from femtodriver.model.loopback import NAME, WIDTH
from femtodriver.native.library import find_library, unusable_library

DISTRIBUTION = "open-femtodriver"
LOCAL = "127.0.0.1"
BOARD_PORT = 7007  # where our documents put a virtual board
REDIS_PROGRAM = "redis-server"
BROWSER = "chromium"
OURS = "FS_"
_CONNECT_S = 0.5
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*\bextra == '([^']+)'")
_NEEDED = re.compile(r"([A-Za-z0-9._-]+)(?!.*;)")
_TESTED = re.compile(r"Programming Language :: Python :: 3\.(\d+)")


@dataclass(frozen=True)
class Surroundings:
    """``tool``, ``python``, ``system``: versions in words. ``tested``: the minor versions of Python 3 that were tested,
    and ``minor``: the one here. ``needed``: {package: version} of what is always needed, and ``extras``: {extra:
    {package: version, None if it is not installed}}. ``self_test``: why LOOPBACK does not run, "" if it does.
    ``native``: what the native loop uses, "" if there is none, and then ``no_native`` says why; ``unusable``: whether
    it was built all the same. ``no_server``: why nothing can listen on the loopback interface, "" if it can;
    ``board_port_taken``: whether somebody listens on BOARD_PORT. ``programs``: which of the programs that we may use
    are there. ``redis_port``: where this user's redis server is, and ``redis_answers``. ``boards``: those on USB, and
    ``no_boards``: why they cannot be listed. ``lab``: the address of the lab's board, None if it was not asked for.
    ``variables``: the environment variables for us that are set.
    """

    tool: str
    python: str
    system: str
    tested: tuple[int, ...]
    minor: int
    needed: Mapping[str, str | None]
    extras: Mapping[str, Mapping[str, str | None]]
    self_test: str
    native: str
    no_native: str
    unusable: bool
    no_server: str
    board_port_taken: bool
    programs: tuple[str, ...]
    redis_port: int
    redis_answers: bool
    boards: tuple[EvkBoard, ...]
    no_boards: str
    lab: str | None
    engine: ContainerEngine
    variables: tuple[str, ...]


def look_around() -> Surroundings:
    """What is here now. Nothing is changed, and nobody but this machine is asked."""
    library = find_library()
    boards: tuple[EvkBoard, ...] = ()
    no_boards = ""
    try:
        boards = list_boards()
    except DeviceError as error:
        no_boards = str(error)
    port = redis_port()
    return Surroundings(
        tool=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        tested=tested_versions(),
        minor=sys.version_info.minor,
        needed={name: _version(name) for name in _needed()},
        extras=installed_extras(),
        self_test=why_no_run(),
        native="" if isinstance(library, str) else library.instructions,
        no_native=library if isinstance(library, str) else "",
        unusable=bool(unusable_library()),
        no_server=why_no_server(),
        board_port_taken=answers(BOARD_PORT),
        programs=tuple(name for name in (REDIS_PROGRAM, BROWSER) if shutil.which(name)),
        redis_port=port,
        redis_answers=answers(port),
        boards=boards,
        no_boards=no_boards,
        lab=lab_address(),
        engine=look_at_engine(_version(CLIENT)),
        variables=tuple(sorted(name for name in os.environ if name.startswith(OURS))),
    )


def installed_extras() -> dict[str, dict[str, str | None]]:
    """The extras as they were declared where we were installed; none where we were not."""
    found: dict[str, dict[str, str | None]] = {}
    for requirement in _declared():
        parts = _REQUIREMENT.match(requirement)
        if parts is not None:
            found.setdefault(parts[2], {})[parts[1]] = _version(parts[1])
    return found


def tested_versions() -> tuple[int, ...]:
    """The minor versions of Python 3 that the installed package names; () where it names none."""
    try:
        named = metadata.metadata(DISTRIBUTION).get_all("Classifier") or []
    except metadata.PackageNotFoundError:
        named = []
    return tuple(sorted(int(found[1]) for line in named if (found := _TESTED.fullmatch(str(line)))))


def why_no_run() -> str:
    """Compiles and simulates LOOPBACK in memory: why that fails, "" if its input comes back."""
    try:
        driver = Femtodriver()
        driver.load_model(NAME)
        driver.compile_metadata()
        frame = np.arange(WIDTH).reshape(1, WIDTH)
        outputs = driver.simulate({"x": frame})[0]["outputs"]["fasmir"]
    except FemtoError as error:
        return str(error)
    same = all(np.array_equal(values, frame) for values in outputs.values())
    return "" if same else "LOOPBACK does not give back its input."


def why_no_server() -> str:
    """Why nothing can listen on the loopback interface, "" if it can."""
    try:
        socket.create_server((LOCAL, 0)).close()
    except OSError as error:
        return str(error.strerror or error)
    return ""


def answers(port: int) -> bool:
    """Whether somebody listens on this port of the loopback interface."""
    try:
        socket.create_connection((LOCAL, port), _CONNECT_S).close()
    except OSError:
        return False
    return True


def _declared() -> list[str]:
    try:
        return metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []


def _needed() -> list[str]:
    """What we need whatever the Python and the extras."""
    return [found[1] for requirement in _declared() if (found := _NEEDED.match(requirement))]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
