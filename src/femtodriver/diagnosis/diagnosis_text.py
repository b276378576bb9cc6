"""What a diagnosis found, as a text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from femtodriver.diagnosis.diagnose import ABSENT, BROKEN, CheckResult, is_sound
from femtodriver.diagnosis.surroundings import Surroundings
from femtodriver.safe_text import one_line

_STATE, _SUBJECT = 7, 18


def diagnosis_text(here: Surroundings, results: Sequence[CheckResult]) -> str:
    """A line for each result, with the next step below it."""
    return "\n".join(_lines(here, results))


def diagnosis_json(here: Surroundings, results: Sequence[CheckResult]) -> str:
    """The same as one JSON document."""
    facts = {"femtodriver": here.tool, "python": here.python, "system": here.system, "variables": here.variables}
    return json.dumps({**facts, "sound": is_sound(results), "results": [asdict(one) for one in results]}, indent=2)


def _lines(here: Surroundings, results: Sequence[CheckResult]) -> Iterator[str]:
    yield f"femtodriver {here.tool}, {here.python}, {here.system}"
    if here.variables:
        yield f"set in the environment: {', '.join(map(one_line, here.variables))}"
    yield ""
    for one in results:
        yield f"{one.state:<{_STATE}} {one.subject:<{_SUBJECT}} {one_line(one.told)}"
        if one.next_step:
            yield f"{'':<{_STATE}} {'':<{_SUBJECT}} -> {one_line(one.next_step)}"
    broken, absent = (sum(one.state == state for one in results) for state in (BROKEN, ABSENT))
    verdict = f"broken: {broken}" if broken else "nothing is broken"
    yield ""
    yield f"{verdict}; optional and absent: {absent}"
