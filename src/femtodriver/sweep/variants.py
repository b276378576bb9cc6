"""The grid of a sweep: every combination of the values, in a fixed order, and what has to be compiled for it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from femtodriver.compiler.compiler_options import OBJECTIVE, Objective
from femtodriver.errors import UsageError
from femtodriver.model.build_model import DEFAULT_PART
from femtodriver.options.compile_requests import CompileRequest
from femtodriver.options.option import given_options
from femtodriver.options.runner_requests import MeasureRequest
from femtodriver.options.sweep_requests import SweepRequest
from femtodriver.options.value_kinds import listed, plain_number
from femtodriver.options.value_series import each

MOST_VARIANTS = 100_000
_COMPILED = ("objective", "compiler_options")


@dataclass(frozen=True)
class ProgramChoice:
    """What a program is compiled with. ``part``: name or path, "" for that of a program.

    ``deadline``: (period in s, clock in Hz) if the program depends on them.
    """

    part: str
    objective: str | None
    compiler_options: tuple[tuple[str, Any], ...]
    deadline: tuple[float | None, float | None] | None = None

    def request(self, network: bool) -> CompileRequest:
        """How to compile; of a program that is there already only the part matters."""
        if not network:
            return CompileRequest(hw_config=self.part or None, noencrypt=True)
        return CompileRequest(
            hw_config=self.part,
            objective=self.objective,
            compiler_options=dict(self.compiler_options),
            noencrypt=True,
        )


@dataclass(frozen=True)
class Conditions:
    """What a run is measured at; None for the part's, or the usual one."""

    clock_hz: float | None
    voltage_v: float | None
    period_s: float | None
    temperature_c: float | None

    @property
    def request(self) -> MeasureRequest:
        """The options of the measurement."""
        return MeasureRequest(
            clock=self.clock_hz,
            voltage=self.voltage_v,
            input_period=self.period_s,
            temperature=self.temperature_c,
        )


@dataclass(frozen=True)
class Variant:
    """One combination."""

    program: ProgramChoice
    conditions: Conditions


def variants(request: SweepRequest, network: bool, period_s: float | None) -> list[Variant]:
    """All combinations: parts change slowest, then objectives, options of the compiler, clocks, voltages, periods, and
    temperatures.

    ``network``: whether the model is compiled here. ``period_s``: that of the inputs, if they state one. UsageError for
    too many, and for options of compiling if nothing is compiled.
    """
    if not network:
        _refuse_compiling(request)
    names, values = _option_values(request.compiler_options)
    axes = [
        tuple(map(os.fspath, each(request.hw_config))) or (DEFAULT_PART if network else "",),
        each(request.objective) or (None,),
        *values,
        *(_numbers(one) for one in (request.clock, request.voltage, request.input_period, request.temperature)),
    ]
    axes = [_once(axis) for axis in axes]
    count = math.prod(map(len, axes))
    if count > MOST_VARIANTS:
        raise UsageError(f"sweep: must have at most {MOST_VARIANTS:,} variants, not {count:,}; vary less at a time.")
    found = []
    for part, objective, *rest in product(*axes):
        options = tuple(zip(names, rest, strict=False))
        conditions = Conditions(*rest[len(names) :])
        deadline = _deadline(objective, conditions, period_s)
        found.append(Variant(ProgramChoice(part, objective, options, deadline), conditions))
    return found


def _once(values: Sequence[Any]) -> tuple[Any, ...]:
    """Each value once, also if it was named twice; 1 and true are two values."""
    return tuple({repr(value): value for value in values}.values())


def _refuse_compiling(request: SweepRequest) -> None:
    for one in given_options(request):
        if one.name in _COMPILED:
            raise UsageError(
                f"{one.name}: must not be varied for a compiled program, which is not compiled again; give the network."
            )


def _option_values(given: Mapping[str, Any] | Sequence[str] | None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of options of the compiler, and the values of each."""
    if given is None:
        return [], []
    found: dict[str, tuple[Any, ...]] = {}
    for name, values in given.items() if isinstance(given, Mapping) else map(_pair, given):
        plain = str(name).replace("-", "_")
        if plain == OBJECTIVE:
            raise UsageError("compiler option objective: must be varied by the option objective, as in cycles,energy.")
        if plain in found or not values:
            wanted = "be given once" if values else "have a value"
            raise UsageError(f"compiler option {plain}: must {wanted}; list its values, as in {plain}=1,2.")
        found[plain] = each(values)
    return list(found), list(found.values())


def _pair(text: str) -> tuple[str, tuple[str, ...]]:
    name, equals, values = text.partition("=")
    if not equals:
        raise UsageError(f"compiler option {text!r:.60}: must have the form name=value, or name=value,value.")
    return name.strip(), listed(values)


def _numbers(given: Any) -> tuple[float | None, ...]:
    return tuple(plain_number(value) for value in each(given)) or (None,)


def _deadline(
    objective: str | None, conditions: Conditions, period_s: float | None
) -> tuple[float | None, float | None] | None:
    """Only programs for the objective "energy" depend on the deadline; all others are compiled once for all clocks."""
    if objective != Objective.ENERGY.value:
        return None
    return (period_s if conditions.period_s is None else conditions.period_s), conditions.clock_hz
