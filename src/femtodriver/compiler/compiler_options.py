"""What a user can switch in the compiler. Options change cost, never results; see docs/compiler.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum

from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.compiler.passes.pass_order import PASSES
from femtodriver.errors import UsageError

AUTO = "auto"
CORES, CORES_DOC = "cores", "how many cores to use: auto, or a number up to the part's"
OBJECTIVE, OBJECTIVE_DOC = (
    "objective",
    "what to choose the cores for: cycles (fewest cycles), energy (fewest cores and banks that meet the deadline), or "
    "balanced (more cores only where each does much)",
)
DEADLINE, DEADLINE_DOC = "deadline", "cycles from one frame to the next, for the objective energy: none, or a number"
NO_DEADLINE = "none"
REUSE = Switch("reuse", "compute equal operations on equal operands once")
SIMPLIFY = Switch("simplify", "shift instead of multiplying by powers of two, and leave out what changes nothing")
ACCUMULATORS = Switch(
    "accumulators", "keep values that only vector instructions touch in accumulators instead of memory"
)
BANK_PAIRS = Switch("bank_pairs", "keep what one instruction reads and writes in different pairs of banks")
LATE_BIAS = Switch("late_bias", "add the bias of a matrix product with its result instead of beginning with it")
# Every option that is true or false.
SWITCHES = (
    REUSE,
    SIMPLIFY,
    *(entry.option for entry in PASSES if entry.option is not None),
    ACCUMULATORS,
    BANK_PAIRS,
    LATE_BIAS,
)
# The first version of program files has its options in this order; all others follow in the order of ``SWITCHES``.
_FIRST = (CORES, REUSE.name, "drop_dead")
_ORDER = tuple(dict.fromkeys((*_FIRST, *(switch.name for switch in SWITCHES), OBJECTIVE, DEADLINE)))
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_MOST_DIGITS = 9
MOST_CYCLES = 10**_MOST_DIGITS - 1
"""The largest deadline."""
_MOST_SHOWN = 60


class Objective(str, Enum):
    """What the number of cores and the layout are chosen for."""

    CYCLES = "cycles"
    ENERGY = "energy"
    BALANCED = "balanced"


@dataclass(frozen=True)
class Options:
    """What the compiler may do.

    ``cores``: how many cores to use; None chooses by ``objective``. ``on``: names of the options that are true, of all
    that are true or false. ``deadline``: cycles from one frame to the next, None if they are not known. UsageError for
    a number of cores or cycles below 1 and for an unknown name.
    """

    cores: int | None = None
    on: frozenset[str] = frozenset(switch.name for switch in SWITCHES if switch.default)
    objective: Objective = Objective.BALANCED
    deadline: int | None = None

    def __post_init__(self) -> None:
        if self.cores is not None and self.cores < 1:
            raise _wrong_number(CORES, AUTO, self.cores)
        if self.deadline is not None and self.deadline < 1:
            raise _wrong_number(DEADLINE, NO_DEADLINE, self.deadline)
        unknown = sorted(self.on - {switch.name for switch in SWITCHES})
        if unknown:
            raise _unknown(unknown[0])

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Options:
        """Options from names and values as text, YAML or Python gives them; dashes and underscores alike.

        UsageError for an unknown name or a value of the wrong kind.
        """
        options = cls()
        for given, value in values.items():
            name = str(given).replace("-", "_")
            if name not in _ORDER:
                raise _unknown(given)
            if name == CORES:
                options = replace(options, cores=_number(CORES, AUTO, value))
            elif name == DEADLINE:
                options = replace(options, deadline=_number(DEADLINE, NO_DEADLINE, value))
            elif name == OBJECTIVE:
                options = replace(options, objective=_objective(value))
            else:
                others = options.on - {name}
                options = replace(options, on=others | {name} if _truth(name, value) else others)
        return options

    def without(self, *names: str) -> Options:
        """The same options with these switched off; UsageError for an unknown name."""
        unknown = [name for name in names if name not in {switch.name for switch in SWITCHES}]
        if unknown:
            raise _unknown(unknown[0])
        return replace(self, on=self.on - set(names))

    def allow(self, switch: Switch) -> bool:
        """Whether the option is true."""
        return switch.name in self.on

    def selected_passes(self) -> tuple[Pass, ...]:
        """The passes that run, in order."""
        return tuple(entry for entry in PASSES if entry.option is None or self.allow(entry.option))

    def table(self) -> dict[str, bool | int | str]:
        """Names and values as plain data, in the order of the documentation."""
        chosen: dict[str, bool | int | str] = {
            CORES: AUTO if self.cores is None else self.cores,
            OBJECTIVE: self.objective.value,
            DEADLINE: NO_DEADLINE if self.deadline is None else self.deadline,
        }
        return {name: chosen.get(name, name in self.on) for name in _ORDER}


def documentation() -> dict[str, tuple[str, str]]:
    """Default and meaning of every option, by name."""
    docs = {CORES: CORES_DOC, OBJECTIVE: OBJECTIVE_DOC, DEADLINE: DEADLINE_DOC}
    docs |= {switch.name: switch.doc for switch in SWITCHES}
    return {name: (str(default).lower(), docs[name]) for name, default in Options().table().items()}


def _number(name: str, nothing: str, value: object) -> int | None:
    if value is None or value == nothing:
        return None
    text = str(value)
    if not text.isdecimal() or len(text) > _MOST_DIGITS or not int(text):
        raise _wrong_number(name, nothing, value)
    return int(text)


def _objective(value: object) -> Objective:
    known = [one.value for one in Objective]
    if value not in known:
        raise UsageError(f"compiler option {OBJECTIVE}: must be one of {', '.join(known)}, not {value!r:.60}.")
    return Objective(value)


def _truth(name: str, value: object) -> bool:
    text = str(value).lower()
    if text not in (*_TRUE, *_FALSE):
        raise UsageError(f"compiler option {name}: must be true or false, not {value!r}.")
    return text in _TRUE


def _wrong_number(name: str, nothing: str, value: object) -> UsageError:
    return UsageError(f"compiler option {name}: must be {nothing} or a number from 1 on, not {value!r:.60}.")


def _unknown(name: object) -> UsageError:
    shown = str(name)[:_MOST_SHOWN]
    close = get_close_matches(shown.replace("-", "_").lower(), _ORDER, 1)
    advice = f" Did you mean {close[0]}?" if close else ""
    return UsageError(f"compiler option {shown!r}: must be one of {', '.join(_ORDER)}.{advice}")


DEFAULT_OPTIONS = Options()
