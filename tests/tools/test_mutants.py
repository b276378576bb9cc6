"""The mutation tool: what it changes, and that it tells a tested line from an untested one."""

from __future__ import annotations

import ast
from pathlib import Path

import mutants
import pytest

MODULE = '''"""Two functions."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from a import b
SIZE: int = 4

def tested(ä: int) -> int:
    """0 never comes."""
    if ä < 3 and not done(-1):
        note(ä)
        raise ValueError(f"1 {ä + 1}")
    return SIZE + 2 if ä else 0
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one module, and its path."""
    for name in ("ROOT", "PACKAGE"):
        monkeypatch.setattr(mutants, name, tmp_path)
    path = tmp_path / "room" / "module.py"
    path.parent.mkdir()
    path.write_text(MODULE, "utf-8")
    return path


def test_every_kind_of_mistake_is_made(module: Path) -> None:
    made = [(mutant.line, mutant.before, mutant.after) for mutant in mutants.mutants(module)]
    assert made == [
        (5, "4", "5"),
        (9, "ä < 3 and not done(-1)", "(ä < 3 or not done(-1))"),
        (9, "ä < 3", "(ä <= 3)"),
        (9, "3", "4"),
        (9, "not done(-1)", "(done(-1))"),
        (9, "-1", "(1)"),
        (9, "1", "2"),
        (10, "note(ä)", "pass"),
        (12, "SIZE + 2 if ä else 0", "(0 if ä else SIZE + 2)"),
        (12, "SIZE + 2", "(SIZE - 2)"),
        (12, "2", "3"),
        (12, "0", "1"),
    ]


def test_every_mutant_is_a_module_that_differs_in_one_line(module: Path) -> None:
    for mutant in mutants.mutants(module):
        ast.parse(mutant.text)
        pairs = list(zip(MODULE.splitlines(), mutant.text.splitlines(), strict=True))
        assert [number for number, (old, new) in enumerate(pairs, start=1) if old != new] == [mutant.line]


def test_a_draw_is_the_same_for_the_same_seed(module: Path) -> None:
    found = mutants.mutants(module)
    assert mutants.chosen(found, None, 0) == mutants.chosen(found, 99, 0) == found
    drawn = mutants.chosen(found, 5, 1)
    assert drawn == mutants.chosen(found, 5, 1) != mutants.chosen(found, 5, 2)
    assert [found.index(mutant) for mutant in drawn] == sorted(found.index(mutant) for mutant in drawn)


def test_tests_of_the_module_come_first(module: Path) -> None:
    tests = module.parents[1] / "tests" / "room"
    (tests / "deep").mkdir(parents=True)
    for name in ("test_module.py", "test_another.py"):
        (tests / name).touch()
    assert mutants.tests_of(module) == [[str(tests / "test_module.py")], [str(tests)]]
    (tests.parent / "test_top.py").touch()
    assert mutants.tests_of(module.parents[1] / "top.py") == [[str(tests.parent / "test_top.py")]]
    assert mutants.tests_of(module.parent / "deep" / "inner.py") == [[str(tests / "deep")], [str(tests)]]
    with pytest.raises(SystemExit, match=r"other/a.py: has no tests in tests/other; name some with --tests"):
        mutants.tests_of(module.parents[1] / "other" / "a.py")


@pytest.mark.slow
def test_survivors_are_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    test = tmp_path / "test_part.py"
    test.write_text("from femtodriver.fixed import limits\n\ndef test_one():\n    assert limits(16)[1] == 32767\n")
    words = ["fixed", "--count", "6", "--seed", "3", "--tests", str(test)]
    assert mutants.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fixed: 6 of ")
    assert lines[-1] == f"{8 - len(lines)} noticed, 0 hung, {len(lines) - 2} survived"
    assert all(line.startswith("src/femtodriver/fixed.py:") for line in lines[1:-1])
    assert 0 < len(lines) - 2 < 6


@pytest.mark.slow
def test_tests_that_fail_anyway_say_nothing(tmp_path: Path) -> None:
    test = tmp_path / "test_wrong.py"
    test.write_text("def test_one():\n    assert False\n")
    with pytest.raises(SystemExit, match=r"1 failed[^$]*without any change the tests must pass: .*test_wrong"):
        mutants.main(["fixed", "--count", "1", "--tests", str(test)])


def test_an_unknown_module_is_refused() -> None:
    with pytest.raises(SystemExit, match="nowhere: must be a room, folder or module below src/femtodriver"):
        mutants.modules("nowhere")
