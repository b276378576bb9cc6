"""What a diagnosis found, as a text or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from femtodriver.diagnosis.diagnose import ABSENT, BROKEN, CheckResult, is_sound
from femtodriver.diagnosis.surroundings import Surroundings
from femtodriver.safe_text import one_line

WIDTH = 80
_MARGIN, _STATE, _SUBJECT = 2, 7, 15
_INDENT = _MARGIN + _STATE + _SUBJECT + 1


def diagnosis_text(here: Surroundings, results: Sequence[CheckResult]) -> str:
    """Results by group, each with the next step below it, at most WIDTH columns wide where words allow it."""
    return "\n".join(_lines(here, results))


def diagnosis_json(here: Surroundings, results: Sequence[CheckResult]) -> str:
    """The same as one JSON document."""
    facts = {"femtodriver": here.tool, "python": here.python, "system": here.system, "variables": here.variables}
    return json.dumps({**facts, "sound": is_sound(results), "results": [asdict(one) for one in results]}, indent=2)


def _lines(here: Surroundings, results: Sequence[CheckResult]) -> Iterator[str]:
    yield f"femtodriver {here.tool}, {here.python}, {here.system}"
    if here.variables:
        yield from _wrapped(f"set in the environment: {', '.join(here.variables)}", "", "  ")
    for group, members in groupby(results, lambda one: one.group):
        yield f"\n{group}"
        for one in members:
            yield from _wrapped(
                one.told, f"{'':{_MARGIN}}{one.state:<{_STATE}}{one.subject:<{_SUBJECT}} ", _INDENT * " "
            )
            if one.next_step:
                yield from _wrapped(one.next_step, f"{'':{_INDENT}}-> ", (_INDENT + 3) * " ")
    broken, absent = (sum(one.state == state for one in results) for state in (BROKEN, ABSENT))
    verdict = f"broken: {broken}" if broken else "nothing is broken"
    yield f"\n{verdict}; optional and absent: {absent}"


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        one_line(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
