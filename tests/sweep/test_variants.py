"""The grid: its order, what is compiled for it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from femtodriver.errors import UsageError
from femtodriver.options.bind_request import bind
from femtodriver.options.sweep_requests import SweepRequest
from femtodriver.sweep.variants import variants


def request(**options: Any) -> SweepRequest:
    return bind(SweepRequest, options, "test")


def test_nothing_varied_is_one_variant_of_the_usual_part() -> None:
    (one,) = variants(request(), True, None)
    assert (one.program.part, one.program.objective, one.program.compiler_options) == ("spu001", None, ())
    assert vars(one.conditions) == dict.fromkeys(("clock_hz", "voltage_v", "period_s", "temperature_c"))


def test_every_combination_in_order() -> None:
    found = variants(request(hw_config=[Path("a.toml"), "b"], clock=(2, 1), temperature=[0, 40]), True, None)
    assert [(one.program.part, one.conditions.clock_hz, one.conditions.temperature_c) for one in found] == [
        ("a.toml", 2, 0),
        ("a.toml", 2, 40),
        ("a.toml", 1, 0),
        ("a.toml", 1, 40),
        ("b", 2, 0),
        ("b", 2, 40),
        ("b", 1, 0),
        ("b", 1, 40),
    ]


@pytest.mark.parametrize("given", [["cores=1, 2", "drop-dead=no"], {"cores": [1, 2], "drop_dead": "no"}])
def test_options_of_the_compiler(given: Any) -> None:
    found = [dict(one.program.compiler_options) for one in variants(request(compiler_options=given), True, None)]
    assert [str(one["cores"]) for one in found] == ["1", "2"]
    assert all(one["drop_dead"] == "no" for one in found)


@pytest.mark.parametrize(
    ("options", "programs"),
    [
        ({}, 1),
        ({"objective": "cycles"}, 1),
        ({"objective": "energy"}, 4),
        ({"objective": ["energy", "balanced"]}, 5),
        ({"hw_config": ["spu001", "spu001x4"], "voltage": [0.5, 0.6]}, 2),
        ({"compiler_options": ["cores=1,2", "reuse=yes,no"]}, 4),
    ],
)
def test_clocks_and_periods_need_no_program_but_for_the_deadline(options: dict[str, Any], programs: int) -> None:
    found = variants(request(clock=[1e6, 2e6], input_period=[0.1, 0.2], **options), True, None)
    assert len({one.program for one in found}) == programs


def test_the_period_of_the_inputs_is_the_deadline_if_none_is_given() -> None:
    (one,) = variants(request(objective="energy"), True, 0.5)
    assert one.program.deadline == (0.5, None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"compiler_options": ["cores"]}, "compiler option 'cores': must have the form name=value"),
        ({"compiler_options": ["cores="]}, "compiler option cores: must have a value"),
        ({"compiler_options": ["cores=1", "cores=2"]}, "compiler option cores: must be given once; list its values"),
        ({"compiler_options": ["objective=energy"]}, "must be varied by the option objective"),
        (
            {"clock": range(1, 1001), "voltage": [1 + place / 1000 for place in range(101)]},
            "must have at most 100,000 variants, not 101,000",
        ),
    ],
)
def test_what_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        variants(request(**options), True, None)


def test_a_program_is_not_compiled_again() -> None:
    assert len(variants(request(clock=[1, 2]), False, None)) == 2
    with pytest.raises(UsageError, match="objective: must not be varied for a compiled program"):
        variants(request(objective="energy"), False, None)


def test_a_value_that_is_named_twice_counts_once() -> None:
    options = {"cores": [1, 2, 1], "reuse": [1, True]}
    found = variants(request(hw_config="a.toml,a.toml", clock=[2e6, 2e6, 1e6], compiler_options=options), True, None)
    assert [(one.program.compiler_options, one.conditions.clock_hz) for one in found] == [
        ((("cores", cores), ("reuse", reuse)), clock) for cores in (1, 2) for reuse in (1, True) for clock in (2e6, 1e6)
    ]
