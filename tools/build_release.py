"""Builds what a release consists of: source archive, wheels, bill of materials and checksums.

    python tools/build_release.py [FOLDER]      # default: dist, which is emptied first

Everything is built twice, in different folders, and must have the same bytes; the second time from the source archive
alone, without git. The wheels are

    *-py3-none-any.whl              pure Python: programs run on the NumPy machine
    *-py3-none-manylinux_*.whl      with the native loop; linux_* where auditwheel is missing or refuses the better tag

Needs the packages of the dependency group `release` and a C++ compiler (`make release` installs the packages).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bill_of_materials import bill_of_materials, check_schema

ROOT = Path(__file__).resolve().parents[1]
CHECKSUMS = "SHA256SUMS"
EPOCH = "SOURCE_DATE_EPOCH"
# Where there is no git to ask, hatchling's own: the second of February 2020.
DEFAULT_EPOCH = "1580601600"


class BuildError(Exception):
    """Something could not be built; the message is what is told."""


def main(target: Path) -> int:
    """Exit status: 1 where something cannot be built, or the second build differs from the first."""
    try:
        with tempfile.TemporaryDirectory(prefix="release-") as scratch:
            first, second = (Path(scratch, name) for name in ("first", "second"))
            variables = {EPOCH: source_date_epoch(ROOT)}
            build_all(ROOT, first, variables)
            build_all(unpacked(next(first.glob("*.tar.gz")), Path(scratch)), second, variables)
            if differing := differences(first, second):
                raise BuildError(f"not reproducible: {', '.join(differing)} differ from one build to the next")
            check_schema(next(first.glob("*.cdx.json")).read_text("utf-8"))
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(first, target)
    except (BuildError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in sorted(target.iterdir()):
        print(f"{path.stat().st_size:>10,}  {path}")
    print("built twice, the second time from the source archive, with the same bytes")
    return 0


def build_all(source: Path, to: Path, variables: Mapping[str, str]) -> None:
    """Build everything from a folder with the sources into another, which is made."""
    to.mkdir(parents=True)
    sdist = build_sdist(source, to, variables)
    with tempfile.TemporaryDirectory(prefix="sources-") as scratch:  # the libraries of this checkout stay as they are
        inner = unpacked(sdist, Path(scratch))
        build_wheel(inner, to, variables, native=False)
        portable(build_wheel(inner, to, variables, native=True), variables)
        name = sdist.name.removesuffix(".tar.gz")
        (to / f"{name}.cdx.json").write_text(bill_of_materials(inner, int(variables[EPOCH])), "utf-8")
    write_checksums(to)


def build_sdist(source: Path, to: Path, variables: Mapping[str, str]) -> Path:
    """The source archive of a folder."""
    _run(["-m", "hatchling", "build", "-t", "sdist", "-d", str(to.resolve())], source, variables)
    return next(to.glob("*.tar.gz"))


def build_wheel(source: Path, to: Path, variables: Mapping[str, str], *, native: bool) -> Path:
    """A wheel with the native loop, or without it. A library that lies in ``source`` is replaced or removed."""
    before = set(to.glob("*.whl"))
    wanted = {**variables, "FEMTODRIVER_NATIVE": str(int(native))}
    _run(["-m", "hatchling", "build", "-t", "wheel", "-d", str(to.resolve())], source, wanted)
    (made,) = set(to.glob("*.whl")) - before
    return made


def portable(wheel: Path, variables: Mapping[str, str]) -> Path:
    """Replaces a wheel by the same with a manylinux tag, the widest one that auditwheel finds true.

    Without auditwheel, or outside of Linux, the wheel stays as it is.
    """
    if not sys.platform.startswith("linux") or importlib.util.find_spec("auditwheel") is None:
        print(f"{wheel.name}: without a manylinux tag, because auditwheel is not installed")
        return wheel
    to = wheel.parent / "repaired"
    programs = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
    words = ["-m", "auditwheel", "repair", "--wheel-dir", str(to.resolve()), str(wheel.resolve())]
    try:
        _run(words, wheel.parent, {**variables, **programs})
    except BuildError as error:
        print(f"{wheel.name}: without a manylinux tag: {error}")
        return wheel
    (repaired,) = to.glob("*.whl")
    wheel.unlink()
    better = repaired.rename(wheel.parent / repaired.name)
    to.rmdir()
    return better


def unpacked(sdist: Path, folder: Path) -> Path:
    """The folder that is in a source archive, unpacked below ``folder``."""
    with tarfile.open(sdist) as archive:
        # Pythons before 3.10.12 and 3.11.4 know no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)
    return folder / sdist.name.removesuffix(".tar.gz")


def source_date_epoch(source: Path) -> str:
    """The time that all files get, in seconds: that of the environment, or of the last commit."""
    if given := os.environ.get(EPOCH):
        return given
    command = ["git", "-C", str(source), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True) if shutil.which("git") else None
    return done.stdout.strip() if done is not None and done.returncode == 0 else DEFAULT_EPOCH


def write_checksums(folder: Path) -> None:
    """SHA256SUMS of all files in the folder, as `sha256sum --check` reads it."""
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in digests(folder).items()), "ascii")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files in a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def differences(first: Path, second: Path) -> list[str]:
    """Names of files that are in one folder only, or differ."""
    a, b = digests(first), digests(second)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def _run(words: list[str], folder: Path, variables: Mapping[str, str]) -> None:
    """Run a module of this Python. BuildError with what it said if it fails."""
    environment = {**os.environ, **variables}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(f"{words[1]} failed: {said[-1] if said else 'no message'}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
