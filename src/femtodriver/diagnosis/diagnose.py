"""From facts to results: what works, what is absent, what is broken, and the next step for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from femtodriver.diagnosis.surroundings import BROWSER, DISTRIBUTION, ENGINES, REDIS_PROGRAM, Surroundings

GOOD, ABSENT, BROKEN = "good", "absent", "broken"
FOR_TESTS = "test"
# What each extra is for; a test compares them with those that are declared.
EXTRAS: Mapping[str, str] = {
    "audio": "--resample",
    "crypto": "encrypted programs",
    "dask": "evaluations on a Dask cluster",
    "evaluate": "femtodrive evaluate",
    "femtocrux": "the compiler and simulator of the vendor",
    "fmot": "models that are made with PyTorch",
    "hid": "EVK2 boards on USB",
    "plots": "pictures of comparisons and sweeps",
    "redis": "boards behind a redis server",
    "report": "--report",
    "wakeword": "--frontend micro",
}


@dataclass(frozen=True)
class CheckResult:
    """``state``: GOOD, ABSENT (something optional is not there) or BROKEN. ``next_step``: "" where there is none."""

    subject: str
    state: str
    told: str
    next_step: str = ""


def diagnose(here: Surroundings) -> tuple[CheckResult, ...]:
    """A result for each thing that we need or could use, in a fixed order."""
    return (
        _self_test(here),
        _native(here),
        *_extras(here),
        _virtual_board(here),
        _usb_boards(here),
        _redis(here),
        _engine(here),
        _browser(here),
    )


def is_sound(results: Sequence[CheckResult]) -> bool:
    """Whether nothing is broken; what is optional may be absent."""
    return all(one.state != BROKEN for one in results)


def _self_test(here: Surroundings) -> CheckResult:
    if here.self_test:
        step = f"pip install --force-reinstall {DISTRIBUTION}, and report it if that does not help"
        return CheckResult("self-test", BROKEN, here.self_test, step)
    return CheckResult("self-test", GOOD, "LOOPBACK was compiled and simulated, and gave back its input")


def _native(here: Surroundings) -> CheckResult:
    if here.native:
        return CheckResult("native loop", GOOD, f"simulates, with {here.native} instructions of the processor")
    why, _, step = here.no_native.partition("; ")
    return CheckResult("native loop", ABSENT, f"{why}; NumPy simulates, with the same results, but slower", step)


def _extras(here: Surroundings) -> Iterator[CheckResult]:
    if not here.extras:
        step = f"pip install {DISTRIBUTION}"
        yield CheckResult("extras", ABSENT, "this copy is not installed, so it has no list of its extras", step)
    for extra, packages in sorted(here.extras.items()):
        if extra == FOR_TESTS:
            continue
        missing = [name for name, version in packages.items() if version is None]
        subject, purpose = f"extra {extra}", EXTRAS.get(extra, "see docs/dependencies.md")
        if missing:
            step = f"pip install '{DISTRIBUTION}[{extra}]'"
            yield CheckResult(subject, ABSENT, f"for {purpose}: {', '.join(missing)} not installed", step)
        else:
            versions = ", ".join(f"{name} {version}" for name, version in packages.items())
            yield CheckResult(subject, GOOD, f"for {purpose}: {versions}")


def _virtual_board(here: Surroundings) -> CheckResult:
    if here.no_server:
        told = f"nothing can listen on the loopback interface: {here.no_server}"
        return CheckResult("virtual board", BROKEN, told, "switch on the interface lo: ip link set lo up")
    return CheckResult("virtual board", GOOD, "femtodrive board --listen 127.0.0.1:7007 can serve one")


def _usb_boards(here: Surroundings) -> CheckResult:
    subject = "boards on USB"
    if here.no_boards:
        # A package that is installed and cannot be used is a fault; one that is not there is a choice.
        installed = all(here.extras.get("hid", {"hidapi": None}).values())
        why, _, step = here.no_boards.rstrip(".").rpartition("; ")
        return CheckResult(subject, BROKEN if installed else ABSENT, why, step)
    if not here.boards:
        return CheckResult(subject, ABSENT, "no EVK2 is connected", "connect one, and check the rights on it")
    unready = [board for board in here.boards if not board.flashed]
    told = ", ".join(f"{one.serial or 'no serial number'} ({one.product or 'no product'})" for one in here.boards)
    if unready:
        return CheckResult(subject, BROKEN, f"{told}; {len(unready)} not flashed", "flash the firmware of its maker")
    return CheckResult(subject, GOOD, told)


def _redis(here: Surroundings) -> CheckResult:
    if here.redis_answers:
        return CheckResult("redis server", GOOD, f"one answers on port {here.redis_port}")
    if REDIS_PROGRAM in here.programs:
        return CheckResult("redis server", GOOD, f"{REDIS_PROGRAM} is there, and is started when it is needed")
    step = f"apt install {REDIS_PROGRAM}, or give the address of a running one"
    return CheckResult("redis server", ABSENT, f"for boards behind one: {REDIS_PROGRAM} is not installed", step)


def _engine(here: Surroundings) -> CheckResult:
    found = [name for name in ENGINES if name in here.programs]
    if found:
        return CheckResult("container engine", GOOD, f"{', '.join(found)}; our own compiler needs none")
    return CheckResult("container engine", ABSENT, "not needed: our own compiler runs without containers")


def _browser(here: Surroundings) -> CheckResult:
    if BROWSER in here.programs:
        return CheckResult(BROWSER, GOOD, "tests of this project use it; reports open in any browser")
    return CheckResult(BROWSER, ABSENT, "not needed: reports open in any browser, only tests of this project use it")
