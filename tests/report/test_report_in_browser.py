"""The report in a real browser: two widths, light and dark, nothing sticks out, contrast, keyboard, no scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from headless_chromium import Chromium

from tests.report.page_scripts import FOCUSABLE, FOCUSED, OPEN_ALL, OVERFLOW, SHAPE_CONTRAST, TEXT_CONTRAST

pytestmark = pytest.mark.slow
WIDTHS = (360, 1280)
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
REPORTS = pytest.mark.parametrize("report", ["spotter_report", "attack_report"])


@pytest.mark.parametrize("width", WIDTHS)
@REPORTS
def test_nothing_sticks_out(browser: Chromium, request: pytest.FixtureRequest, report: str, width: int) -> None:
    browser.show(request.getfixturevalue(report), width)
    browser.evaluate(OPEN_ALL)
    found = browser.evaluate(OVERFLOW)
    assert found["window"] == width
    assert found["page"] <= width
    assert found["wide"] == []


def test_captions_and_rows_of_wide_tables_fit_a_phone(browser: Chromium, spotter_report: Path) -> None:
    browser.show(spotter_report, WIDTHS[0])
    captions = "[...document.querySelectorAll('caption:not(.hidden)')].map(one => one.getBoundingClientRect().right)"
    rights = browser.evaluate(captions)
    assert len(rights) > 4
    assert max(rights) <= WIDTHS[0]
    power = "document.querySelector('#power').closest('section').querySelectorAll('td.left')"
    lines = f"Math.max(...[...{power}].map(one => one.clientHeight))"
    assert 0 < browser.evaluate(lines) < 60  # two lines of text at most, and what is around them


@SCHEMES
@pytest.mark.parametrize("width", WIDTHS)
def test_text_and_shapes_have_contrast(browser: Chromium, spotter_report: Path, width: int, dark: bool) -> None:
    browser.show(spotter_report, width, dark=dark)
    browser.evaluate(OPEN_ALL)
    text, shapes = browser.evaluate(TEXT_CONTRAST), browser.evaluate(SHAPE_CONTRAST)
    assert len(text) > 300
    assert len(shapes) > 50
    assert [(round(found, 2), name) for found, least, name in (*text, *shapes) if found < least] == []


def test_the_schemes_differ(browser: Chromium, spotter_report: Path) -> None:
    colours = []
    for dark in (False, True):
        browser.show(spotter_report, 1280, dark=dark)
        colours.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


@SCHEMES
def test_the_keyboard_reaches_everything_and_one_sees_where(
    browser: Chromium, spotter_report: Path, dark: bool
) -> None:
    browser.show(spotter_report, 1280, dark=dark)
    expected = browser.evaluate(FOCUSABLE)
    assert len(expected) > 15
    reached = []
    for _ in expected:
        browser.press("Tab")
        found = browser.evaluate(FOCUSED)
        assert found["outline"] >= 2, found
        assert found["style"] == "solid"
        assert found["seen"], found
        assert found["contrast"] >= 3, found
        reached.append(found["name"])
    assert reached == expected


def test_the_first_link_skips_the_navigation(browser: Chromium, spotter_report: Path) -> None:
    browser.show(spotter_report, 360)
    browser.press("Tab")
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.id") == "main"


def test_folded_tables_open_by_the_keyboard(browser: Chromium, spotter_report: Path) -> None:
    browser.show(spotter_report, 1280)
    browser.evaluate("document.querySelector('summary').focus()")
    assert browser.evaluate("document.querySelector('details').open") is False
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('details').open") is True


@REPORTS
def test_it_fetches_nothing_and_runs_nothing(browser: Chromium, request: pytest.FixtureRequest, report: str) -> None:
    page = request.getfixturevalue(report)
    browser.show(page, 1280)
    assert browser.requests == [page.resolve().as_uri()]
    title = browser.evaluate("document.title")
    assert title.endswith("– run report")
    assert browser.evaluate("document.scripts.length") == 0
    with_scripts = browser.evaluate("document.body.innerText")
    browser.show(page, 1280, scripts=False)
    assert browser.evaluate("document.body.innerText") == with_scripts
    assert browser.evaluate("document.title") == title


def test_the_bars_are_as_long_as_their_figures(browser: Chromium, spotter_report: Path) -> None:
    browser.show(spotter_report, 1280)
    shares = browser.evaluate("""[...document.querySelectorAll('.bars li')].map(row => [
        row.querySelector('.bar span').offsetWidth / row.querySelector('.bar').offsetWidth,
        parseFloat(row.querySelector('.figure').lastChild.textContent.replace(/,/g, ''))])""")
    most = max(cycles for _, cycles in shares)
    assert len(shares) > 5
    for share, cycles in shares:
        assert share == pytest.approx(cycles / most, abs=0.01)


def test_a_picture_is_drawn(browser: Chromium, spotter_report: Path) -> None:
    browser.show(spotter_report, 360)
    picture = browser.picture()
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[place : place + 4], "big") for place in (16, 20))
    assert (width, height > 3000) == (360, True)
