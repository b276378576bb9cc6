"""The fast YAML writer gives the bytes of the slow one, and is left alone where it would not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.metrics import metrics_yaml
from femtodriver.metrics.metrics_yaml import document_yaml

TEXT = st.one_of(
    st.text(max_size=20),
    st.text("abc XYZ_09.:-#,[]{}'\"%@&*!|>?\\/~=", max_size=200),
    st.sampled_from(["yes", "null", "~", "1e5", "0x1f", "- a", "1:30", "2020-01-01", "=", "<<", "...", "---", " a"]),
)
KEYS = st.one_of(TEXT, st.text("abc :", min_size=90, max_size=140))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


def slow(doc: dict[str, Any]) -> str:
    text: str = yaml.dump(
        doc, Dumper=metrics_yaml._Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120
    )
    return text


@pytest.mark.slow
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_both_writers_give_the_same_bytes(doc: dict[str, Any]) -> None:
    assert document_yaml(doc) == slow(doc)


@pytest.mark.parametrize("doc", [{"": 1}, {"a": "é"}, {"a": ["😀"]}, {"k" * 101: 1}, {"a": {"b": "\x1b"}}])
def test_documents_that_would_differ_go_to_the_slow_writer(
    doc: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(metrics_yaml, "_FastDumper")
    assert document_yaml(doc) == slow(doc)


@pytest.mark.skipif(not hasattr(yaml, "CSafeDumper"), reason="this PyYAML was built without libyaml")
def test_ordinary_documents_go_to_the_fast_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(metrics_yaml, "_Dumper")
    assert document_yaml({"layers": [{"name": "a: b", "cycles": 3}]}) == "layers:\n- {name: 'a: b', cycles: 3}\n"
