"""``femtodrive diff`` and ``femtodrive sweep``: metrics of two runs, and of many variants."""

from __future__ import annotations

import os
import sys

from femtodriver.cli.command_kind import Command
from femtodriver.errors import UsageError
from femtodriver.options.metrics_requests import DiffRequest
from femtodriver.options.sweep_requests import SweepCommandRequest

EXIT_EXCEEDED = 1
ABOUT_DIFF = (
    "A limit names what must not be: power>+5% (more than 5 % more than A), cycles>12000 or latency>10ms (of B),\n"
    "layer.cycles>+10% (any layer). docs/diff.md has the figures that have a name.\n\n"
    "exit status\n"
    "  0 all limits are kept, 1 one is exceeded or a document cannot be read, 2 wrong usage"
)
ABOUT_SWEEP = (
    "All combinations of the values are tried: --clock 10e6,50e6 --voltage 0.5..0.8:4 gives eight rows. Only parts,\n"
    "objectives and options of the compiler need a new compilation. docs/sweep.md explains the columns.\n\n"
    "exit status\n"
    "  0 done, also where variants are impossible; 1 a model or input cannot be used; 2 wrong usage"
)
DIFF_EXAMPLES = (
    "femtodrive diff before/metrics.yaml model_datas/spotter",
    "femtodrive diff before.yaml after.yaml --fail-if 'power>+5%' --fail-if 'latency>10ms' --format markdown",
)
SWEEP_EXAMPLES = (
    "femtodrive sweep spotter.pt --hw-config spu001,spu001x4 --clock 10e6,50e6",
    "femtodrive sweep spotter.pt --input-file words.npz --voltage 0.5..0.8:4 --sort power --plot sweep.svg",
    "femtodrive sweep spotter.pt --compiler-options cores=1,2 --format csv",
)


def diff(request: DiffRequest) -> int:
    """Print how the documents differ; 1 if a limit is exceeded."""
    from femtodriver.metrics.diff import diff_documents, diff_report, parse_limit
    from femtodriver.metrics.read_document import read_document
    from femtodriver.pytorch.module_reference import names_python

    for model in (request.before, request.after):
        if names_python(model):
            raise UsageError(
                f"{os.fspath(model)}: must be a metrics document, or the folder of a model that has run, not a module; "
                "run it first (--runners fasmir)."
            )
    limits = [parse_limit(text) for text in request.fail_if]
    found = diff_documents(read_document(request.before), read_document(request.after), limits)
    names = os.fspath(request.before), os.fspath(request.after)
    print(diff_report(found, names, request.format))
    return 0 if found.kept else EXIT_EXCEEDED


def sweep(request: SweepCommandRequest) -> int:
    """Print the variants, and draw them if that is asked for."""
    from femtodriver.driver import Femtodriver
    from femtodriver.options.option import given_within
    from femtodriver.options.sweep_requests import SweepRequest
    from femtodriver.sweep.pareto_plot import check_plot, write_plot
    from femtodriver.sweep.sweep_text import FORMS
    from femtodriver.worker_process import cores

    check_plot(request.plot)
    with Femtodriver() as driver:
        driver.say = lambda text: print(text, file=sys.stderr)  # standard output is the table's
        result = driver.sweep(request.model, **{"workers": cores(), **given_within(request, SweepRequest)})
    print(FORMS[request.format](result))
    if request.plot is not None:
        write_plot(result, request.plot)
    return 0


DIFF = Command(DiffRequest, ABOUT_DIFF, diff, DIFF_EXAMPLES)
SWEEP = Command(SweepCommandRequest, ABOUT_SWEEP, sweep, SWEEP_EXAMPLES)
