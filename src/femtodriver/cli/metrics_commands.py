"""``femtodrive diff``: what is done with metrics documents."""

from __future__ import annotations

import os

from femtodriver.options.metrics_requests import DiffRequest

EXIT_EXCEEDED = 1
ABOUT_DIFF = (
    "A limit names what must not be: power>+5% (more than 5 % more than A), cycles>12000 or latency>10ms (of B),\n"
    "layer.cycles>+10% (any layer). docs/diff.md has the figures that have a name.\n"
    "exit status: 0 all limits are kept, 1 one is exceeded or a document cannot be read, 2 wrong usage"
)


def diff(request: DiffRequest) -> int:
    """Print how the documents differ; 1 if a limit is exceeded."""
    from femtodriver.metrics.diff import diff_documents, diff_report, parse_limit
    from femtodriver.metrics.read_document import read_document

    limits = [parse_limit(text) for text in request.fail_if]
    found = diff_documents(read_document(request.before), read_document(request.after), limits)
    names = os.fspath(request.before), os.fspath(request.after)
    print(diff_report(found, names, request.format))
    return 0 if found.kept else EXIT_EXCEEDED
