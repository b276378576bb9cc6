"""The golden fixture, the corpus line and the fmot marker do what they promise (run in a pytest of their own)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own with our conftest and no corpus beside it."""
    tests = tmp_path / "repo" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(CONFTEST, tests)
    (tmp_path / "repo" / "pytest.ini").write_text("[pytest]\nmarkers =\n  corpus: c\n  fmot: f\n")
    return tmp_path / "repo"


def run(project: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.slow
def test_golden_files_are_missed_written_compared_and_shown(project: Path) -> None:
    test = project / "tests" / "test_one.py"
    test.write_text("def test_one(golden):\n    golden('one.txt', 'first\\nsecond\\n')\n")
    status, text = run(project)
    assert status == 1
    assert "golden/one.txt does not exist; write it with: pytest tests/test_one.py --update-golden" in text
    assert run(project, "--update-golden")[0] == 0
    assert (project / "tests" / "golden" / "one.txt").read_bytes() == b"first\nsecond\n"
    assert run(project)[0] == 0
    test.write_text(test.read_text().replace("second", "third"))
    status, text = run(project)
    assert status == 1
    assert "-second\n+third\n" in text
    assert "if that is meant: pytest tests/test_one.py --update-golden" in text


@pytest.mark.slow
def test_without_a_corpus_its_tests_are_skipped_and_counted(project: Path) -> None:
    (project / "tests" / "test_one.py").write_text("def test_one(corpus): ...\n\ndef test_two(): ...\n")
    status, text = run(project)
    assert status == 0
    assert "(../shared/corpus beside the repository) is not here" in text
    assert "corpus: not here (wanted at ../shared/corpus beside the repository); corpus tests: 0 ran, 1 skipped" in text


@pytest.mark.slow
def test_with_a_corpus_its_tests_run_and_are_counted(project: Path) -> None:
    (project.parent / "shared" / "corpus").mkdir(parents=True)
    (project / "tests" / "test_one.py").write_text("def test_one(corpus):\n    assert corpus.is_dir()\n")
    status, text = run(project)
    assert status == 0
    assert "corpus tests: 1 ran, 0 skipped" in text


@pytest.mark.slow
def test_tests_that_need_fmot_are_skipped_without_it(project: Path) -> None:
    (project / "tests" / "test_one.py").write_text(
        "import sys\nsys.modules.pop('fmot', None)\n"
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name: None if name == 'fmot' else find(name)\n"
        "import pytest\n\n@pytest.mark.fmot\ndef test_one():\n    raise AssertionError\n"
    )
    status, text = run(project)
    assert status == 0
    assert "torch and fmot are not installed" in text


@pytest.mark.slow
def test_the_fmot_fixture_is_the_module(fmot: object) -> None:
    assert hasattr(fmot, "ConvertedModel")
