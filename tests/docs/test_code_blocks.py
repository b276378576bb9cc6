"""Every block of code in the documentation is run, compared with what is printed, or says why not.

``tools/page_steps.py`` explains how a page says what a block is.
"""

from __future__ import annotations

import ast
import itertools
import re
import shlex
import warnings
from pathlib import Path

import pytest
import yaml
from page_steps import DATA, MERMAID, NO_CODE, PYTHON, ROOT, SHELL, Step, inline_code, pages, steps_of
from readme_output import with_output
from run_page import commands, has_lines

from femtodriver.cli.main_options import build_parser
from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.errors import FemtoError
from femtodriver.files.plain_toml import load_toml
from femtodriver.options.option_parser import normalised

# Pages that are wholly written by a tool, and the test that compares them with what it writes.
WRITTEN = {"docs/operators.md": "tests/compiler/test_operators_doc.py"}
PAGES = [page for page in pages() if page not in WRITTEN]
FAST = ("README.md",)
SHOWN = ("output", "part of the output")
NEEDS = re.compile(r"^<!-- needs: (.+) -->$", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def steps(page: str) -> list[Step]:
    return steps_of(page, text_of(page))


def parse_commands(step: Step) -> None:
    """Have our parsers read the commands of a block; SystemExit if one does not like them."""
    for line in commands(step.text):
        words = shlex.split(line, comments=True)
        while "femtodrive" in words:
            words = words[words.index("femtodrive") + 1 :]
            ours = normalised(list(itertools.takewhile(lambda word: word not in ("|", ">", ">>", "<"), words)))
            row = SUBCOMMANDS.get(ours[0])
            (row.parser() if row else build_parser()).parse_args(ours[1:] if row else ours)


def fault_of(step: Step) -> str:
    """What is missing for a block to be checked; "" for nothing."""
    if step.language.startswith("{"):  # a directive, which the strict site checks
        return ""
    if step.language == "indented":
        return "must be between ``` with its language, not indented"
    if step.kind == "checked by":
        page = Path(step.page).name
        there = (ROOT / step.rest).is_file() and page in text_of(step.rest)
        return "" if there else f"{step.rest} must exist and name {page}"
    if step.kind == "not run":
        return "" if step.language in (SHELL, PYTHON) else f"must be {SHELL} or {PYTHON} if it is not run"
    if step.kind in SHOWN or step.kind in NO_CODE:
        return "" if step.language == "" else f"must have no language to be {step.kind}"
    if step.kind == "file" or step.language in (SHELL, PYTHON, MERMAID, *DATA):
        return ""
    return "must be sh, python, yaml, toml or csv, or have a comment in front of it that says what it is"


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_compared_or_says_why_not(page: str) -> None:
    found = {step.where: fault for step in steps(page) if (fault := fault_of(step))}
    assert found == {}, "see tools/page_steps.py"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_is_read_at_least(page: str) -> None:
    for step in steps(page):
        if step.language == PYTHON:
            ast.parse(step.text, step.where)
        elif step.kind == "not run":
            parse_commands(step)
        elif step.language == "yaml":
            yaml.safe_load(step.text)
        elif step.language == "toml":
            load_toml(step.text.encode(), step.where, FemtoError)


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=() if page in FAST else pytest.mark.slow) for page in PAGES if steps(page)]
)
def test_a_page_does_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of(page)
    for found in NEEDS.finditer(text):
        for name in found[1].split():
            pytest.importorskip(name, reason=f"{page} needs the package {name}")
            warnings.simplefilter("ignore")  # torch and fmot warn of themselves
    monkeypatch.chdir(tmp_path)
    assert with_output(page, text) == text, f"write it again: python tools/readme_output.py {page}"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_installed_and_made_exists(page: str) -> None:
    project = load_toml((ROOT / "pyproject.toml").read_bytes(), "pyproject.toml", FemtoError)["project"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = text_of(page)
    extras = re.findall(r"pip install [^`\n]*'(?:open-femtodriver|\.)\[([a-z,]+)\]'", text)
    assert {name for found in extras for name in found.split(",")} <= set(project["optional-dependencies"])
    made = [line for step in steps(page) if step.language == SHELL for line in commands(step.text)]
    assert {line.split()[1] for line in made if line.startswith("make ")} <= targets


@pytest.mark.parametrize("page", WRITTEN)
def test_a_page_that_is_written_is_compared(page: str) -> None:
    assert Path(page).name in text_of(WRITTEN[page])


# Flags of pytest, pip and the like, and of scripts of ours.
OTHER_FLAGS = {
    *("--update-golden", "--randomly-seed", "--strict", "--no-deps", "--execute", "--index-url", "--build-constraint"),
    *("--universal", "--check", "--write", "--short", "--peers"),
}


@pytest.mark.parametrize("page", sorted({*pages()} - {"docs/compatibility.md"}))  # which names those of the reference
def test_flags_that_a_sentence_names_exist(page: str) -> None:
    parsers = [build_parser(), *(row.parser() for row in SUBCOMMANDS.values())]
    known = {flag for parser in parsers for action in parser._actions for flag in action.option_strings}
    named = {flag for code in inline_code(text_of(page)) for flag in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", code)}
    assert named - known - OTHER_FLAGS == set()


def only(text: str) -> Step:
    (step,) = steps_of("docs/page.md", text)
    return step


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```\nmake it so\n```\n", "must be sh, python"),
        ("    indented\n", "not indented"),
        ("<!-- checked by tests/gone.py -->\n```\nx\n```\n", "tests/gone.py must exist"),
        ("<!-- checked by tests/conftest.py -->\n```\nx\n```\n", "must exist and name page.md"),
        ("<!-- output -->\n```sh\nx\n```\n", "must have no language"),
        ("*Not run by the tests: needs a board.*\n\n```\nx\n```\n", "must be sh or python"),
        ("```cpp\nx\n```\n", "must be sh, python"),
    ],
)
def test_a_block_that_nobody_checks_is_found(text: str, fault: str) -> None:
    assert fault in fault_of(only(text))


