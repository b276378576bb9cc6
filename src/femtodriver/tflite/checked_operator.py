"""An operator with the tensors that it reads and writes, for rules that compare them; and how rules refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.safe_text import quote
from femtodriver.tflite.records import FileOperator, FileTensor

MAX_WORK = 32 << 20
_LIST_KINDS = ("INT32", "INT64")


class CheckBudget:
    """How many weights and channels may still be looked at: operators can share them, checks cannot."""

    def __init__(self) -> None:
        self._left = MAX_WORK

    def take(self, count: int, where: str) -> None:
        """Account for ``count`` elements. ModelError if there were too many."""
        self._left -= count
        if self._left < 0:
            raise ModelError(
                f"{where}: all operators together must have at most {MAX_WORK} weights and channels; "
                "make the network smaller."
            )


@dataclass(frozen=True, eq=False)
class CheckedOperator:
    """``graph`` is its number; ``tensors`` are those of the graph, to which the operator's numbers refer."""

    graph: int
    operator: FileOperator
    tensors: Sequence[FileTensor]
    budget: CheckBudget

    @property
    def where(self) -> str:
        """For messages: graph, operator, its name and version."""
        one = self.operator
        return f"graph {self.graph}: operator {one.index} ({one.name} version {one.version})"

    def refuse(self, text: str) -> ModelError:
        """The error for an operator that means nothing; ``text`` says what must be."""
        return ModelError(f"{self.where}: {text}.")

    def unsupported(self, text: str, tensor: FileTensor | None = None) -> UnsupportedError:
        """The error for an operator that means something, but not to this version; it names a tensor."""
        found = tensor or self._any_tensor()
        named = "" if found is None else f", tensor {found.index} ({quote(found.name)})"
        return UnsupportedError(f"{self.where}{named}: {text}.")

    def has(self, place: int) -> bool:
        """Whether the optional input is there."""
        return len(self.operator.inputs) > place and self.operator.inputs[place] >= 0

    def input(self, place: int = 0) -> FileTensor:
        """The tensor that the operator reads at this place."""
        return self.tensors[self.operator.inputs[place]]

    def output(self, place: int = 0) -> FileTensor:
        """The tensor that the operator writes at this place."""
        return self.tensors[self.operator.outputs[place]]

    def number(self, option: str) -> int:
        """An option that is a whole number or a truth value."""
        found = self.operator.options[option]
        if not isinstance(found, int):
            raise TypeError(f"{option} of {self.operator.name} is {found!r}")
        return found

    def at_least_one(self, *options: str) -> tuple[int, ...]:
        """Options that must be from 1. ModelError otherwise."""
        found = tuple(self.number(option) for option in options)
        for option, number in zip(options, found, strict=True):
            if number < 1:
                raise self.refuse(f"{option} must be at least 1, not {number}")
        return found

    def constant(self, tensor: FileTensor, what: str) -> AnyArray:
        """The elements of a tensor, in its shape. UnsupportedError for one that is computed."""
        found = tensor.constant()
        if found is None:
            raise self.unsupported(f"{what} must be a constant, not computed", tensor)
        return found

    def integers(self, place: int, what: str, shape: tuple[int, ...] | None = None) -> Int64Array:
        """A constant of whole numbers, flat; of ``shape``, or a list of at most 6. ModelError otherwise."""
        tensor = self.input(place)
        if tensor.kind not in _LIST_KINDS:
            raise self.refuse(f"{what} must be {' or '.join(_LIST_KINDS)}, not {tensor.kind}")
        found = self.constant(tensor, what)
        fits = (
            prod(tensor.shape) <= 6 if shape is None else tensor.shape == shape or (not shape and tensor.shape == (1,))
        )
        if not fits:
            wanted = "have at most 6 elements" if shape is None else f"be of shape {list(shape)}"
            raise self.refuse(f"{what} must {wanted}, not be of shape {list(tensor.shape)}")
        return found.reshape(-1).astype(np.int64)

    def axis(self, number: int, rank: int) -> int:
        """A dimension counted from 0, from one that may be counted from the end. ModelError if there is no such one."""
        if not -rank <= number < rank:
            raise self.refuse(f"the axis must be from {-rank} to {rank - 1}, not {number}")
        return number % rank

    def _any_tensor(self) -> FileTensor | None:
        known = [index for index in (*self.operator.outputs, *self.operator.inputs) if index >= 0]
        return self.tensors[known[0]] if known else None
