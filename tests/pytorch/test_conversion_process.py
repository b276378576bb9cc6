"""The process that runs a user's file: what it raises, prints and breaks is told in a sentence, and it is always ended.

torch and fmot are stand-ins here, which are quick to load; ``test_convert_model.py`` has the real ones.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from femtodriver.errors import FemtoError, ModelError, UsageError
from femtodriver.pytorch.calibration import Calibration, read_calibration
from femtodriver.pytorch.conversion_process import convert_in_child
from femtodriver.pytorch.module_reference import ModuleReference

TORCH = """
class nn:
    class Module: ...
class jit:
    class ScriptModule: ...
def manual_seed(seed): print("seeded by", seed)
def set_num_threads(count): ...
"""
FMOT = "class ConvertedModel: ...\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; processes find the stand-ins."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    (stubs / "torch.py").write_text(TORCH)
    (stubs / "fmot.py").write_text(FMOT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(stubs), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clips() -> Calibration:
    return read_calibration({"x": np.ones((2, 3, 4), np.float32)})


def failure(source: str, name: str = "build", timeout_s: float = 60.0) -> FemtoError:
    """What is raised for a file with this source."""
    Path("my_model.py").write_text(source)
    with pytest.raises(FemtoError) as told:
        convert_in_child(ModuleReference(Path("my_model.py"), name), "net", clips(), "double", None, timeout_s)
    assert "\n" not in str(told.value)
    return told.value


@pytest.mark.slow
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import gone_package\n", "my_model.py:1: the file must run, but raised ModuleNotFoundError: No module named"),
        ("x = 1\ndef build(:\n", "my_model.py:2: the file must run, but raised SyntaxError"),
        ("import sys\nsys.exit('no weights')\n", "my_model.py:2: the file must run, but raised exit: no weights."),
        (
            "def inner():\n    open('gone.pt')\n\ndef build():\n    inner()\n",
            "my_model.py:2: build() must run, but raised FileNotFoundError: [Errno 2] No such file or directory: 'gone",
        ),
        ("def make():\n    return 1\n", "none of that name; it has make."),
        ("def build(width, *rest, depth=2):\n    return 1\n", "without arguments, but needs width; write a func"),
        ("import os, sys\ndef build():\n    print('bye')\n    sys.stdout.flush()\n    os._exit(3)\n",
         "ended with the status 3 while running the file; the last that it printed: bye."),
        ("import os\nos.kill(os.getpid(), 9)\n", "ended by SIGKILL (the system does so where memory is short) while"),
    ],
)  # fmt: skip
def test_what_the_file_does_wrong_is_told_with_its_place(source: str, sentence: str) -> None:
    error = failure(source)
    assert isinstance(error, ModelError)
    assert sentence in str(error)


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_what_is_no_module_is_refused() -> None:
    error = failure("def build():\n    return [1, 2]\n")
    assert isinstance(error, UsageError)
    assert str(error) == "my_model.py:build: must be a module of PyTorch (torch.nn.Module), not 'list'."


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_a_neighbour_is_imported_and_input_is_empty() -> None:
    Path("neighbour.py").write_text("import sys\nVALUE = sys.stdin.read()\n")
    error = failure("import neighbour\ndef build():\n    raise ValueError(repr(neighbour.VALUE) + __name__)\n")
    assert "ValueError: ''my_model." in str(error)


@pytest.mark.slow
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("said", ["[]", "{}", '{"lines": 5}', '{"lines": [], "versions": {}, "time_axis": "x"}', "{"])
def test_what_comes_back_is_checked(said: str) -> None:
    source = f"import os, sys\nopen(os.path.join(sys.argv[1], 'result.json'), 'w').write({said!r})\nos._exit(0)\n"
    assert isinstance(failure(source), ModelError)


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_a_graph_that_comes_back_goes_through_the_loader() -> None:
    evil = pickle.dumps(Evil())
    source = (
        "import os, sys\nfolder = sys.argv[1]\n"
        f"open(os.path.join(folder, 'graph.pt'), 'wb').write({evil!r})\n"
        'said = \'{"lines": [], "quality": {}, "versions": {}, "time_axis": 1}\'\n'
        "open(os.path.join(folder, 'result.json'), 'w').write(said)\nos._exit(0)\n"
    )
    assert "must only name" in str(failure(source))
    assert not Path("unpickled").exists()


class Evil:
    """Makes a file where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("unpickled",)


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_a_process_that_hangs_is_ended_with_its_children() -> None:
    source = (
        "import subprocess, sys, time\nfrom pathlib import Path\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "Path('pid').write_text(str(child.pid))\ntime.sleep(600)\n"
    )
    error = failure(source, timeout_s=3.0)
    assert "must take at most 3 s, but was still running the file; give it more with --conversion-timeout" in str(error)
    assert_gone(int(Path("pid").read_text()))


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_a_process_that_prints_without_end_is_ended() -> None:
    assert "must print at most 16 MiB" in str(failure("while True:\n    print('x' * 10000)\n"))


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_ctrl_c_ends_the_process() -> None:
    source = "import os, time\nfrom pathlib import Path\nPath('pid').write_text(str(os.getpid()))\ntime.sleep(600)\n"
    Path("my_model.py").write_text(source)

    def interrupt() -> None:
        while not Path("pid").exists() or not Path("pid").read_text():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        convert_in_child(ModuleReference(Path("my_model.py"), "build"), "net", clips(), "double", None, 60.0)
    thread.join()
    assert_gone(int(Path("pid").read_text()))


def assert_gone(pid: int) -> None:
    """The process is not there any more, or only its remains are."""
    for _ in range(500):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"{pid} is still there")
