"""Options that are valid but change nothing in a run: they are mentioned, not silently dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from femtodriver.options.option import AnyRequest, given_options

# What an option needs to have an effect, besides names of runners.
RUN = ("a run",)
GENERATED = ("generated frames",)
COMPARISON = ("a comparison",)
PROFILE = ("a profile",)
QUANTIZATION = ("a quantization report",)
# The simulator measures by such an option, and the compiler takes the deadline of the objective "energy" from it.
_ENERGY = "energy"


@dataclass(frozen=True)
class _Report:
    """A report that options are about: the flag that asks for it, the property that says so, who must run."""

    name: str
    flag: str
    asked: str
    runners: tuple[str, ...]


_REPORTS: dict[tuple[str, ...], _Report] = {
    PROFILE: _Report("profile", "--profile", "asks_for_profile", ("fasmir",)),
    QUANTIZATION: _Report("quantization report", "--quantization", "asks_for_quantization", ("fqir",)),
}
DEADLINE = ("fasmir", _ENERGY)


def without_effect(request: AnyRequest, runners: Sequence[str], generated: bool, objective: str = "") -> Iterator[str]:
    """A sentence for each option that was given and has no effect when these runners run.

    ``generated``: whether the frames are ours, not the user's. ``objective``: what the compiler chose the cores for, ""
    if nothing was compiled.
    """
    for option in given_options(request):
        report = _REPORTS.get(option.acts)
        if report is not None and not getattr(request, report.asked):
            reason = f"no {report.name} is shown; {report.flag} asks for one"
        else:
            acts = report.runners if report is not None else option.acts
            reason = "" if objective in acts else _reason(acts, runners, generated)
        if reason:
            yield f"{option.name}: without effect, because {reason}"


def _reason(acts: tuple[str, ...], runners: Sequence[str], generated: bool) -> str:
    if not acts:
        return ""
    if not runners:
        return "no runner runs; name them with --runners"
    if acts == GENERATED:
        return "" if generated else "the frames come from the input"
    if acts == COMPARISON:
        return "" if len(runners) > 1 else "one runner alone is compared with nothing"
    if acts == RUN or set(acts) & set(runners):
        return ""
    users = [name for name in acts if name != _ENERGY]
    one = len(users) == 1
    return f"only {' and '.join(users)} {'uses' if one else 'use'} it, which {'does' if one else 'do'} not run"
