"""What every test may use: golden files, the corpus, and tests that need fmot.

``golden``   compares text with a file beside the test; ``pytest --update-golden`` rewrites it.
``corpus``   the folder ``../shared/corpus`` beside the repository; without it the test is skipped.
``fmot``     as a marker: skipped unless torch and fmot are installed; as a fixture: the module.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import ipaddress
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"
NO_CORPUS = "the corpus (../shared/corpus beside the repository) is not here"
NO_FMOT = "torch and fmot are not installed; pip install '.[test]' brings them"

Golden = Callable[[str, str], None]

# Helper modules too: their asserts explain themselves, and hold under `python -O`.
_OTHERS = {path.stem for path in (ROOT / "tests").iterdir()} - {"__init__", "conftest", "__pycache__"}
pytest.register_assert_rewrite(*(f"tests.{name}" for name in sorted(_OTHERS)))


def stay_on_this_machine(event: str, arguments: tuple[object, ...]) -> None:
    """Whatever would leave the loopback interface is refused, with an error that nothing takes for one of the network.

    An audit hook: it sees every connection of this process, whoever makes it. It cannot be taken out again.
    """
    place: object = None
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[-1]
        place = address[0] if isinstance(address, tuple) else None  # others are names of files
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        place = arguments[0]
    if isinstance(place, bytes):
        place = place.decode("ascii", "replace")
    if isinstance(place, str) and not _here(place, asked=event.startswith("socket.get")):
        raise RuntimeError(f"tests must stay on this machine, and one went for {place!r} ({event})")


def _here(host: str, asked: bool) -> bool:
    """Whether the host is this machine; for names that are looked up: whether nobody else has to be asked."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in ("", "localhost")
    return asked or address.is_loopback or address.is_unspecified


sys.addaudithook(stay_on_this_machine)

# A loaded machine is slow: no test may fail for that.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files instead of comparing with them")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Contents of files are no names for tests: an archive holds the time at which it was made."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures: Iterable[str] = getattr(item, "fixturenames", ())
        if "corpus" in fixtures:
            item.add_marker("corpus")
        if "fmot" in fixtures:
            item.add_marker("fmot")
        if item.get_closest_marker("fmot"):
            # Warnings are errors only where we can mend them.
            item.add_marker(pytest.mark.filterwarnings(r"ignore:::(torch|fmot|networkx)(\.|$)"))
            if not _has_fmot():
                item.add_marker(pytest.mark.skip(reason=NO_FMOT))


def _has_fmot() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "fmot"))


@pytest.fixture
def fmot() -> ModuleType:
    """The fmot module; the test is marked ``fmot``, so it is skipped where fmot is not installed."""
    return importlib.import_module("fmot")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder with ``zoo/`` and ``captured/``; tests that use it are marked ``corpus``."""
    if not CORPUS.is_dir():
        pytest.skip(NO_CORPUS)
    return CORPUS


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """``golden(name, text)``: text must equal the file ``golden/<name>`` beside the test file, to the character."""
    update = request.config.getoption("--update-golden")
    command = f"pytest {request.path.name} --update-golden"
    if request.path.is_relative_to(ROOT):
        command = f"pytest {request.path.relative_to(ROOT)} --update-golden"

    def compare(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        elif not path.is_file():
            pytest.fail(f"golden/{name} does not exist; write it with: {command}", pytrace=False)
        else:
            _compare(name, path.read_bytes().decode("utf-8"), text, command)

    return compare


def _compare(name: str, wanted: str, text: str, command: str) -> None:
    if wanted == text:
        return
    lines = difflib.unified_diff(
        wanted.splitlines(keepends=True), text.splitlines(keepends=True), f"golden/{name}", "now", n=3
    )
    diff = "".join(line if line.endswith("\n") else line + "\n\\ no newline at the end\n" for line in lines)
    pytest.fail(f"the text differs from golden/{name}:\n{diff}if that is meant: {command}", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seed = terminalreporter.config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"the order was random; this order again: pytest --randomly-seed={seed}")
    ran = skipped = 0
    for kind, reports in terminalreporter.stats.items():
        for report in reports:
            if "corpus" not in getattr(report, "keywords", {}):
                continue
            if kind == "skipped":
                skipped += 1
            elif getattr(report, "when", "") == "call":
                ran += 1
    where = f"found at {CORPUS}" if CORPUS.is_dir() else "not here (wanted at ../shared/corpus beside the repository)"
    terminalreporter.write_line(f"corpus: {where}; corpus tests: {ran} ran, {skipped} skipped")
