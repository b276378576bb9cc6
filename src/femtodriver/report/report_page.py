"""The page: all sections through the templates, as bytes. Every text is escaped by the templates."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING

from femtodriver.errors import UnsupportedError
from femtodriver.metrics.text_cells import name_text
from femtodriver.report.fit_section import fit_section
from femtodriver.report.layers_section import layers_section
from femtodriver.report.origin_section import origin_section
from femtodriver.report.page_blocks import Section
from femtodriver.report.power_section import power_section
from femtodriver.report.report_facts import ReportFacts
from femtodriver.report.saturation_section import saturation_section
from femtodriver.report.sparsity_section import sparsity_section
from femtodriver.report.time_section import time_section
from femtodriver.report.timeline_section import timeline_section
from femtodriver.report.verdict_section import verdict_section

if TYPE_CHECKING:
    from jinja2 import Environment

SECTIONS: tuple[Callable[[ReportFacts], Section], ...] = (
    verdict_section,
    fit_section,
    time_section,
    power_section,
    layers_section,
    sparsity_section,
    saturation_section,
    timeline_section,
    origin_section,
)
MISSING = "report: needs the package jinja2, which is not installed; pip install 'open-femtodriver[report]'"
_TITLE_WIDTH = 120


def report_page(facts: ReportFacts) -> bytes:
    """The whole page, UTF-8; equal facts give equal bytes. UnsupportedError without the package jinja2."""
    page = environment().get_template("page.html")
    title = name_text(facts.doc["model"]["name"] or "a model without a name", _TITLE_WIDTH)
    sections = [section(facts) for section in SECTIONS]
    return (page.render(title=title, sections=sections).strip() + "\n").encode("utf-8", "backslashreplace")


def check_can_report() -> None:
    """UnsupportedError without the package jinja2."""
    environment()


def environment() -> Environment:
    """The templates; names that they do not know are errors, and everything that they print is escaped."""
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ModuleNotFoundError:
        raise UnsupportedError(MISSING) from None
    folder = resources.files("femtodriver.report") / "templates"
    texts = {
        entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith((".html", ".css"))
    }
    made = Environment(
        loader=DictLoader(texts), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"percent": _percent, "place": _place}
    return made


def _percent(share: float) -> str:
    """A share as a length in CSS, within the bar."""
    return f"{100 * min(max(share, 0.0), 1.0):.4g}%"


def _place(share: float) -> str:
    """A share as a coordinate of a drawing of 1000 units."""
    return f"{1000 * share:.6g}"
