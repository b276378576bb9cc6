"""From outputs to labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import InputError, UsageError
from femtodriver.evaluation import label_rule as rules
from femtodriver.evaluation.label_rule import FunctionJudge, Judge, Judgement, LabelRule, label_rule

FRAMES = np.array([[1, 9, 2], [1, -8, 2], [5, 0, 3]])


def judged(judge: Judge, blocks: int = 1) -> Judgement:
    for block in np.array_split(FRAMES, blocks):
        judge.see({"y": block, "other": -block})
    return judge.judge()


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize(
    ("kind", "predicted", "scores"),
    [("last", 0, (5.0, 0.0, 3.0)), ("mean", 0, (7 / 3, 1 / 3, 7 / 3)), ("max", 1, (5.0, 9.0, 3.0))],
)
def test_rules_of_ours(kind: str, predicted: int, scores: tuple[float, ...], blocks: int) -> None:
    assert judged(LabelRule(kind, "y").judge(), blocks) == Judgement(predicted, scores)


@pytest.mark.parametrize(("given", "predicted"), [("yes", "yes"), (2, 2), (np.int16(2), 2), (None, None)])
def test_a_function_sees_all_frames(given: Any, predicted: Any) -> None:
    seen: list[Any] = []

    def function(outputs: Any) -> Any:
        seen.append(outputs)
        return given

    assert judged(FunctionJudge(function, "f"), 2) == Judgement(predicted)
    assert (seen[0]["y"] == FRAMES).all()
    assert (seen[0]["other"] == -FRAMES).all()


@pytest.mark.parametrize("given", [True, 1.5, [1]])
def test_a_function_gives_a_label(given: Any) -> None:
    with pytest.raises(
        UsageError, match=r"^rule: f: TypeError: must return a label \(a text\), the number of a class or"
    ):
        judged(FunctionJudge(lambda outputs: given, "f"))


def test_a_function_that_fails_is_one_sentence() -> None:
    def function(outputs: Any) -> Any:
        return outputs["nothing"]

    with pytest.raises(UsageError, match=r"^rule: f: KeyError: 'nothing'\.$"):
        judged(FunctionJudge(function, "f"))


def test_a_function_that_exits_has_failed(here: Path) -> None:
    Path("r.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(UsageError, match=r"^rule: r\.py: cannot be loaded: SystemExit: 0\.$"):
        label_rule(None, "r.py:f", "y")
    with pytest.raises(UsageError, match=r"^rule: f: SystemExit: 3\.$"):
        judged(FunctionJudge(lambda outputs: sys.exit(3), "f"))


def test_what_a_function_sees_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_KEPT", 17)
    with pytest.raises(InputError, match="at most 17 elements of outputs"):
        judged(FunctionJudge(lambda outputs: 1, "f"))


def test_the_identity_follows_the_source(here: Path) -> None:
    Path("r.py").write_text("def f(outputs):\n    return 1\n")
    first = label_rule(None, "r.py:f", "y")
    before = first.identity
    assert first.file == str(here / "r.py")
    Path("r.py").write_text("def f(outputs):\n    return 2\n")
    assert first.identity != before
    assert label_rule("max", None, "y").identity == "max of y"
    assert judged.__qualname__ in label_rule(None, judged, "y").identity
