"""One version: the package has it, the project takes it from there, and the changelog begins with it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import femtodriver

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

ROOT = Path(__file__).resolve().parents[2]


def changelog_versions() -> list[str]:
    """Versions of the changelog's headings, newest first."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.findall(r"^## \[(\d[^\]]*)\] - (?:Unreleased|\d{4}-\d{2}-\d{2})$", text, flags=re.MULTILINE)


def test_the_project_takes_its_version_from_the_package() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert document["project"]["dynamic"] == ["version"]
    place = document["tool"]["hatch"]["version"]["path"]
    assert (ROOT / place).resolve() == Path(femtodriver.__file__).resolve()


def test_the_changelog_begins_with_the_version() -> None:
    assert femtodriver.__version__ == changelog_versions()[0]


def test_every_heading_of_the_changelog_is_a_version_with_a_date() -> None:
    headings = re.findall(r"^## ", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert len(headings) == len(changelog_versions())
