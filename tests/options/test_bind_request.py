"""Names and values become a request: aliases, checks, refusals, places."""

from __future__ import annotations

import inspect
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UsageError
from femtodriver.options.bind_request import UnknownArgumentError, bind
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.method_table import COMPARE, METHODS, RUN
from femtodriver.options.option import given_options, options_of
from femtodriver.options.runner_requests import RunnerRequest


def test_what_is_not_given_has_its_default() -> None:
    request = bind(RunnerRequest, {}, "test")
    assert request.hardware == "fakezynq"
    assert list(given_options(request)) == []


@pytest.mark.parametrize("name", ["address", "zynq_host", "hardware_address"])
def test_aliases_mean_the_same(name: str) -> None:
    request = bind(RunnerRequest, {name: "here:1"}, "test")
    assert request.address == "here:1"
    assert [option.name for option in given_options(request)] == ["address"]


def test_two_names_of_one_option_must_agree() -> None:
    both = {"zynq_host": "a", "hardware_address": "a", "address": None}
    assert bind(RunnerRequest, both, "test").address == "a"
    with pytest.raises(
        UsageError, match=r"^address: must be the same as hardware_address \('a'\) if both are given, not 'b'\.$"
    ):
        bind(RunnerRequest, {**both, "address": "b"}, "test")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("hardwear", r"Did you mean 'hardware'\?"),
        ("Timeout", r"Did you mean 'timeout'\?"),
        ("qqq", "It knows noencrypt,"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, advice: str) -> None:
    with pytest.raises(UnknownArgumentError, match=rf"^test: .*, not '{name}'\. {advice}") as found:
        bind(RunnerRequest, {name: 1}, "test")
    assert isinstance(found.value, UsageError)
    assert isinstance(found.value, TypeError)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n_frames": 0}, "n_frames: must be a whole number of at least 1, not 0."),
        ({"n_frames": True}, "n_frames: must be a whole number of at least 1, not True."),
        ({"n_frames": 1.0}, "n_frames: must be a whole number of at least 1, not 1.0."),
        ({"seed": -1}, "seed: must be a whole number of at least 0, not -1."),
        ({"input_period": 0}, "input_period: must be from 1e-09 to 1e+09 seconds, not 0."),
        ({"input_period": float("nan")}, "input_period: must be from 1e-09 to 1e+09 seconds, not nan."),
        ({"clock": 1e-300}, "clock: must be from 1 to 1e+11 hertz, not 1e-300."),
        ({"voltage": 1e300}, "voltage: must be from 0.1 to 5 volts, not 1e+300."),
        ({"battery_mwh": 1e308}, "battery_mwh: must be from 1e-06 to 1e+09 mWh, not 1e+308."),
        ({"temperature": 56}, "temperature: must be from -40 to 55 degC, not 56."),
        ({"machine": ["native"]}, "machine: must be native or numpy, not ['native']."),
        ({"input_style": "fast"}, "input_style: must be random, varied, sawtooth or half-random, not 'fast'."),
        ({"timeout": "5"}, "timeout: must be a positive number of seconds, not '5'."),
        ({"tolerance": -1}, "tolerance: must be a number from 0, not -1."),
        ({"hardware": 5}, "hardware: must be a text, not 5."),
        ({"model_name": 5}, "model_name: must be a text, not 5."),
        ({"output_dir": None}, "output_dir: must be a path, not None."),
        ({"debug": 1}, "debug: must be True or False, not 1."),
        ({"debug_vars": 5}, "debug_vars: must be names, separated by commas or in a list, not 5."),
        ({"input_sample_indices": [1]}, "input_sample_indices: must be two frame numbers LO,HI, not [1]."),
        ({"key_index": 32}, "key_index: must be in 0...31, not 32."),
        ({"opt_profile": "slow"}, "opt_profile: must be efficient, fast or conservative, not 'slow'."),
        ({"frontend": "macro"}, "frontend: must be micro, not 'macro'."),
        ({"compiler": "gcc"}, "compiler: must be own or femtocrux, not 'gcc'."),
        ({"cleanup_docker": "some"}, "cleanup_docker: must be own or all, not 'some'."),
    ],
)
def test_values_that_an_option_does_not_take(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as found:
        bind(MainRequest, given, "test")
    assert str(found.value) == sentence


@pytest.mark.parametrize(
    "given",
    [
        {"n_frames": np.int64(3), "seed": np.uint8(0), "input_period": np.float32(0.5), "tolerance": 0},
        {"input_sample_indices": np.array([0, 4]), "output_dir": Path("a"), "debug_vars": ("a", "b")},
        {"compiler_options": {"cores": 1}, "runners": None, "keyring": None},
    ],
)
def test_values_that_an_option_takes(given: dict[str, Any]) -> None:
    request = bind(MainRequest, given, "test")
    plain = {name: value for name, value in given.items() if value is not None and not isinstance(value, np.generic)}
    assert all(getattr(request, name) is value for name, value in plain.items())


def test_numbers_of_other_libraries_become_plain_ones() -> None:
    given = {
        "n_frames": np.int64(3),
        "input_period": np.float32(0.5),
        "tolerance": Fraction(1, 4),
        "scale": np.float16(2),
        "voltage": np.float64(0.75),
    }
    request = bind(MainRequest, given, "test")
    found = [getattr(request, name) for name in given]
    assert found == [3, 0.5, 0.25, 2.0, 0.75]
    assert [type(value) for value in found] == [int, float, float, float, float]


@pytest.mark.parametrize(
    "name", ["input_period", "tolerance", "timeout", "scale", "n_frames", "seed", "key_index", "salt"]
)
@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_of_any_size_are_refused_in_a_sentence(name: str, digits: int) -> None:
    with pytest.raises(UsageError, match=f"^{name}: must be ") as found:
        bind(MainRequest, {name: -(10**digits)}, "test")
    assert len(str(found.value)) < 200
    if name in ("input_period", "tolerance", "timeout", "scale", "key_index", "salt"):
        with pytest.raises(UsageError, match=f"^{name}: must be "):
            bind(MainRequest, {name: 10**digits}, "test")


def test_places_are_those_of_the_reference() -> None:
    request = COMPARE.bind((True, "zynq", "out.npy", "all", None, "here"), {"error_tolerance": 2})
    assert (request.noencrypt, request.hardware, request.dummy_output_file) == (True, "zynq", "out.npy")
    assert (request.debug_vars, request.debug_vars_fname, request.address) == ("all", None, "here")
    assert request.tolerance == 2


def test_a_value_is_given_by_place_or_by_name() -> None:
    with pytest.raises(UnknownArgumentError, match="compare: noencrypt must be given once, by position or by name"):
        COMPARE.bind((True,), {"noencrypt": True})
    with pytest.raises(UnknownArgumentError, match="compare: hardware_address must be given once"):
        COMPARE.bind((False, "zynq", None, None, None, "here"), {"hardware_address": "here"})
    with pytest.raises(UnknownArgumentError, match=r"compare: values by position must be at most 6 .*, not 7"):
        COMPARE.bind((None,) * 7, {})


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_place_names_an_option(method: Any) -> None:
    known = {name for option in options_of(method.request) for name in option.names}
    assert set(method.places) <= known


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_help_and_editors_see_every_option(method: Any) -> None:
    function = Femtodriver if method.name == "Femtodriver" else getattr(Femtodriver, method.name)
    parameters = inspect.signature(function).parameters
    for option in options_of(method.request):
        assert parameters[option.name].default is option.default
    assert not any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters.values())


def test_the_order_of_run_is_that_of_the_reference() -> None:
    names = list(inspect.signature(Femtodriver.run).parameters)
    assert names[:6] == ["self", "model", "model_options_file", "output_dir", "n_frames", "input_file"]
    assert len(RUN.places) == 17


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_refuses_a_name_that_nobody_knows(method: Any) -> None:
    function: Any = getattr(Femtodriver(), method.name, Femtodriver)
    own = dict.fromkeys(("evaluate", "sweep", "compile", "simulate", "run", "create_runner"), 1)
    own |= {"execute_runner": 2, "compare": 2}
    with pytest.raises(UsageError, match=f"{method.name}: .* not 'no_such_option'"):
        function(*["x"] * own.get(method.name, 0), no_such_option=1)
