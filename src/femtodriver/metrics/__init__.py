"""Counts to joules to documents: the metrics of a run."""

from femtodriver.metrics.choice_summary import summary_of
from femtodriver.metrics.document import ROOM_TEMPERATURE_C, build_document, part_as_given
from femtodriver.metrics.metrics_text import document_text
from femtodriver.metrics.metrics_yaml import document_yaml
from femtodriver.metrics.shown_metrics import shown_yaml

__all__ = [
    "ROOM_TEMPERATURE_C",
    "build_document",
    "document_text",
    "document_yaml",
    "part_as_given",
    "shown_yaml",
    "summary_of",
]
