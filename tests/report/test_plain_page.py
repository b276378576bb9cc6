"""The report of a run without the simulator."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.output.report_file import arrays_digest
from tests.report.html_outline import REFERENCES, outline
from tests.report.report_runs import EXAMPLE

SPOTTER = str(EXAMPLE / "keyword_spotter.pt")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def texts_of(path: str) -> list[str]:
    return outline(Path(path).read_bytes()).texts


def test_it_says_what_is_known_without_the_simulator() -> None:
    outputs = Femtodriver().run(SPOTTER, runners="fqir,fmir", n_frames=4, report="plain.html", quantization=True)
    page = Path("plain.html").read_bytes()
    assert re.findall(rb"<h2 id=\"\w+\">([^<]+)</h2>", page) == [b"Verdict", b"Memory", b"Outputs", b"Types", b"Origin"]
    made = outline(page)
    assert {value for _, name, value in made.attributes if name in REFERENCES} <= {
        f"#{key}" for key in made.values("id")
    } | {"#main"}
    texts = made.texts
    rows = outputs["outputs"]["fqir"]["output.0"]
    cells = ["4", "5", f"{rows.min():,}", f"{rows.max():,}", str(np.count_nonzero(rows == 0))]
    for runner in ("fqir", "fmir"):
        place = texts.index(runner)
        assert texts[place - 1 : place + 6] == ["output.0", runner, *cells]
    assert "fqir = fmir in 4 frames" in texts
    assert "the fullest is the table memory of core 0: 50.0 % of 16,384 bytes" in texts
    (command,) = (text for text in texts if text.startswith("femtodrive ") and "--runners" in text)
    assert {"--n-frames", "--quantization", "--report"} <= set(command.split())
    assert hashlib.sha256(Path(SPOTTER).read_bytes()).hexdigest() in texts
    assert arrays_digest(outputs["outputs"]["fqir"]) in texts
    assert "listen.layers.0" in " ".join(texts)


def test_one_runner_is_compared_with_nothing_and_streams_keep_nothing() -> None:
    Femtodriver().run("LOOPBACK", runners="fqir", n_frames=2, report="one.html", output_file="out.npy")
    texts = texts_of("one.html")
    assert "only fqir ran; add fasmir to the runners" in texts
    assert "They were written frame by frame, and not kept." in texts
    assert "With --quantization there is a table here of how well each value uses its type." in texts


def test_equal_runs_give_equal_pages() -> None:
    for name in ("one", "two"):
        Path(name).mkdir()
        Femtodriver().run("LOOPBACK", runners="fqir", n_frames=2, report="page.html")
        Path("page.html").rename(f"{name}/page.html")
    assert Path("one/page.html").read_bytes() == Path("two/page.html").read_bytes()


def test_a_report_needs_no_method_of_its_own() -> None:
    with Femtodriver() as driver:
        driver.compile(SPOTTER)
        driver.execute_runner("fqir", driver.generate_inputs(n_frames=2), report="runner.html")
    assert "2 frames without the simulator" in " ".join(texts_of("runner.html"))
