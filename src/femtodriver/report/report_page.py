"""The page: all sections through the templates, as bytes. Every text is escaped by the templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from femtodriver.metrics.text_cells import name_text
from femtodriver.report.fit_section import fit_section
from femtodriver.report.layers_section import layers_section
from femtodriver.report.origin_section import origin_section
from femtodriver.report.page_blocks import Section
from femtodriver.report.page_templates import environment
from femtodriver.report.power_section import power_section
from femtodriver.report.report_facts import ReportFacts
from femtodriver.report.saturation_section import saturation_section
from femtodriver.report.sparsity_section import sparsity_section
from femtodriver.report.time_section import time_section
from femtodriver.report.timeline_section import timeline_section
from femtodriver.report.verdict_section import verdict_section

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
_TITLE_WIDTH = 120


def report_page(facts: ReportFacts) -> bytes:
    """The whole page, UTF-8; equal facts give equal bytes. UnsupportedError without the package jinja2."""
    return rendered(facts.doc["model"]["name"], [section(facts) for section in SECTIONS])


def rendered(model: str | None, sections: Sequence[Section]) -> bytes:
    """The page of a model with these sections, UTF-8. UnsupportedError without the package jinja2."""
    page = environment().get_template("page.html")
    title = name_text(model or "a model without a name", _TITLE_WIDTH)
    return (page.render(title=title, sections=sections).strip() + "\n").encode("utf-8", "backslashreplace")
