"""Operators that only exist before fmot's lowering passes, or that cannot be executed at all.

They are known by name so that the refusal can say what to do.
"""

from __future__ import annotations

from femtodriver.fqir.operators.operator import Operator


class Pwlin(Operator):
    """A piecewise-linear function; lowering makes tables, products and sums of it."""

    name = "pwlin"
    refusal = "it is a function that fmot has not lowered to tables yet"


class Squeeze(Operator):
    """Removal of an axis."""

    name = "squeeze"
    refusal = "it has no meaning for one frame at a time"


class Lstm(Operator):
    """A whole LSTM layer; no longer produced."""

    name = "lstm"
    refusal = "it is a whole layer that fmot no longer makes"


class Print(Operator):
    """Prints while running, by a function inside the file."""

    name = "print"
    refusal = "it holds a function of the model's author, and has no value"


class FqirWriterKernel(Operator):
    """A kernel of the graph writer; lowering inlines it."""

    name = "fqir_writer_kernel"
    refusal = "it is a kernel that fmot has not inlined yet"


class TemporalUnfoldUnkernelized(Operator):
    """A temporal unfold without a buffer; lowering adds it."""

    name = "temporal_unfold_unkernelized"
    refusal = "it is an unfold that fmot has not given a buffer yet"


class TemporalTransposeFoldUnkernelized(Operator):
    """A transposed temporal fold; fmot has no lowering for it."""

    name = "temporal_transpose_fold_unkernelized"
    refusal = "it is a transposed fold, for which fmot has no lowering"
