"""``femtodrive evaluate``."""

from __future__ import annotations

from femtodriver.cli.command_kind import Command
from femtodriver.options.evaluate_requests import EvaluateCommandRequest

EXIT_NOT_ALL = 1
ABOUT_EVALUATE = (
    "Quote the pattern, so that the shell leaves it alone.\n"
    "Results go to evaluations/MODEL/: clips.parquet, summary.json and summary.txt; docs/evaluation.md explains them.\n"
    "If a run is interrupted, the same command goes on where it stopped. --rule and Dask clusters execute code: name\n"
    "only what you trust.\n\n"
    "exit status\n"
    "  0 done, 1 bad input, a clip failed or runners differ, 2 wrong usage, 130 interrupted"
)
EXAMPLES = (
    "femtodrive evaluate spotter.pt --inputs 'clips/**/*.wav' --labels labels.csv --classes yes,no,other",
    "femtodrive evaluate denoiser.pt --inputs 'noisy/*.wav' --references 'clean/{name}.wav' --scale real",
    "femtodrive evaluate spotter.pt --inputs clips --labels labels.csv --runners fqir,fasmir --workers 2",
)


def evaluate(request: EvaluateCommandRequest) -> int:
    """Run every clip; 1 if one failed or runners differ."""
    from femtodriver.cli.terminal_driver import terminal_driver
    from femtodriver.options.evaluate_requests import EvaluateRequest
    from femtodriver.options.option import given_within

    with terminal_driver("clip", keyring=request.keyring) as driver:
        doc = driver.evaluate(request.model, **given_within(request, EvaluateRequest))
    unequal = any(doc["runners"]["unequal_clips"].values())
    return EXIT_NOT_ALL if doc["clips"]["failed"] or unequal else 0


EVALUATE = Command(EvaluateCommandRequest, ABOUT_EVALUATE, evaluate, EXAMPLES)
