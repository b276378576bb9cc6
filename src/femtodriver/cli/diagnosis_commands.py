"""``femtodrive doctor`` and ``femtodrive devices``: what this installation can do, and what is connected."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.diagnosis_requests import DevicesRequest, DoctorRequest

EXIT_BROKEN = 1
ABOUT_DOCTOR = (
    "Looks at the native loop, the extras, ports, boards and programs of this machine, runs LOOPBACK in memory, and\n"
    "says the next step for whatever is absent. Nothing is changed, and nobody but this machine is asked.\n\n"
    "exit status\n"
    "  0 nothing is broken (what is optional may be absent), 1 something is broken, 2 wrong usage"
)
ABOUT_DEVICES = (
    "Boards on a network cannot be listed; docs/devices.md says how they are addressed.\n\n"
    "exit status\n"
    "  0 done, also if none is connected; 2 wrong usage; 3 boards cannot be listed"
)


def doctor(request: DoctorRequest) -> int:
    """Print what works here; 1 if something is broken."""
    from femtodriver.diagnosis.diagnose import diagnose, is_sound
    from femtodriver.diagnosis.diagnosis_text import diagnosis_json, diagnosis_text
    from femtodriver.diagnosis.surroundings import look_around

    here = look_around()
    results = diagnose(here)
    print(diagnosis_json(here, results) if request.json else diagnosis_text(here, results))
    return 0 if is_sound(results) else EXIT_BROKEN


def devices(request: DevicesRequest) -> int:
    """Print the boards on USB."""
    from femtodriver.device.evk2.usb_boards import boards_with
    from femtodriver.output.summary import devices_text

    print(devices_text(boards_with(request.spu), request.spu))
    return 0


DOCTOR = Command(DoctorRequest, ABOUT_DOCTOR, doctor, ("femtodrive doctor", "femtodrive doctor --json"))
DEVICES = Command(DevicesRequest, ABOUT_DEVICES, devices, ("femtodrive devices", "femtodrive devices SPU001"))
