"""A run on one page: a self-contained HTML file that needs no scripts and nothing from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from femtodriver.report.report_facts import PlainFacts, ReportFacts


def page_of(facts: ReportFacts) -> bytes:
    """See ``report_page``. The sections are imported when a page is made: most runs make none."""
    from femtodriver.report.report_page import report_page

    return report_page(facts)


def plain_page_of(facts: PlainFacts) -> bytes:
    """See ``plain_page``."""
    from femtodriver.report.plain_page import plain_page

    return plain_page(facts)
