"""Every package that we ask for has a reason in docs/dependencies.md and an exact version in a constraints file."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

ROOT = Path(__file__).resolve().parents[2]


def pyproject() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return table


def names(requirements: list[str]) -> set[str]:
    """Package names as the package index writes them."""
    return {re.split(r"[<>=~!\[; ]", entry)[0].lower().replace("_", "-") for entry in requirements}


def pinned(file: str) -> dict[str, set[str]]:
    """{package: its versions, several where Pythons or systems need different ones}."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / file).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, _, version = line.partition(" ")[0].partition("==")
            found.setdefault(name, set()).add(version)
    return found


def installed() -> set[str]:
    project = pyproject()["project"]
    extras = [name for group in project["optional-dependencies"].values() for name in group]
    groups = pyproject()["dependency-groups"]
    return names(project["dependencies"] + extras + groups["install"] + groups["release"])


def builders() -> set[str]:
    return names(pyproject()["build-system"]["requires"] + pyproject()["dependency-groups"]["build"])


def test_every_dependency_is_justified() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    assert {name for name in installed() | builders() if not re.search(f"`{name}[`=]", text)} == set()


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-build.txt"])
def test_every_line_names_one_version(file: str) -> None:
    assert all(version and "*" not in version for versions in pinned(file).values() for version in versions)


def test_everything_that_is_installed_has_a_version() -> None:
    assert installed() - set(pinned("constraints.txt")) == set()
    assert builders() - set(pinned("constraints-build.txt")) == set()


def test_torch_is_the_one_that_fmot_is_tested_with() -> None:
    (torch,) = (entry for entry in pyproject()["project"]["optional-dependencies"]["test"] if entry.startswith("torch"))
    assert pinned("constraints.txt")["torch"] == {torch.removeprefix("torch==")}
