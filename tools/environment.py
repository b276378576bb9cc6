"""Makes the environment of `make run` and `make test`, and says what it installs while it does.

    python tools/environment.py .venv run            the package alone
    python tools/environment.py .venv test           with everything that the checks and tests need
    python tools/environment.py .venv-newest test --newest

Versions come from constraints.txt, those of build tools from constraints-build.txt; with --newest from the package
index, as far as pyproject.toml allows. The package itself is installed editable. Needs Python 3.10 and no packages.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
BUILD_CONSTRAINTS = ROOT / "constraints-build.txt"
CONTENTS = {
    "run": (".", "NumPy, PyYAML and rich, about 100 MB, less than a minute"),
    "test": (".[test]", "torch, fmot and what they bring, about 1.5 GB, several minutes"),
}
FETCHED = re.compile(
    r"^\s*(?:Downloading|Using cached|Processing) (\S+\.(?:whl|tar\.gz|zip))(?: \((\d.*)\)| \(from .*\))?$"
)
UNPACKING = re.compile(r"^Installing collected packages: (.+, .+)$")


def main() -> int:
    """Exit status: pip's own if it fails, after all that it said."""
    parser = argparse.ArgumentParser(description="make an environment and install this package with what it needs")
    parser.add_argument("venv", type=Path, help="its folder; made if it is not there")
    parser.add_argument("contents", choices=CONTENTS)
    parser.add_argument("--newest", action="store_true", help="newest releases instead of those of constraints.txt")
    options = parser.parse_args()
    what, size = CONTENTS[options.contents]
    start = time.monotonic()
    say(f"{options.venv}: installing {size}")
    python = make(options.venv)
    status = install(python, ["pip"], options.newest) or install(python, ["--editable", what], options.newest)
    if status == 0:
        report(options.venv, time.monotonic() - start)
    return status


def make(venv: Path) -> str:
    """The path of the environment's Python; a fresh environment if there is none."""
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    return str(python)


def install(python: str, what: list[str], newest: bool) -> int:
    """Pip's exit status. The pip of an older Python knows no build constraints, and needs none to renew itself."""
    versions = ["--upgrade", "--upgrade-strategy", "eager"] if newest else ["--constraint", str(CONSTRAINTS)]
    if what != ["pip"] and not newest:
        versions += ["--build-constraint", str(BUILD_CONSTRAINTS)]
    command = [python, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off"]
    pip = subprocess.Popen(
        [*command, *versions, *what], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert pip.stdout is not None
    said = follow(pip.stdout)
    status = pip.wait()
    if status:
        say("".join(said))
    return status


def follow(lines: Iterable[str]) -> list[str]:
    """All of pip's lines; of each package that it fetches, one short line is printed at once."""
    said = []
    for line in lines:
        said.append(line)
        if fetched := FETCHED.match(line):
            say(f"  {package(fetched[1])}" + (f" ({fetched[2]})" if fetched[2] else ""))
        elif unpacking := UNPACKING.match(line):
            say(f"  unpacking {len(unpacking[1].split(', '))} packages")
    return said


def package(path: str) -> str:
    """Name and version from the file name of a wheel or of a source archive."""
    name, version = re.sub(r"\.(whl|tar\.gz|zip)$", "", path.rsplit("/", 1)[-1]).split("-")[:2]
    return f"{name} {version}"


def report(venv: Path, seconds: float) -> None:
    """How much is in the environment now."""
    count = len(list(venv.glob("lib/python*/site-packages/*.dist-info")))
    size = sum(path.lstat().st_size for path in venv.rglob("*") if path.is_file() and not path.is_symlink())
    say(f"{venv}: {count} packages, {size / 1e6:,.0f} MB, installed in {seconds:.0f} s")


def say(text: str) -> None:
    """At once, also when make's output goes to a file."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