@pytest.mark.parametrize("language", ["sh", "python"])
def test_a_block_may_say_why_it_is_not_run(language: str) -> None:
    step = only(f"*Not run by the tests: needs a\nboard.*\n\n```{language}\nx\n```\n")
    assert (step.kind, step.rest, fault_of(step)) == ("not run", "needs a\nboard.", "")


def test_options_of_what_is_not_run_are_read() -> None:
    parse_commands(only("```sh\nfemtodrive net.pt --runners hw \\\n  --hardware evk2 | cat > x\n```\n"))
    with pytest.raises(SystemExit):
        parse_commands(only("```sh\nfemtodrive net.pt --no-such-option\n```\n"))
    with pytest.raises(SystemExit):
        parse_commands(only("```sh\nfemtodrive sweep net.pt --runners hw\n```\n"))


def test_commands_between_backticks_are_steps_where_they_stand_alone() -> None:
    text = "# `femtodrive in a heading`\n\n`femtodrive LOOPBACK`\n\nSee `femtodrive x` too.\n\n<!-- before: ls -->\n"
    assert [(step.text, step.kind) for step in steps_of("p.md", text)] == [
        ("femtodrive LOOPBACK", ""),
        ("ls", "before"),
    ]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [("b\nc", True), ("a\n...\nd", True), ("b\nd", False), ("d\n...\na", False), ("...\nd", True), ("a b", False)],
)
def test_parts_of_an_output(wanted: str, there: bool) -> None:
    assert has_lines(["a", "b", "c", "d"], wanted.splitlines()) is there


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("```sh\necho 1\n```\n<!-- output -->\n```\n2\n```\n", "1"),
        ("```python\nprint(3)\n```\n<!-- part of the output -->\n```\n4\n```\n", "3"),
    ],
)
def test_a_wrong_output_is_found(text: str, now: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = with_output("docs/page.md", text)
    assert written != text
    assert f"```\n{now}\n```" in written
