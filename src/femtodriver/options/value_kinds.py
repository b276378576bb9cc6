"""What values an option takes: the words for it, the check, and how a word of the command line becomes a value."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from femtodriver.profile.profile_choices import GROUPINGS, SORTS

Names = str | Sequence[str] | None
STYLES = ("random", "varied", "sawtooth", "half-random")
# Profiles of the vendor's compiler, as near as our objectives come to them.
OBJECTIVE_OF_PROFILE = {"efficient": "energy", "fast": "cycles", "conservative": "balanced"}
OBJECTIVES = ("cycles", "energy", "balanced")
PCM_NAMES = ("u8", "s16le", "s24le", "s32le", "f32le")
KERNELS = ("tflite", "xnnpack")
OWN, FEMTOCRUX = COMPILERS = ("own", "femtocrux")
NATIVE, NUMPY = MACHINES = ("native", "numpy")
DIFF_FORMS = ("text", "markdown", "json")
LAST, MEAN, MAX = LABEL_RULES = ("last", "mean", "max")
TREE_13, TREE_26 = TREES = ("1.3", "2.6")
SHELLS = BASH, ZSH, FISH = ("bash", "zsh", "fish")
SWEEP_FORMS = ("text", "csv", "json")
PRECISIONS = ("double", "standard", "eights")


@dataclass(frozen=True)
class ValueKind:
    """What values an option takes.

    ``wanted``: in words, as in "must be ...". ``accepts``: whether a value of Python is one. ``parse``: the value of a
    word of the command line; ValueError for a word that has none. ``words``: all that it takes, if they are few.
    """

    wanted: str
    accepts: Callable[[Any], bool]
    parse: Callable[[str], Any] = str
    words: tuple[str, ...] = ()


def listed(names: Names) -> tuple[str, ...]:
    """Names from a comma-separated text or a sequence; no names from None or ""."""
    if names is None:
        return ()
    parts = names.split(",") if isinstance(names, str) else names
    return tuple(part.strip() for part in parts if part.strip())


def whole(least: int, most: int | None = None) -> ValueKind:
    """Whole numbers from ``least``, to ``most`` if there is one."""
    wanted = f"a whole number of at least {least}" if most is None else f"in {least}...{most}"

    def accepts(value: Any) -> bool:
        return _is_number(value, Integral) and least <= value and (most is None or value <= most)

    return ValueKind(wanted, accepts, int)


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def plain_number(value: Any) -> Any:
    """A number of NumPy, or a fraction, as one of Python; anything else as it is."""
    if type(value) in (bool, int, float) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def _is_finite(value: Any) -> bool:
    """Whether it is a real number that a float can hold."""
    try:
        return _is_number(value, Real) and math.isfinite(float(value))
    except OverflowError:
        return False


def _positive(unit: str) -> ValueKind:
    return ValueKind(f"a positive number of {unit}", lambda value: _is_finite(value) and value > 0, float)


def _between(low: float, high: float, unit: str) -> ValueKind:
    return ValueKind(
        f"from {low:g} to {high:g} {unit}", lambda value: _is_finite(value) and low <= value <= high, float
    )


def _one_of(*words: str) -> ValueKind:
    wanted = " or ".join([*filter(None, [", ".join(words[:-1])]), words[-1]])
    return ValueKind(wanted, lambda value: isinstance(value, str) and value in words, words=words)


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike)) and os.fsdecode(value) != "" and "\0" not in os.fsdecode(value)


def _is_cleanup(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value == "all")


def _cleanup(word: str) -> bool | str:
    return True if word == "own" else word


def _is_names(value: Any) -> bool:
    return value is None or isinstance(value, str) or _is_sequence_of_texts(value)


def _is_sequence_of_texts(value: Any) -> bool:
    return isinstance(value, (Sequence, set, frozenset)) and all(isinstance(item, str) for item in value)


def _is_range(value: Any) -> bool:
    try:
        return len(value) == 2 and all(_is_number(item, Integral) for item in value)
    except TypeError:
        return False


def _range(word: str) -> tuple[int, int]:
    low, high = (int(part) for part in word.split(","))
    return low, high


def _some_names(word: str) -> str:
    if not listed(word):
        raise ValueError(word)
    return word


def _scale(word: str) -> str | float:
    return word if word == "real" else float(word)


def _is_scale(value: Any) -> bool:
    return (isinstance(value, str) and value == "real") or (_is_finite(value) and value > 0)


SWITCH = ValueKind("True or False", lambda value: isinstance(value, bool))
CLEANUP = ValueKind("own or all", _is_cleanup, _cleanup, ("own", "all"))
TEXT = ValueKind("a text", lambda value: isinstance(value, str) and value != "")
PATH = ValueKind("a path", _is_path)
NAMES = ValueKind("names, separated by commas or in a list", _is_names, _some_names)
SECONDS = _positive("seconds")
# The range in which the leakage law of the energy table holds.
CELSIUS = _between(-40, 55, "degC")
# Beyond these, figures mean nothing, and some leave the numbers that a float can hold.
PERIOD = _between(1e-9, 1e9, "seconds")
MILLIWATT_HOURS = _between(1e-6, 1e9, "mWh")
HERTZ = _between(1, 1e11, "hertz")
VOLTS = _between(0.1, 5, "volts")
TRIES = whole(0, 1000)
FROM_0 = ValueKind("a number from 0", lambda value: _is_finite(value) and value >= 0, float)
KEY_SALT = ValueKind("a number in 0...2^64-1", lambda value: _is_number(value, Integral) and 0 <= value < 1 << 64, int)
SCALE = ValueKind("real or a positive number", _is_scale, _scale)
STYLE = _one_of(*STYLES)
FRONTEND = _one_of("micro")
OBJECTIVE = _one_of(*OBJECTIVES)
OPT_PROFILE = _one_of(*OBJECTIVE_OF_PROFILE)
MACHINE = _one_of(*MACHINES)
COMPILER = _one_of(*COMPILERS)
REQUANTIZE = _one_of(*KERNELS)


def native_or_not(machine: str | None) -> bool | None:
    """What the option ``machine`` asks for: the native loop, NumPy, or (None) whatever there is."""
    return None if machine is None else machine == NATIVE


DIFF_FORM = _one_of(*DIFF_FORMS)
SWEEP_FORM = _one_of(*SWEEP_FORMS)
PRECISION = _one_of(*PRECISIONS)
TEXTS = ValueKind("a list of texts", lambda value: not isinstance(value, str) and _is_sequence_of_texts(value))
PCM = _one_of(*PCM_NAMES)
GROUPING = _one_of(*GROUPINGS)
SORT = _one_of(*SORTS)
TREE = _one_of(*TREES)
SHELL = _one_of(*SHELLS)
LABEL_RULE = _one_of(*LABEL_RULES)
SHARE = ValueKind("a share from 0 to 1", lambda value: _is_number(value, Real) and 0 <= value <= 1, float)
FRAME_RANGE = ValueKind("two frame numbers LO,HI", _is_range, _range)
PAIRS = ValueKind(
    'a mapping, or texts "name=value"', lambda value: isinstance(value, Mapping) or _is_sequence_of_texts(value)
)
MAPPING = ValueKind("a mapping", lambda value: isinstance(value, Mapping))
ANYTHING = ValueKind("anything", lambda value: True)
