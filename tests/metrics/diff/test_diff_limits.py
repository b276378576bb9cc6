"""The grammar of limits, and what each says of two figures."""

from __future__ import annotations

import math

import pytest

from femtodriver.errors import UsageError
from femtodriver.metrics.diff import parse_limit


@pytest.mark.parametrize(
    ("text", "name", "above", "value", "change", "relative"),
    [
        ("power>+5%", "power", True, 0.05, True, True),
        ("power<-5%", "power", False, -0.05, True, True),
        (" power > 1.5 mW ", "power", True, 1.5e-3, False, False),
        ("cycles>12000", "cycles", True, 12000, False, False),
        ("cycles>+100", "cycles", True, 100, True, False),
        ("latency>10ms", "latency", True, 0.01, False, False),
        ("latency>-1e1µs", "latency", True, -1e-5, True, False),
        ("lowest_clock>2MHz", "lowest-clock", True, 2e6, False, False),
        ("memory>64KiB", "memory", True, 65536, False, False),
        ("memory>64kB", "memory", True, 64000, False, False),
        ("utilisation<20%", "utilisation", False, 0.2, False, False),
        ("battery<100h", "battery", False, 100, False, False),
        ("layer.energy>+10%", "layer.energy", True, 0.1, True, True),
    ],
)
def test_what_a_limit_means(text: str, name: str, above: bool, value: float, change: bool, relative: bool) -> None:
    limit = parse_limit(text)
    assert (limit.figure.name, limit.above, limit.change, limit.relative) == (name, above, change, relative)
    assert math.isclose(limit.value, value)
    assert limit.of_layers == name.startswith("layer.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("power", "limit 'power': a limit must be a figure, > or <, and a value, as in power>+5%, cycles>12000 or "),
        ("power=5W", "limit 'power=5W': a limit must be"),
        ("power>5.5.5W", "a limit must be"),
        ("power>" + "9" * 400 + "W", "a limit must be"),
        ("powr>+5%", "the figure must be one that has a name, not 'powr'. Did you mean 'power'?"),
        ("qqqqqq>+5%", "the figure must be one that has a name, not 'qqqqqq'. docs/diff.md lists them."),
        ("power>5", "power must be compared with a value in W, also with a prefix, as in mW, not a bare number."),
        ("power>5%", "as in mW, not '%'. A percentage of A has a sign, as in +5%."),
        ("latency>5W", "latency must be compared with a value in s, also with a prefix, as in ms, not 'W'."),
        ("cycles>5k", "cycles must be compared with a number without a unit, not 'k'."),
        ("memory>5", "memory must be compared with a value in B, kB or KiB, not a bare number."),
        ("utilisation>5", "utilisation must be compared with a percentage, not a bare number."),
        ("battery>5s", "battery must be compared with a time in h, not 's'."),
    ],
)
def test_what_is_no_limit(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as found:
        parse_limit(text)
    assert sentence in str(found.value)
    assert str(found.value).startswith("limit '")
    assert len(str(found.value)) < 220


@pytest.mark.parametrize(
    ("text", "before", "after", "measured", "exceeded"),
    [
        ("cycles>12000", 1, 12000, 12000, False),
        ("cycles>12000", 1, 12001, 12001, True),
        ("cycles<10", 1, 10, 10, False),
        ("cycles<10", 20, 9, 9, True),
        ("cycles>+5%", 100, 105, 0.05, False),
        ("cycles>+5%", 100, 106, 0.06, True),
        ("cycles>-10%", 100, 95, -0.05, True),
        ("cycles>+5", 100, 106, 6, True),
        ("cycles>+5%", 0, 0, 0.0, False),
        ("cycles>+5%", 0, 1, math.inf, True),
        ("cycles<-5%", 0, 1, math.inf, False),
    ],
)
def test_what_is_measured(text: str, before: float, after: float, measured: float, exceeded: bool) -> None:
    limit = parse_limit(text)
    found = limit.measured(before, after)
    assert found is not None
    assert math.isclose(found, measured)
    assert limit.exceeded(found) is exceeded


def test_what_is_not_stated_cannot_be_measured() -> None:
    assert parse_limit("cycles>5").measured(1, None) is None
    assert parse_limit("cycles>5").measured(None, 1) == 1
    assert parse_limit("cycles>+5").measured(None, 1) is None


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [("power>+5%", 0.07, "+7 %"), ("power>+5%", -0.07, "-7 %"), ("power>1W", 2e-3, "2.00 mW"), ("cycles>+1", 9, "+9")],
)
def test_how_a_measurement_is_shown(text: str, value: float, shown: str) -> None:
    assert parse_limit(text).shown(value) == shown
