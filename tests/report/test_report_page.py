"""The page as text: complete, self-contained, escaped, traceable, and the same every time."""

from __future__ import annotations

import re
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UnsupportedError, UsageError
from femtodriver.machine.run_report import EVENTS
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.options.runner_requests import ComparisonRequest
from femtodriver.report.page_blocks import PageBlock
from femtodriver.report.page_templates import environment
from femtodriver.report.report_facts import ReportFacts
from femtodriver.report.report_page import SECTIONS, report_page
from tests.conftest import Golden
from tests.report.html_outline import REFERENCES, outline
from tests.report.report_runs import ATTACKS, EXAMPLE, facts_of, loopback, spotter

ROOT = Path(__file__).resolve().parents[2]
HEADINGS = [
    *("Verdict", "Memory", "Latency and deadline", "Power and energy", "Layers", "Sparsity", "Saturation"),
    *("Timeline of one frame", "Origin"),
]


def test_the_page_is_whole_and_refers_to_nothing_else(spotter_report: Path) -> None:
    made = outline(spotter_report.read_bytes())
    assert made.tags["h1"] == made.tags["main"] == made.tags["head"] == 1
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & made.tags.keys()
    references = [value for _, name, value in made.attributes if name in REFERENCES]
    assert references
    assert all(value.startswith("#") for value in references)
    identities = made.values("id")
    assert len(set(identities)) == len(identities)
    assert {value[1:] for value in references} <= set(identities)
    assert not [name for _, name, _ in made.attributes if name.startswith("on")]
    assert "@import" not in spotter_report.read_text("utf-8")
    assert "url(" not in spotter_report.read_text("utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'" in made.values("content")


def test_all_sections_are_there_in_order(spotter_report: Path) -> None:
    text = spotter_report.read_text("utf-8")
    assert re.findall(r"<h2 id=\"\w+\">([^<]+)</h2>", text) == HEADINGS


def test_figures_are_those_of_the_metrics(spotter_report: Path) -> None:
    texts = " ".join(outline(spotter_report.read_bytes()).texts)
    for figure in (
        "12 frames on the part spu001",
        "fqir = fasmir in 12 frames",
        "core 0: data memory 4,456 524,288 0.8 %",
        "16.0 ms",
        "59 % computed, 41 % assumed",
        "listen.layers.0.linear_hh",
        "Battery: 225 mWh last",
    ):
        assert figure in texts


@pytest.mark.slow
def test_names_of_a_network_stay_text(attack_report: Path) -> None:
    content = attack_report.read_bytes()
    made = outline(content)
    assert not {"script", "img", "iframe"} & made.tags.keys()
    assert made.tags["style"] == 1
    assert not [name for _, name, _ in made.attributes if name.startswith("on")]
    assert all(value.startswith("#") for _, name, value in made.attributes if name in REFERENCES)
    assert "1337" not in "".join(made.texts)
    shown = " ".join(made.texts)
    for attack in ATTACKS[:5]:
        assert attack in shown
    assert made.values("lang") == ["en"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2028]", content.decode("utf-8"))


def test_paths_are_shown_as_given_and_never_whole(attack_report: Path, spotter_report: Path) -> None:
    assert "somewhere" not in attack_report.read_text("utf-8")
    assert "private" not in attack_report.read_text("utf-8")
    text = spotter_report.read_text("utf-8")
    assert str(EXAMPLE) not in text
    assert str(spotter_report.parent) not in text
    assert "femtodrive keyword_spotter.pt --runners fqir,fasmir" in text
    assert "--input-sample-indices 0,12" in text


@pytest.mark.slow
def test_equal_runs_give_equal_bytes(spotter_report: Path, tmp_path: Path) -> None:
    assert spotter(tmp_path).read_bytes() == spotter_report.read_bytes()


def test_every_source_is_documented(spotter_report: Path) -> None:
    """What stands below a figure is an entry of docs/metrics.md or an event of the machine."""
    rows = re.findall(r"^\| (`[^|]+) \|", (ROOT / "docs" / "metrics.md").read_text("utf-8"), flags=re.MULTILINE)
    rows += re.findall(
        r"^\| [^|`]*\| (`[^|]+) \|", (ROOT / "docs" / "quantization.md").read_text("utf-8"), re.MULTILINE
    )
    documented = {name for row in rows for name in re.findall(r"`([^`]+)`", row)} | EVENTS.keys()
    text = spotter_report.read_text("utf-8")
    named = {
        name
        for line in re.findall(r"<p class=\"sources\">(.*)</p>", text)
        for name in re.findall(r"<code>(.*?)</code>", line)
    }
    assert len(named) > 20
    assert {
        name for name in named if name not in documented and not any(key.startswith(f"{name}.") for key in documented)
    } == set()


def test_every_figure_has_a_source() -> None:
    """All blocks with figures of the run name entries of the document."""
    facts = loopback()
    without = [
        type(block).__name__
        for section in SECTIONS
        for block in section(facts).blocks
        if not block.sources and type(block).__name__ not in ("Sentence", "CommandBlock")
    ]
    assert without == []


def test_the_text_of_a_small_report(golden: Golden) -> None:
    facts = loopback()
    facts = replace(facts, hashes=dict.fromkeys(facts.hashes, "0" * 64))
    golden("loopback.txt", "\n".join(outline(report_page(facts)).texts) + "\n")


def all_texts(value: object) -> list[str]:
    """Every text in a block."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for one in fields(value) for text in all_texts(getattr(value, one.name))]
    return [text for item in value for text in all_texts(item)] if isinstance(value, (tuple, list)) else []


def test_templates_show_every_text_of_their_blocks() -> None:
    facts = loopback()
    shown = report_page(facts).decode("utf-8")
    env = environment()
    for section in SECTIONS:
        for block in section(facts).blocks:
            for text in all_texts(block):
                if isinstance(block, PageBlock) and text not in ("good", "bad", "open"):
                    assert env.from_string("{{ text }}").render(text=text) in shown, (type(block), text)


@pytest.mark.parametrize(
    ("period", "mark", "told"),
    [(0.016, "yes", "% of 16.0 ms"), (1e-9, "no", "of 1.00 ns"), (None, "no deadline", "of 16.0 ms, which is assumed")],
)
def test_the_deadline(period: float | None, mark: str, told: str) -> None:
    facts = loopback(ComparisonRequest(input_period=period))
    page = report_page(facts).decode("utf-8")
    answer = r"<p class=\"answer\">(?:<span.*?</span> )?(.*?)</p>\s*<p class=\"detail\">(.*?)</p>"
    card = re.findall(rf"Is it in time\?</a></h3>\s*{answer}", page)
    assert [(card[0][0], card[0][1].endswith(told))] == [(mark, True)]


def test_runners_that_differ_are_not_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = np.arange(48).reshape(3, 16)
    np.save("other.npy", rows + 1)
    driver = Femtodriver()
    driver.load_model("LOOPBACK")
    driver.compile_metadata()
    given: dict[str, Any] = {"dummy_output_file": "other.npy", "report": "report.html"}
    driver.compare({"x": rows}, "fasmir,dummy", **given)
    texts = outline(Path("report.html").read_bytes()).texts
    place = texts.index("Is it exact?")
    assert texts[place + 1 : place + 3] == ["✗", "no"]
    assert "dummy" in texts[place + 3]


def test_one_runner_alone_is_compared_with_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    driver.load_model("LOOPBACK")
    driver.compile_metadata()
    driver.simulate({"x": np.arange(48).reshape(3, 16)}, report="report.html", clock=5e7)
    texts = outline(Path("report.html").read_bytes()).texts
    assert texts[texts.index("Is it exact?") + 1] == "not compared"
    assert "50.0 MHz (given; not the part's own)" in texts
    assert (
        "femtodrive LOOPBACK --runners fasmir --input-file inputs.npz --report report.html --clock 50000000.0" in texts
    )


def test_a_program_without_layers_has_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .femto has no room for layers, memory and source map."""
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    _, femto, _ = driver.compile("LOOPBACK", output_dir="made")
    built = build(load_source(femto))
    (name,) = (spec.name for spec in built.inputs)
    driver.load_model(femto)
    driver.compile_metadata()
    driver.simulate({name: np.arange(48).reshape(3, 16)}, report="report.html")
    shown = " ".join(outline(Path("report.html").read_bytes()).texts)
    assert "what it uses of the memories is not known" in shown
    assert "(program)" in shown


def drawn(facts: ReportFacts) -> int | None:
    """The number of the frame that is drawn."""
    return facts.frame[0] if facts.frame else None


def test_a_run_that_ended_too_early_and_was_not_kept() -> None:
    facts = loopback()
    stopped = replace(facts.agreement, partial="frames 3 of 9, interrupted")
    shown = " ".join(outline(report_page(replace(facts, frame=None, agreement=stopped))).texts)
    assert "The run was stopped before its end: frames 3 of 9, interrupted." in shown
    assert "The run ended before the frame that was to be drawn." in shown


def test_facts_say_which_frame_is_drawn() -> None:
    rows = {"x": np.arange(160).reshape(10, 16)}
    built = build(load_source("LOOPBACK"))
    facts = facts_of(built, rows, ComparisonRequest(trace_frames=(7, 9)))
    assert drawn(facts) == 7
    assert drawn(facts_of(built, rows, ComparisonRequest())) == 1
    assert drawn(facts_of(built, {"x": rows["x"][:1]}, ComparisonRequest())) == 0
    with pytest.raises(UsageError, match="LO below the number of frames of the run, which is 10, not"):
        facts_of(built, rows, ComparisonRequest(trace_frames=(12, 13)))


def test_without_jinja2_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.chdir(tmp_path)
    told = r"^report: needs the package jinja2, which is not installed; pip install 'open-femtodriver\[report\]'$"
    with pytest.raises(UnsupportedError, match=told):
        Femtodriver().run("LOOPBACK", runners="fasmir", report="report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["gone/report.html", "."])
def test_a_place_that_is_none_is_refused_before_anything_runs(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^report: must be a file in a folder that exists, not "):
        Femtodriver().run("LOOPBACK", runners="fasmir", report=path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_not_kept_has_no_hashes_of_its_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", np.arange(160).reshape(10, 16))
    options: dict[str, Any] = {"runners": "fqir,fasmir", "input_file": "rows.npy", "output_file": "out.npy"}
    Femtodriver().run("LOOPBACK", report="report.html", trace="trace.json", trace_frames=(4, 6), **options)
    shown = " ".join(outline(Path("report.html").read_bytes()).texts)
    assert shown.count("not kept, because the frames of the run went through memory one after another") == 2
    assert "fqir = fasmir in 10 frames" in shown
    assert "Frame 4 took" in shown
    assert Path("trace.json").stat().st_size > 1000
