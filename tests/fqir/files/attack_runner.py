"""Loads the files named on the command line, one after the other, and prints a JSON line about each.

Run as a process of its own (``python -m tests.fqir.files.attack_runner``): the memory and what the loader touches are
those of the loader alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from femtodriver.errors import ModelError
from femtodriver.fqir.exchange import load_fqir
from femtodriver.fqir.files.load_network import load_network
from tests.fqir.files.work import Work

EXECUTING = ("import", "exec", "compile", "os.", "subprocess.", "socket.", "ctypes.", "pickle.", "marshal.", "shutil.")


class Watch:
    """Notes every event of the interpreter that loading a file must never cause."""

    def __init__(self) -> None:
        self.active = False
        self.events: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.active and event.startswith(EXECUTING):
            self.events.append(event)

    @contextmanager
    def on(self) -> Iterator[None]:
        self.events, self.active = [], True
        yield
        self.active = False


def outcome(path: Path) -> tuple[str, str]:
    try:
        (load_fqir if path.suffix == ".fqir" else load_network)(path)
    except ModelError as error:
        return "refused", str(error)
    except BaseException as error:  # noqa: BLE001  (whatever else happens is what the test is after)
        return "crashed", f"{type(error).__name__}: {error!s:.300}"
    return "loaded", ""


STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def forget_peak() -> None:
    """Start the measurement of the peak anew, where the system can."""
    if CLEAR.exists():
        CLEAR.write_text("5")


def peak_bytes() -> int:
    """Largest memory of this process. Linux: since ``forget_peak``; elsewhere: since its start."""
    if STATUS.exists():
        # Not ru_maxrss: that begins with the size of the process that started this one.
        found = next(line for line in STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 1024
    import resource  # not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(good: str, folder: str) -> None:
    watch = Watch()
    sys.addaudithook(watch)
    outcome(Path(good))  # imports what numpy imports late
    for path in sorted(Path(folder).iterdir()):
        forget_peak()
        with watch.on(), Work() as work:
            verdict, message = outcome(path)
        row = {"case": path.name, "verdict": verdict, "message": message, "calls": work.calls, "peak": peak_bytes()}
        print(json.dumps({**row, "events": watch.events}))


if __name__ == "__main__":
    main(*sys.argv[1:])
