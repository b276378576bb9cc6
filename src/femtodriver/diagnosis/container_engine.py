"""The container engine of this machine and the vendor's image in it: asked briefly, and nothing is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.femtocrux.client_failures import IMAGE
from femtodriver.femtocrux.marked_containers import SOCKET, USUAL_ADDRESS, VENDOR_IMAGE

ENGINES = ("docker", "podman")
CLIENT = "femtocrux"
NO_PACKAGE = "the Python package docker, which asks it, is not installed"
_TIMEOUT_S = 3


@dataclass(frozen=True)
class ContainerEngine:
    """``programs``: the engines that are installed. ``address``: where one should answer. ``version``: of the one that
    does, "" if none does, and then ``trouble`` says why. ``image``: the vendor's that would be used, without a version
    where no client says which; ``has_image``: None where that is so, and where nobody could be asked.
    """

    programs: tuple[str, ...]
    address: str
    version: str
    trouble: str
    image: str
    has_image: bool | None


def look_at_engine(client_version: str | None, environment: Mapping[str, str] | None = None) -> ContainerEngine:
    """The engine here. ``client_version``: of the vendor's client, None if it is not installed.

    An engine on another machine is not asked.
    """
    given = os.environ if environment is None else environment
    address = given.get("DOCKER_HOST") or USUAL_ADDRESS
    image = given.get(IMAGE) or (f"{VENDOR_IMAGE}:{client_version}" if client_version else VENDOR_IMAGE)
    programs = tuple(name for name in ENGINES if shutil.which(name))
    if not address.startswith(SOCKET):
        return ContainerEngine(programs, address, "", "it is not on this machine, so it was not asked", image, None)
    if not os.path.exists(address.removeprefix(SOCKET)):
        return ContainerEngine(programs, address, "", "there is no such socket", image, None)
    version, trouble, has_image = _asked(address, image)
    return ContainerEngine(programs, address, version, trouble, image, has_image)


def _asked(address: str, image: str) -> tuple[str, str, bool | None]:
    """Version of the engine, why there is none, and whether it has the image."""
    try:
        import docker
    except ImportError:
        return "", NO_PACKAGE, None
    try:
        engine: Any = docker.DockerClient(base_url=address, version="auto", timeout=_TIMEOUT_S)
        try:
            return _named(engine.version()), "", None if image == VENDOR_IMAGE else _has(engine, image)
        finally:
            engine.close()
    except (docker.errors.DockerException, OSError) as error:
        return "", str(error), None


def _named(told: Mapping[str, Any]) -> str:
    """Name and version of an engine, as it tells them."""
    parts = told.get("Components") or [{}]
    name = str(parts[0].get("Name") or "engine").removesuffix(" Engine")
    return f"{name} {told.get('Version', '')}".strip()


def _has(engine: Any, image: str) -> bool:
    import docker

    try:
        engine.images.get(image)
    except docker.errors.NotFound:
        return False
    return True
