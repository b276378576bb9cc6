"""The options of ``femtodrive diff``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.option import option
from femtodriver.options.value_kinds import DIFF_FORM, PATH, TEXTS

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath

_DOCUMENT = "metrics.yaml, the same as .json, or the folder of a model that was simulated"


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffRequest(DebugRequest):
    """What ``femtodrive diff`` takes."""

    before: AnyPath = option(positional=True, metavar="A", kind=PATH, help=_DOCUMENT)
    after: AnyPath = option(positional=True, metavar="B", kind=PATH, help="the one to compare it with")
    fail_if: Sequence[str] = option(
        (),
        kind=TEXTS,
        metavar="LIMIT",
        repeated=True,
        help="a limit, such as power>+5% or latency>10ms: exit status 1 if it is exceeded; may be repeated",
    )
    format: str = option("text", kind=DIFF_FORM, metavar="FORM", help="text (default), markdown (of GitHub) or json")
