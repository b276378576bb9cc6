"""From facts to results: what works, what is absent, what is broken, and the next step for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from femtodriver.device.addresses import LAB_VARIABLE
from femtodriver.diagnosis.container_engine import CLIENT, NO_PACKAGE
from femtodriver.diagnosis.surroundings import BOARD_PORT, BROWSER, DISTRIBUTION, LOCAL, REDIS_PROGRAM, Surroundings

GOOD, ABSENT, BROKEN = "good", "absent", "broken"
# The groups of results, in their order.
SIMULATION, EXTRA, VENDOR, BOARDS, DEVELOPMENT = "simulation", "extras", "vendor's compiler", "boards", "development"
FOR_DEVELOPERS = ("docs", "test")
# What each extra for users is for; a test compares them with those that are declared.
EXTRAS: Mapping[str, str] = {
    "audio": "--resample",
    "completion": "completion in the shell",
    "crypto": "encrypted programs",
    "dask": "evaluations on a Dask cluster",
    "evaluate": "femtodrive evaluate",
    "femtocrux": "the vendor's compiler and simulator",
    "fmot": "models made with PyTorch",
    "hid": "EVK2 boards on USB",
    "plots": "pictures of comparisons and sweeps",
    "redis": "boards behind a redis server",
    "report": "--report",
    "torch": "PyTorch modules as models",
    "wakeword": "--frontend micro",
}


@dataclass(frozen=True)
class CheckResult:
    """``state``: GOOD, ABSENT (something optional is not there) or BROKEN. ``next_step``: "" where there is none."""

    group: str
    subject: str
    state: str
    told: str
    next_step: str = ""


def diagnose(here: Surroundings) -> tuple[CheckResult, ...]:
    """A result for each thing that we need or could use, in a fixed order, group by group."""
    return (
        _python(here),
        _self_test(here),
        _native(here),
        *_extras(here),
        _engine(here),
        _image(here),
        _virtual_board(here),
        _redis(here),
        _usb_boards(here),
        _network_boards(here),
        _browser(here),
    )


def is_sound(results: Sequence[CheckResult]) -> bool:
    """Whether nothing is broken; what is optional may be absent."""
    return all(one.state != BROKEN for one in results)


def _python(here: Surroundings) -> CheckResult:
    missing = [name for name, version in here.needed.items() if version is None]
    if missing:
        told = f"{', '.join(missing)} must be installed"
        return CheckResult(SIMULATION, "packages", BROKEN, told, f"pip install {DISTRIBUTION}")
    told = ", ".join([here.python, *(f"{name} {version}" for name, version in here.needed.items())])
    if here.tested and here.minor not in here.tested:
        told = f"{told}; Python 3.{here.tested[0]} to 3.{here.tested[-1]} were tested"
    return CheckResult(SIMULATION, "Python", GOOD, told)


def _self_test(here: Surroundings) -> CheckResult:
    if here.self_test:
        step = f"pip install --force-reinstall {DISTRIBUTION}, and report it if that does not help"
        return CheckResult(SIMULATION, "self-test", BROKEN, here.self_test, step)
    return CheckResult(SIMULATION, "self-test", GOOD, "LOOPBACK was compiled and simulated, and gave back its input")


def _native(here: Surroundings) -> CheckResult:
    subject = "native loop"
    if here.native:
        return CheckResult(SIMULATION, subject, GOOD, f"simulates, with {here.native} instructions of the processor")
    why, _, step = here.no_native.partition("; ")
    told = f"{why}; NumPy simulates, with the same results, but slower"
    return CheckResult(SIMULATION, subject, BROKEN if here.unusable else ABSENT, told, step)


def _extras(here: Surroundings) -> Iterator[CheckResult]:
    if not here.extras:
        told, step = "this copy is not installed, so it has no list of its extras", f"pip install {DISTRIBUTION}"
        yield CheckResult(EXTRA, "extras", ABSENT, told, step)
    for extra, packages in sorted(here.extras.items()):
        if extra in FOR_DEVELOPERS:
            continue
        missing = [name for name, version in packages.items() if version is None]
        purpose = EXTRAS.get(extra, "see docs/dependencies.md")
        found = [f"{name} {version}" for name, version in packages.items() if version is not None]
        if missing:
            absent = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
            told = f"{purpose}: {', '.join([*found, absent])}"
            yield CheckResult(EXTRA, extra, ABSENT, told, f"pip install '{DISTRIBUTION}[{extra}]'")
        else:
            yield CheckResult(EXTRA, extra, GOOD, f"{purpose}: {', '.join(found)}")


def _engine(here: Surroundings) -> CheckResult:
    engine, subject = here.engine, "engine"
    if engine.version:
        return CheckResult(VENDOR, subject, GOOD, f"{engine.version} answers at {engine.address}")
    told = f"none answers at {engine.address}: {engine.trouble}"
    if not engine.programs:
        step = "apt install podman, or install Docker; only --compiler femtocrux needs one"
        return CheckResult(VENDOR, subject, ABSENT, told, step)
    step = "start its service, or say in DOCKER_HOST where it is"
    if engine.trouble == NO_PACKAGE:
        step = f"pip install '{DISTRIBUTION}[{CLIENT}]'"
    return CheckResult(VENDOR, subject, ABSENT, f"{' and '.join(engine.programs)} installed, but {told}", step)


def _image(here: Surroundings) -> CheckResult:
    engine, subject = here.engine, "image"
    if engine.has_image:
        return CheckResult(VENDOR, subject, GOOD, engine.image)
    if engine.has_image is None:
        why = "there is no engine to ask for it"
        if engine.version:
            why = "its version is that of the client, which is not installed"
        return CheckResult(VENDOR, subject, ABSENT, f"{engine.image}: {why}")
    step = "--compiler femtocrux fetches it with FS_ALLOW_DOCKER_PULL=yes, and the vendor's key in GH_PACKAGE_KEY"
    return CheckResult(VENDOR, subject, ABSENT, f"{engine.image} is not on this machine", step)


def _virtual_board(here: Surroundings) -> CheckResult:
    subject, place = "virtual board", f"{LOCAL}:{BOARD_PORT}"
    if here.no_server:
        told = f"nothing can listen on the loopback interface: {here.no_server}"
        return CheckResult(BOARDS, subject, BROKEN, told, "switch on the interface lo: ip link set lo up")
    if here.board_port_taken:
        told = f"port {BOARD_PORT} is taken, perhaps by a virtual board"
        return CheckResult(BOARDS, subject, ABSENT, told, f"use that one, or another port: --listen {LOCAL}:0")
    return CheckResult(BOARDS, subject, GOOD, f"port {BOARD_PORT} is free: femtodrive board --listen {place}")


def _redis(here: Surroundings) -> CheckResult:
    subject = "redis server"
    if here.redis_answers:
        return CheckResult(BOARDS, subject, GOOD, f"one answers on port {here.redis_port}")
    if REDIS_PROGRAM in here.programs:
        told = f"{REDIS_PROGRAM} is installed; it is started on port {here.redis_port} when it is needed"
        return CheckResult(BOARDS, subject, GOOD, told)
    step = f"apt install {REDIS_PROGRAM}, or give the address of a running one"
    return CheckResult(BOARDS, subject, ABSENT, f"for boards behind one: {REDIS_PROGRAM} is not installed", step)


def _usb_boards(here: Surroundings) -> CheckResult:
    subject = "on USB"
    if here.no_boards:
        # A package that is installed and cannot be used is a fault; one that is not there is a choice.
        installed = all(here.extras.get("hid", {"hidapi": None}).values())
        why, _, step = here.no_boards.rstrip(".").rpartition("; ")
        return CheckResult(BOARDS, subject, BROKEN if installed else ABSENT, why, step)
    if not here.boards:
        return CheckResult(BOARDS, subject, ABSENT, "no EVK2 is connected", "connect one, and check the rights on it")
    unready = [board for board in here.boards if not board.flashed]
    told = ", ".join(f"{one.serial or 'no serial number'} ({one.product or 'no product'})" for one in here.boards)
    if unready:
        told, step = f"{told}; {len(unready)} not flashed", "flash the firmware of its maker"
        return CheckResult(BOARDS, subject, BROKEN, told, step)
    return CheckResult(BOARDS, subject, GOOD, told)


def _network_boards(here: Surroundings) -> CheckResult:
    subject = "on the network"
    if here.lab is None:
        told = "none is configured: a ZCU104 is found by its address alone"
        return CheckResult(BOARDS, subject, ABSENT, told, "--hardware zynq --address HOST[:PORT]")
    told = f"{LAB_VARIABLE} is set: --hardware zynq without an address goes to {here.lab}, which was not asked"
    return CheckResult(BOARDS, subject, GOOD, told)


def _browser(here: Surroundings) -> CheckResult:
    if BROWSER in here.programs:
        return CheckResult(DEVELOPMENT, BROWSER, GOOD, "tests of this project use it; reports open in any browser")
    told = "not needed: reports open in any browser, only tests of this project use it"
    return CheckResult(DEVELOPMENT, BROWSER, ABSENT, told)
