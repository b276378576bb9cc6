"""How two metrics documents differ, and whether they differ too much."""

from femtodriver.metrics.diff.diff_limits import Limit, parse_limit
from femtodriver.metrics.diff.diff_report import FORMATS, diff_report
from femtodriver.metrics.diff.document_diff import DocumentDiff, diff_documents

__all__ = ["FORMATS", "DocumentDiff", "Limit", "diff_documents", "diff_report", "parse_limit"]
