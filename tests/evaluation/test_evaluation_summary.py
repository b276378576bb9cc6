"""The summary of rows, by hand, and its text."""

from __future__ import annotations

from typing import Any

from femtodriver.evaluation.clips_parquet import columns
from femtodriver.evaluation.evaluation_summary import summary_document
from femtodriver.evaluation.summary_text import summary_text


def row(path: str, **given: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(columns(["fasmir", "fqir"]))
    return {**empty, "path": path, "frames": 10, "equal_fqir": True, **given}


ROWS = [
    row("a", label="yes", predicted="yes", scores=[5.0, 1.0], power_w=1e-3, saturated=20, snr_gain_db=1.0),
    row("b", label="no", predicted="yes", scores=[9.0, 2.0], power_w=2e-3, saturated=0, snr_gain_db=4.0),
    row("c", label="no", predicted="yes", scores=[4.0, 3.0], power_w=2e-3, saturated=5, equal_fqir=False),
    row("d", predicted="no", scores=[4.0, 5.0], power_w=5e-3, saturated=1),
    row("e", error="broken"),
]
DOC = summary_document(ROWS, 6, ["fasmir", "fqir"], ["yes", "no"], {"basis": {}})


def test_what_is_counted() -> None:
    assert DOC["complete"] is False
    assert DOC["clips"] == {"all": 6, "done": 5, "failed": 1, "frames": 40}
    assert DOC["runners"] == {"compared": ["fasmir", "fqir"], "unequal_clips": {"fqir": 1}}
    assert DOC["errors"] == [{"path": "e", "error": "broken"}]


def test_labels() -> None:
    labels = DOC["labels"]
    assert (labels["labelled_clips"], labels["unlabelled_clips"], labels["correct"]) == (3, 1, 1)
    assert labels["accuracy"] == 1 / 3
    assert labels["predicted"] == {"yes": 3, "no": 1}
    assert labels["confusion"] == {"labels": ["yes", "no"], "predicted": ["yes", "no"], "counts": [[1, 0], [2, 0]]}


def test_distributions_name_clips_that_are_there() -> None:
    power = DOC["distributions"]["power_w"]
    assert {key: power[key] for key in ("unit", "clips", "min", "p50", "p95", "max")} == {
        "unit": "W", "clips": 4, "min": 1e-3, "p50": 2e-3, "p95": 5e-3, "max": 5e-3,
    }  # fmt: skip
    assert power["mean"] == 2.5e-3
    assert DOC["distributions"]["saturated_per_frame"]["max"] == 2.0
    assert "latency_cycles_max" not in DOC["distributions"]


def test_the_worst_clips_come_first_and_of_equal_ones_the_first() -> None:
    assert [clip["path"] for clip in DOC["worst"]["power_w"]] == ["d", "b", "c", "a"]
    assert DOC["worst"]["snr_gain_db"] == [{"path": "a", "value": 1.0}, {"path": "b", "value": 4.0}]
    assert DOC["worst"]["margin"] == [{"path": "b", "value": 7.0}, {"path": "c", "value": 1.0}]


def test_the_text_says_it_all() -> None:
    assert summary_text(DOC).splitlines() == [
        "5 of 6 clips, 40 frames, 1 failed",
        "fasmir != fqir in 1 clips",
        "Accuracy   33.3 % (1 of 3 clips with a label)",
        "Confusion  lines: what is right; columns: what was predicted",
        "       yes  no",
        "  yes    1   0",
        "  no     2   0",
        "Figures    over the clips",
        "                             mean      min      p50      p95      max",
        "  SNR gain                 2.5 dB   1.0 dB   4.0 dB   4.0 dB   4.0 dB",
        "  power                   2.50 mW  1.00 mW  2.00 mW  5.00 mW  5.00 mW",
        "  saturations of a frame      0.7        0      0.5        2        2",
        "Worst by SNR gain: a (1.0 dB), b (4.0 dB)",
        "Worst by power: d (5.00 mW), b (2.00 mW), c (2.00 mW)",
        "Worst by saturations of a frame: a (2), c (0.5), d (0.1)",
        "Worst by wrong label, margin of scores: b (7), c (1)",
        "failed: e: broken",
    ]


def test_without_anything_it_is_short() -> None:
    doc = summary_document([], 2, ["fqir"], [], {})
    assert summary_text(doc) == "0 of 2 clips, 0 frames, 0 failed"
    assert (doc["labels"], doc["distributions"]) == (None, {})
