"""What users of the reference know and this version does not have yet: refused in one sentence, never pretended."""

from __future__ import annotations

from typing import NoReturn

from femtodriver.errors import UsageError

DEFAULT_HARDWARE = "fakezynq"
_RUNNERS_NOW = "use the runners fqir, fmir, fasmir and dummy until then"


def refuse_femtocrux(forced_compile: bool, forced_sim: bool) -> None:
    """UsageError if one of the switches for the femtocrux backend is set."""
    for name, forced in (("force_femtocrux_compile", forced_compile), ("force_femtocrux_sim", forced_sim)):
        if forced:
            raise UsageError(
                f"{name}: must not be set, because the femtocrux backend comes in a later version; leave it out to use "
                "our own compiler and simulator."
            )


def refuse_devices(hardware: str, address: object) -> None:
    """UsageError if a device is asked for."""
    if hardware != DEFAULT_HARDWARE:
        raise UsageError(
            f"hardware: must not be given ({hardware!r}); devices come in a later version; {_RUNNERS_NOW}."
        )
    if address is not None:
        raise UsageError(f"zynq_host: must not be given; devices come in a later version; {_RUNNERS_NOW}.")


def no_docker(what: str) -> UsageError:
    """The error of methods that would talk to docker."""
    return UsageError(
        f"{what}: there is no container, because the femtocrux backend comes in a later version; nothing needs to be "
        "done, our own compiler runs inside this process."
    )


class NotYet:
    """Methods of the reference that need a board or docker. All of them raise UsageError in this version."""

    def create_SPURunner(self, *arguments: object, **options: object) -> NoReturn:  # noqa: N802 (the reference's name)
        """Not available in this version: devices come later."""
        raise UsageError(f"create_SPURunner: devices come in a later version; {_RUNNERS_NOW}.")

    def get_docker_logs(self) -> NoReturn:
        """Not available in this version: the femtocrux backend comes later."""
        raise no_docker("get_docker_logs")

    def cleanup_docker_containers(self) -> NoReturn:
        """Not available in this version: the femtocrux backend comes later."""
        raise no_docker("cleanup_docker_containers")
