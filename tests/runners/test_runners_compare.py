"""Comparing runs: the verdict is right, and the first difference is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import ComparisonError, UsageError
from femtodriver.inputs import InputSpec
from femtodriver.runners.compare_runs import Verdict
from femtodriver.runners.difference import difference, differences, internal_difference
from femtodriver.runners.runner import Runner, Values

SPEC = InputSpec("x", 2, 16)


class Scripted(Runner):
    """Gives its input plus ``errors[frame]``; raises in the frame ``fault``; counts its resets and finishes."""

    def __init__(self, name: str, errors: dict[int, int] | None = None, fault: int | None = None) -> None:
        super().__init__(name, [SPEC])
        self.errors, self.fault = errors or {}, fault
        self.resets = self.finishes = self.frame = 0

    def _reset(self) -> None:
        self.resets, self.frame = self.resets + 1, 0

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        if self.frame == self.fault:
            raise ZeroDivisionError
        made = {"y": inputs["x"] + self.errors.get(self.frame, 0)}
        self.frame += 1
        return made, {"inside": made["y"] * (2 if self.name == "odd" else 1)}

    def _finish(self) -> None:
        self.finishes += 1


def frames(count: int = 4) -> dict[str, Any]:
    return {"x": np.arange(2 * count).reshape(count, 2)}


def test_equal_runs_pass() -> None:
    status: dict[str, Any] = {}
    runners = [Scripted("a"), Scripted("b"), Scripted("c")]
    outputs, internals = Runner.compare_runs(frames(), *runners, compare_status=status)
    assert status == {"pass": True, "status_str": "a = b = c, 4 frames, bit-exact"}
    assert outputs["b"]["y"].tolist() == frames()["x"].tolist()
    assert internals["c"]["inside"].shape == (4, 2)
    assert [(runner.resets, runner.finishes) for runner in runners] == [(1, 1)] * 3


def test_a_single_frame_is_one_frame() -> None:
    status: dict[str, Any] = {}
    Runner.compare_runs(frames(1), Scripted("a"), Scripted("b"), compare_status=status)
    assert status["status_str"] == "a = b, 1 frame, bit-exact"


def test_the_first_difference_is_named() -> None:
    status: dict[str, Any] = {}
    runners = (Scripted("a"), Scripted("b", {2: 5, 3: 1}), Scripted("c"), Scripted("d", {0: -1}))
    Runner.compare_runs(frames(), *runners, except_on_error=False, compare_status=status)
    assert status["pass"] is False
    assert status["status_str"] == (
        "a != b: output 'y', frame 2, element 0: a gives 4, b gives 9 (4 of 8 values differ, by at most 5); "
        "a != d: output 'y', frame 0, element 0: a gives 0, d gives -1 (2 of 8 values differ, by at most 1)"
    )


def test_a_difference_raises_unless_told_otherwise() -> None:
    with pytest.raises(
        ComparisonError, match=r"compare: a != b: output 'y', frame 1, element 0: a gives 2, b gives 3 \(2 of 8"
    ):
        Runner.compare_runs(frames(), Scripted("a"), Scripted("b", {1: 1}))


def test_a_tolerance_forgives_and_says_so() -> None:
    status: dict[str, Any] = {}
    runners = (Scripted("a"), Scripted("b", {1: -3}))
    Runner.compare_runs(frames(), *runners, error_tolerance=3, compare_status=status)
    assert status == {"pass": True, "status_str": "a = b, 4 frames, within 3"}
    Runner.compare_runs(frames(), *runners, error_tolerance=2, except_on_error=False, compare_status=status)
    assert status["pass"] is False


def test_runners_are_finished_when_one_raises() -> None:
    runners = [Scripted("a"), Scripted("b", fault=1)]
    with pytest.raises(ZeroDivisionError):
        Runner.compare_runs(frames(), *runners)
    assert [runner.finishes for runner in runners] == [1, 1]


def test_internals_that_differ_are_told_but_fail_nothing() -> None:
    status: dict[str, Any] = {}
    Runner.compare_runs(frames(), Scripted("a"), Scripted("odd"), compare_internals=True, compare_status=status)
    assert status["pass"] is True
    assert status["status_str"].endswith(
        "; a != odd inside: internal value 'inside', frame 0, element 1: a gives 1, odd gives 2"
        " (7 of 8 values differ, by at most 7)"
    )


def test_names_tell_runners_apart() -> None:
    with pytest.raises(UsageError, match="all different"):
        Runner.compare_runs(frames(), Scripted("a"), Scripted("a"))
    outputs, _ = Runner.compare_runs(frames(), Scripted("a"), Scripted("a"), names=["one", "two"])
    assert list(outputs) == ["one", "two"]
    with pytest.raises(UsageError, match="one for each of the 2 runners"):
        Runner.compare_runs(frames(), Scripted("a"), Scripted("b"), names=["one"])
    with pytest.raises(UsageError, match="at least one"):
        Runner.compare_runs(frames())


def test_no_reset_goes_on_where_the_runner_was() -> None:
    runner = Scripted("a", {5: 7})
    Runner.compare_runs(frames(), runner)
    runner.reset()
    runner.run(frames())
    outputs, _ = Runner.compare_runs(frames(), runner, no_reset=True)
    assert outputs["a"]["y"][1].tolist() == [2 + 7, 3 + 7]


def arrays(**values: Any) -> dict[str, Any]:
    return {name: np.array(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (arrays(y=[[1]]), arrays(z=[[1]]), "the outputs must be the same: one has 'y', two has 'z'"),
        (arrays(y=[[1]]), {}, "the outputs must be the same: one has 'y', two has none"),
        (arrays(y=[[1]]), arrays(y=[1]), "output 'y': the shapes must agree: one gives (1, 1), two gives (1,)"),
        (
            arrays(y=[[1, 2]]),
            arrays(y=[[1], [2]]),
            "output 'y': the shapes must agree: one gives (1, 2), two gives (2, 1)",
        ),
        (arrays(y=[[1]]), {"y": np.zeros((0, 1), int)}, "output 'y': there is nothing that both have to compare"),
        (arrays(y=[[1, 2]]), arrays(y=[[1, 3]]), "output 'y', frame 0, element 1: one gives 2, two gives 3"),
        (arrays(y=[[1], [2]]), arrays(y=[[1], [3], [4]]), "output 'y', frame 1, element 0: one gives 2, two gives 3"),
        (arrays(y=[[1], [2]], z=[[0], [0]]), arrays(y=[[1], [3]], z=[[9], [0]]), "output 'z', frame 0"),
    ],
)
def test_differences(a: dict[str, Any], b: dict[str, Any], text: str) -> None:
    found = difference("output", "one", a, "two", b)
    assert found is not None
    assert found.text.startswith(text)
    assert Runner.compare_outputs("one", a, "two", b) == -1


def test_every_output_that_differs_is_named_with_count_and_size() -> None:
    a = arrays(x=[[0, 0], [0, 0]], y=[[1, 2], [3, 4]], z=[[5], [6]])
    b = arrays(x=[[0, 0], [0, 0]], y=[[1, 2], [-3, 5]], z=[[4], [6]])
    found = differences("output", "a", a, "b", b)
    assert [(one.variable, one.frame, one.element) for one in found] == [("z", 0, (0,)), ("y", 1, (0,))]
    assert [(one.count, one.compared, one.largest) for one in found] == [(1, 2, 1), (2, 4, 6)]
    assert [one.variable for one in differences("output", "a", a, "b", b, 1)] == ["y"]
    verdict = Verdict("a", "b", found)
    assert verdict.lines == [
        "a != b: output 'z', frame 0, element 0: a gives 5, b gives 4 (1 of 2 values differ, by at most 1)",
        "a != b: output 'y', frame 1, element 0: a gives 3, b gives -3 (2 of 4 values differ, by at most 6)",
    ]


def test_outputs_of_both_are_compared_where_one_has_others_too() -> None:
    found = differences("output", "a", arrays(x=[[1]], y=[[2]]), "b", arrays(y=[[3]]))
    assert found[0].reason == "the outputs must be the same: a has 'x', 'y', b has 'y'"
    assert found[1].variable == "y"


@pytest.mark.parametrize("tolerance", [None, 5, 2.0**63])
def test_a_tolerance_does_not_wrap(tolerance: float | None) -> None:
    a, b = arrays(y=[[1, -(1 << 63)]]), arrays(y=[[-(1 << 63) + 1, (1 << 63) - 1]])
    found = difference("output", "a", a, "b", b, tolerance)
    assert found is not None
    assert found.largest == (1 << 64) - 1
    assert difference("output", "a", a, "b", b, 2.0**64) is None


def test_one_axis_of_another_length_is_compared_as_far_as_both_go() -> None:
    long, short = arrays(y=[[1, 2], [3, 4]]), arrays(y=[[1, 2]])
    assert Runner.compare_outputs("a", long, "b", short) == 0
    assert Runner.compare_outputs("a", long, "b", arrays(y=[[1], [3]])) == 0


def test_internals_are_compared_where_both_have_them() -> None:
    a, b = arrays(s=[[1]], t=[[2]]), arrays(t=[[2]], u=[[3]])
    assert internal_difference("a", a, "b", b) is None
    assert Runner.compare_internals("a", a, "b", arrays(t=[[5]])) == -1


@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=2), min_size=1, max_size=5),
    st.integers(0, 4),
    st.integers(0, 1),
    st.integers(-3, 3),
)
def test_the_place_and_values_of_a_single_error_are_right(
    rows: list[list[int]], frame: int, element: int, error: int
) -> None:
    a = arrays(y=rows)
    b = {"y": a["y"].copy()}
    frame %= len(rows)
    b["y"][frame, element] += error
    found = difference("output", "a", a, "b", b)
    if error == 0:
        assert found is None
    else:
        value = rows[frame][element]
        assert found is not None
        assert found.text == (
            f"output 'y', frame {frame}, element {element}: a gives {value}, b gives {value + error} "
            f"(1 of {2 * len(rows)} values differ, by at most {abs(error)})"
        )
