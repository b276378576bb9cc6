"""FILE.py:NAME: what is one, what is offered where the name is missing, what the model is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.errors import ModelError, UsageError
from femtodriver.pytorch.module_reference import module_reference, names_python, offered_names

SOURCE = """
from torch import nn

class Small(nn.Module):
    def __init__(self, size=3):
        super().__init__()

class Sized(nn.Module):
    def __init__(self, size):
        super().__init__()

class Plain:
    pass

def helper(x):
    return x

def other(x=1, *, y=2):
    return Small()

def needy(*, y):
    return Small()

def _hidden():
    return 1

def build():
    raise RuntimeError("never run here")
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("my_model.py")
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize("text", ["a.py", "a.py:build", Path("b/a.py:build"), "a.PY:x", "a.py:", "a.py:b.c"])
def test_files_of_python_are_seen(text: object) -> None:
    assert names_python(text)


@pytest.mark.parametrize("text", ["a.pt", "py", ".py", "a.pyc", "LOOPBACK", "a.py.pt", b"a.py:x", 5, None])
def test_anything_else_is_not(text: object) -> None:
    assert not names_python(text)


def test_the_name_of_the_model_is_that_of_the_file_or_the_function() -> None:
    assert module_reference("nets/my_model.py:build").model_name == "my_model"
    assert module_reference("nets/my_model.py:model").model_name == "my_model"
    assert module_reference("nets/my_model.py:tiny").model_name == "tiny"
    assert module_reference(Path("nets/my_model.py:tiny")).where == "nets/my_model.py:tiny"


def test_names_are_offered_without_running_anything(file: Path) -> None:
    assert offered_names(file) == ["build", "other", "Small"]
    with pytest.raises(
        UsageError, match=r"not a file alone\. Try my_model\.py:build, my_model\.py:other, my_model\.py:S"
    ):
        module_reference("my_model.py")
    with pytest.raises(UsageError, match=r"not the name 'a b'\. Try my_model\.py:build"):
        module_reference("my_model.py:a b")


def test_a_file_that_is_damaged_or_absent_offers_nothing(file: Path) -> None:
    file.write_text("def build(:\n")
    with pytest.raises(UsageError, match=r"Write my_model\.py:build\."):
        module_reference("my_model.py")
    with pytest.raises(ModelError, match=r"gone\.py: the file must exist"):
        module_reference("gone.py")
