"""What users of the reference know and this version does not have yet: refused in one sentence, never pretended."""

from __future__ import annotations

from typing import NoReturn

from femtodriver.errors import UsageError


def refuse_femtocrux(forced_compile: bool, forced_sim: bool) -> None:
    """UsageError if one of the switches for the femtocrux backend is set."""
    for name, forced in (("force_femtocrux_compile", forced_compile), ("force_femtocrux_sim", forced_sim)):
        if forced:
            raise UsageError(
                f"{name}: must not be set, because the femtocrux backend comes in a later version; leave it out to use "
                "our own compiler and simulator."
            )


def no_docker(what: str) -> UsageError:
    """The error of methods that would talk to docker."""
    return UsageError(
        f"{what}: there is no container, because the femtocrux backend comes in a later version; nothing needs to be "
        "done, our own compiler runs inside this process."
    )


class NotYet:
    """Methods of the reference that need docker. All of them raise UsageError in this version."""

    def get_docker_logs(self) -> NoReturn:
        """Not available in this version: the femtocrux backend comes later."""
        raise no_docker("get_docker_logs")

    def cleanup_docker_containers(self) -> NoReturn:
        """Not available in this version: the femtocrux backend comes later."""
        raise no_docker("cleanup_docker_containers")
