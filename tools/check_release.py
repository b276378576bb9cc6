"""Installs wheels into empty environments, away from the sources, and sees whether they work there.

    python tools/check_release.py [FOLDER]                     # default: dist, as build_release.py left it
    python tools/check_release.py dist --python /usr/bin/python3.12

Each wheel is installed for each Python, 3.10 to 3.13, that is found on PATH or below ~/.pyenv or uv's folder. It has to
run LOOPBACK and the keyword spotter on the machine that it is made for, and mypy has to see its types. Packages come
from the package index, in the versions of constraints.txt. Needs mypy (`make test-release` has it).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPOTTER = ROOT / "examples" / "keyword_spotter"
MINORS = (10, 11, 12, 13)
RUNNERS = "fqir,fmir,fasmir"
# Only types that come from the installed wheel can tell one of these lines from the other.
TYPED = """\
from femtodriver import Femtodriver

folder, path, size = Femtodriver().compile("LOOPBACK", output_dir="made")
{line}
"""
GOOD_LINE, BAD_LINE = "bytes_of_it: int = size", "bytes_of_it: str = size"
Install = Callable[[Path, Path], None]
"""Puts a wheel, and what it needs, into the environment of a Python: (python, wheel)."""


class CheckError(Exception):
    """A wheel does not do what it should; the message says what."""


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 1 where a wheel does not work, or there is nothing to try."""
    parser = argparse.ArgumentParser(description="install wheels into empty environments, and try them")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist", help="with the wheels (default: dist)")
    parser.add_argument("--python", type=Path, action="append", help="only this Python; may be repeated")
    options = parser.parse_args(words)
    wheels, pythons = sorted(options.folder.glob("*.whl")), options.python or find_pythons()
    if not wheels:
        print(f"{options.folder}: must have wheels in it, but has none; run make release", file=sys.stderr)
        return 1
    failed = False
    for python in pythons:
        for wheel in wheels:
            try:
                told = check_wheel(wheel, python, install_from_index)
            except CheckError as error:
                failed, told = True, f"FAILED: {error}"
            print(f"{wheel.name}, {version_of(python)}: {told}", flush=True)
    return int(failed)


def find_pythons() -> list[Path]:
    """A Python of each minor version that is to be had; what is not is named."""
    found = []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in MINORS:
        places = [
            Path(shutil.which(f"python3.{minor}") or f"python3.{minor}"),
            *sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python")),
            *sorted(Path.home().glob(f".local/share/uv/python/cpython-3.{minor}.*/bin/python3")),
        ]
        usable = next((path for path in places if version_of(path)), None)
        if usable is None:
            print(f"Python 3.{minor}: not found, so not tried")
        else:
            found.append(usable)
    return found


def version_of(python: Path) -> str:
    """Such as "Python 3.12.1"; "" where it does not run."""
    try:
        done = subprocess.run([python, "--version"], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def check_wheel(wheel: Path, python: Path, install: Install) -> str:
    """What was seen, in words. CheckError for the first thing that is not as it should be."""
    native = not wheel.name.endswith("-any.whl")
    machine = "native loop" if native else "NumPy machine"
    with tempfile.TemporaryDirectory(prefix="wheel-") as scratch:
        folder = Path(scratch, "work")
        folder.mkdir()
        for name in ("keyword_spotter.pt", "words.npz"):
            shutil.copy(SPOTTER / name, folder)
        inner = Path(scratch, "venv", "bin", "python")
        run([python, "-m", "venv", "--without-pip", inner.parents[1]], folder)
        install(inner, wheel)
        _check_place(inner, folder)
        _check_runs(inner.with_name("femtodrive"), wheel, machine, folder)
        _check_types(inner, folder)
    return f"runs on the {machine}, bit-exact; typed"


def install_from_index(python: Path, wheel: Path) -> None:
    """With pip, and with the versions that we have tested."""
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    run([*pip, "--constraint", ROOT / "constraints.txt", wheel.resolve()], ROOT)


def run(words: Sequence[str | Path], folder: Path, status: int = 0) -> str:
    """What a command prints, in an environment without traces of ours. CheckError for another exit status."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FS_", "MYPY"))}
    done = subprocess.run(list(map(str, words)), cwd=folder, env=variables, capture_output=True, text=True)
    if done.returncode != status:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise CheckError(f"{' '.join(map(str, words))}: exit status {done.returncode}: {lines[-1] if lines else ''}")
    return done.stdout + done.stderr


def _check_place(python: Path, folder: Path) -> None:
    place = run([python, "-c", "import femtodriver; print(femtodriver.__file__)"], folder).strip()
    if not Path(place).resolve().is_relative_to(python.parents[1].resolve()):
        raise CheckError(f"femtodriver must come from the environment, not from {place}")


def _check_runs(femtodrive: Path, wheel: Path, machine: str, folder: Path) -> None:
    version = wheel.name.split("-")[1]
    _expect(f"femtodrive {version} ({machine}", run([femtodrive, "--version"], folder))
    _expect("bit-exact", run([femtodrive, "LOOPBACK", "--runners", RUNNERS], folder))
    spotter: list[str | Path] = [femtodrive, "keyword_spotter.pt", "--runners", RUNNERS, "--input-file", "words.npz"]
    _expect("fqir = fmir = fasmir, 248 frames, bit-exact", run(spotter, folder))
    (metrics,) = folder.glob("model_datas/keyword_spotter/**/metrics.txt")
    _expect(f"version {version}, {machine}", metrics.read_text("utf-8"))
    if machine == "NumPy machine":
        _expect("the native loop was not built", run([*spotter, "--machine", "native"], folder, status=1))
    _expect("nothing is broken", run([femtodrive, "doctor"], folder))


def _check_types(python: Path, folder: Path) -> None:
    mypy: list[str | Path] = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "typed.py"]
    (folder / "typed.py").write_text(TYPED.format(line=GOOD_LINE), "utf-8")
    run(mypy, folder)
    (folder / "typed.py").write_text(TYPED.format(line=BAD_LINE), "utf-8")
    _expect("typed.py:4: error: Incompatible types in assignment", run(mypy, folder, status=1))


def _expect(text: str, said: str) -> None:
    if text not in said:
        raise CheckError(f"must say {text!r}, but says {said.strip()[-300:]!r}")


if __name__ == "__main__":
    sys.exit(main())
