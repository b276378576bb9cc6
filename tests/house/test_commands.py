"""One set of commands: make, its help, CI, pre-commit and the documents agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INNER = {"help", "system-parts"}  # targets that nobody calls by hand


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text("Makefile"), flags=re.MULTILINE))


def test_every_target_is_phony_and_has_its_line_of_help() -> None:
    phony = re.findall(r"^\.PHONY: (.*)$", text("Makefile"), flags=re.MULTILINE)
    assert set(phony[0].split()) == targets()
    assert set(re.findall(r"@echo \"make ([a-z-]+)  ", text("Makefile"))) == targets() - INNER


def test_lines_of_help_are_aligned() -> None:
    lines = re.findall(r"@echo \"((?:make [a-z-]+|PYTHON=\.\.\.) +)", text("Makefile"))
    assert len({len(line) for line in lines}) == 1


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test " in text("README.md")
    assert re.search(r"^exec make test\b", text(".ci/run"), flags=re.MULTILINE)


def test_pre_commit_runs_the_fast_checks() -> None:
    assert re.findall(r"entry: (.*)", text(".pre-commit-config.yaml")) == ["make fast"]


@pytest.mark.parametrize("name", ["README.md", "docs/testing.md", "docs/dependencies.md", "benchmarks/README.md"])
def test_documents_name_only_targets_that_exist(name: str) -> None:
    named = set(re.findall(r"`make ([a-z-]+)", text(name)))
    assert named
    assert named <= targets()
