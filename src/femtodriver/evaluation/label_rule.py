"""Rules from the outputs of a clip to its label: ours, and functions of the user.

Our rules make one score of each element of the output, over all frames, and the label is the place of the largest one
(the first of equal ones).

* ``last``: the element of the last frame
* ``mean``: its mean
* ``max``: its maximum

A function of the user is called as ``function(outputs)`` with {output: int64 array (frames, elements)}, and gives a
label: a text, the number of a class, or None. It is code of the user's, and runs with the rights of the user.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.files.file_access import read_file, shown_path
from femtodriver.options.value_kinds import LAST, MAX, MEAN
from femtodriver.safe_text import shown

MOST_KEPT = 1 << 25
_MOST_BYTES = 16 << 20
Outputs = Mapping[str, Int64Array]
Function = Callable[[Outputs], object]


@dataclass(frozen=True)
class Judgement:
    """``predicted``: a label, the number of a class, or None. ``scores``: one for each element, () if unknown."""

    predicted: int | str | None
    scores: tuple[float, ...] = ()


class Judge(Protocol):
    """Sees the outputs of a clip, block by block, and then says what it is."""

    def see(self, outputs: Outputs) -> None:
        """The next frames: int64, (frames, elements) by name."""

    def judge(self) -> Judgement:
        """After the last frame."""


@dataclass(frozen=True)
class LabelRule:
    """Makes a ``Judge`` for each clip. ``kind``: last, mean or max of the output ``output``; or ``function``.

    ``file`` and ``name``: where a function is that is not handed over itself.
    """

    kind: str = MEAN
    output: str = ""
    file: str = ""
    name: str = ""
    function: Function | None = None

    def judge(self) -> Judge:
        """A new judge. UsageError for a function that cannot be loaded."""
        if self.function is not None:
            return FunctionJudge(self.function, self.name)
        if self.file:
            return FunctionJudge(load_function(self.file, self.name), f"{self.file}:{self.name}")
        return ScoreJudge(self.kind, self.output)

    @property
    def identity(self) -> str:
        """What it does, so that a changed rule is noticed: for a function a digest of its source."""
        if self.file:
            return f"{self.file}:{self.name} {_digest(read_file(self.file, _MOST_BYTES, InputError))}"
        if self.function is None:
            return f"{self.kind} of {self.output}"
        try:
            source = inspect.getsource(self.function)
        except (OSError, TypeError):  # it has none that Python can find
            source = ""
        return f"{self.name} {_digest(source.encode('utf-8', 'surrogatepass'))}"


class ScoreJudge:
    """The rules last, mean and max of one output."""

    def __init__(self, kind: str, output: str) -> None:
        self._kind, self._output = kind, output
        self._frames = 0
        self._sum: Int64Array | None = None

    def see(self, outputs: Outputs) -> None:
        """See ``Judge``."""
        block = outputs[self._output]
        new = {LAST: lambda: block[-1], MEAN: lambda: block.sum(axis=0), MAX: lambda: block.max(axis=0)}[self._kind]()
        if self._sum is None or self._kind == LAST:
            self._sum = new
        else:
            self._sum = self._sum + new if self._kind == MEAN else np.maximum(self._sum, new)
        self._frames += len(block)

    def judge(self) -> Judgement:
        """See ``Judge``."""
        if self._sum is None:
            return Judgement(None)
        scores: Float64Array = self._sum / (self._frames if self._kind == MEAN else 1)
        return Judgement(int(scores.argmax()), tuple(float(score) for score in scores))


class FunctionJudge:
    """A function of the user, which gets all frames at once."""

    def __init__(self, function: Function, name: str) -> None:
        self._function, self._name = function, name
        self._blocks: list[dict[str, Int64Array]] = []
        self._kept = 0

    def see(self, outputs: Outputs) -> None:
        """See ``Judge``. InputError where the outputs of a clip are too many to be kept."""
        self._kept += sum(block.size for block in outputs.values())
        if self._kept > MOST_KEPT:
            raise InputError(f"rule: a clip must have at most {MOST_KEPT} elements of outputs for a function to see.")
        self._blocks.append(dict(outputs))

    def judge(self) -> Judgement:
        """See ``Judge``. UsageError where the function fails, or gives something else than a label."""
        names = self._blocks[0] if self._blocks else ()
        outputs = {name: np.concatenate([block[name] for block in self._blocks]) for name in names}
        caught = AnyFault()
        with caught:
            return Judgement(_label(self._function(outputs)))
        raise UsageError(f"rule: {self._name}: {caught.text}.")


class AnyFault:
    """Around code that may raise anything, because it is not ours: ``text`` says what it raised, also to exit."""

    def __init__(self) -> None:
        self.text = ""

    def __enter__(self) -> AnyFault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        found = isinstance(error, (Exception, SystemExit))
        if found:
            self.text = f"{type(error).__name__}: {error}"
        return found


def _label(found: Any) -> int | str | None:
    if found is None or isinstance(found, str):
        return found if found is None else str(found)
    if isinstance(found, Integral) and not isinstance(found, bool):
        return int(found)
    raise TypeError(f"must return a label (a text), the number of a class or None, not {shown(found)}")


def label_rule(kind: str | None, rule: object, output: str) -> LabelRule:
    """The rule that two options mean. UsageError for a function that is not there, or for both at once."""
    if rule is None:
        return LabelRule(kind or MEAN, output)
    if kind is not None:
        raise UsageError("label_rule: must not be given together with rule, which takes its place.")
    if callable(rule):
        name = getattr(rule, "__qualname__", type(rule).__name__)
        return LabelRule(function=rule, name=f"{getattr(rule, '__module__', '')}.{name}")
    file, colon, name = rule.rpartition(":") if isinstance(rule, str) else ("", "", "")
    if not colon or not file or not name.isidentifier():
        raise UsageError(f"rule: must be FILE.py:FUNCTION, or a function of Python, not {shown(rule)}.")
    load_function(file, name)
    return LabelRule(file=os.path.abspath(file), name=name)


def load_function(file: str, name: str) -> Function:
    """The function of that name in a file, which is executed. UsageError if that fails."""
    where = shown_path(file)
    spec = importlib.util.spec_from_file_location(f"rule_{_digest(file.encode('utf-8', 'surrogatepass'))}", file)
    if spec is None or spec.loader is None or not os.path.isfile(file):
        raise UsageError(f"rule: {where}: must be a file of Python that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    caught = AnyFault()
    with caught:
        spec.loader.exec_module(module)
    if caught.text:
        raise UsageError(f"rule: {where}: cannot be loaded: {caught.text}.")
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"rule: {where}: must have a function {name}.")
    found: Function = function
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
