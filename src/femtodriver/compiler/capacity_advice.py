"""What would make a network fit. Whatever is advised has been tried in the compiler first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from femtodriver.compiler.backend.capacity_errors import FullError
from femtodriver.compiler.backend.symbolic_program import Fasmir
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Fmir, Matrix
from femtodriver.compiler.fmir.weight_halves import in_groups
from femtodriver.errors import CapacityError
from femtodriver.isa.limits import GROUP_SIZE, WEIGHT_BITS
from femtodriver.part import Part, load_part, part_names
from femtodriver.part.part_limits import PART_LIMITS

Change = Callable[[Fmir], Fmir]
Attempt = Callable[[Part, Options, Change], Fasmir]
"""Compiles the network for a part, with the lowered network changed; CapacityError if that does not fit."""

# Shares of the groups of weights that may be advised, in percent. So much less is tried, because the user may choose
# other groups than the trial.
_SHARES = tuple(range(5, 100, 5))
_MARGIN = 2


def with_advice(error: FullError, part: Part, options: Options, attempt: Attempt) -> CapacityError:
    """The error with everything that has been found to help, or with its own general advice if nothing has."""
    ways = [*_other_options(part, options, attempt), *_other_parts(part, options, attempt)]
    if error.weights:
        ways += [*_pruning(part, options, attempt), *_narrower(part, options, attempt)]
    if not ways:
        return CapacityError(str(error))
    text = ", or ".join(ways)
    return CapacityError(f"{error.message} {text[0].upper()}{text[1:]}.")


def _unchanged(fmir: Fmir) -> Fmir:
    return fmir


def _fits(attempt: Attempt, part: Part, options: Options, change: Change = _unchanged) -> Fasmir | None:
    """The program, if it fits."""
    try:
        return attempt(part, options, change)
    except CapacityError:
        return None


def _other_options(part: Part, options: Options, attempt: Attempt) -> Iterator[str]:
    """All cores, if the user has chosen fewer."""
    if options.cores is not None and options.cores < part.cores:
        program = _fits(attempt, part, replace(options, cores=None))
        if program is not None:
            yield f"let the compiler use all {part.cores} cores (--compiler-option cores=auto)"


def _other_parts(part: Part, options: Options, attempt: Attempt) -> Iterator[str]:
    """The smallest part that we ship on which it fits, else one with more cores that users can describe themselves."""
    shipped = sorted((load_part(name) for name in part_names()), key=lambda one: one.cores)
    for larger in (one for one in shipped if one.cores > part.cores):
        program = _fits(attempt, larger, replace(options, cores=None))
        if program is not None:
            fullest = max(places.used_bytes for places in program.maps.values())
            yield (
                f"use --hw-config {larger.name}, where the fullest core holds {fullest} of {larger.dm_bytes} bytes "
                "of data memory"
            )
            return
    cores = max(part.cores, shipped[-1].cores)
    while cores < PART_LIMITS["cores"].most:
        cores = min(2 * cores, PART_LIMITS["cores"].most)
        if _fits(attempt, replace(part, cores=cores), replace(options, cores=None)) is not None:
            yield f"use a part file of your own with cores = {cores} (--hw-config my.toml)"
            return


def _pruning(part: Part, options: Options, attempt: Attempt) -> Iterator[str]:
    """The smallest share of pruned groups with which it fits."""

    def enough(share: int) -> bool:
        return _fits(attempt, part, options, partial(_pruned, percent=share - _MARGIN)) is not None

    least = bisect_left(_SHARES, True, key=enough)
    if least < len(_SHARES):
        yield (
            f"prune {_SHARES[least]} % of the weights in whole groups "
            f"({GROUP_SIZE} consecutive outputs, the first one a multiple of {GROUP_SIZE}, of one input)"
        )


def _narrower(part: Part, options: Options, attempt: Attempt) -> Iterator[str]:
    """The widest narrower weights with which it fits."""
    for bits in reversed(WEIGHT_BITS[:-1]):
        program = _fits(attempt, part, options, partial(_narrowed, bits=bits))
        if program is not None:
            fullest = max(places.used_bytes for places in program.maps.values())
            yield f"quantize the weights to {bits} bits (the fullest core then holds {fullest} bytes)"
            return


def _pruned(fmir: Fmir, percent: int) -> Fmir:
    """The network without the smallest groups of weights of each matrix."""
    return replace(fmir, matrices={name: _without_smallest(one, percent) for name, one in fmir.matrices.items()})


def _without_smallest(matrix: Matrix, percent: int) -> Matrix:
    groups = in_groups(matrix.weights)
    units = groups.reshape(-1, GROUP_SIZE)
    smallest = np.argsort(np.abs(units).sum(axis=1), kind="stable")[: len(units) * percent // 100]
    units[smallest] = 0
    return Matrix(
        matrix.name, groups.reshape(matrix.columns, groups.shape[1] * GROUP_SIZE)[:, : matrix.rows], matrix.bits
    )


def _narrowed(fmir: Fmir, bits: int) -> Fmir:
    """The network with weights of at most so many bits; those that are not 0 stay so."""
    most = (1 << (bits - 1)) - 1
    return replace(
        fmir,
        matrices={
            name: Matrix(name, np.clip(one.weights, -most, most), bits) if one.bits > bits else one
            for name, one in fmir.matrices.items()
        },
    )
