"""Plain YAML: agrees with PyYAML's safe loader, refuses what could hurt."""

import math
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ProgramError
from femtodriver.files import plain_yaml
from femtodriver.files.plain_yaml import dump_yaml, load_yaml

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), _TEXT, st.binary(max_size=9)
)
_KEYS = st.one_of(_TEXT, st.integers(-5, 99))
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@pytest.mark.slow
@settings(deadline=None)
@given(_VALUES)
def test_dump_and_load_are_inverse(value: Any) -> None:
    text = dump_yaml(value)
    assert text.isascii()
    read = load_yaml(text.encode(), "x")
    assert repr(read) == repr(value)
    assert repr(yaml.safe_load(text)) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [x, 'y', \"z\"]\n",
        "{0: {0: 0x1F, 1: 0b11, 2: 017, 3: 1_000, 4: -5, 5: +6, 6: 1:30}}",
        "[yes, No, ON, off, true, False, ~, null, '', 'yes', .inf, -.INF, 1.5e+3, 1e5, 0.5, 00, 08]",
        "a: &x {b: 1}\nc: *x\nd: *x\n",
        "a: |\n  lines\n  here\nb: >\n  folded\n  text\n",
        "",
        "# only a comment\n",
        "x: !!str 5\ny: !!int '7'\nz: !!binary aGVsbG8=\n",
        "key with spaces: value # comment\n'%x.4': 1\n",
    ],
)
def test_agrees_with_pyyaml(text: str) -> None:
    assert load_yaml(text.encode(), "x") == yaml.safe_load(text)


def test_shared_values_are_written_in_full() -> None:
    shared = {"b": [1]}
    assert dump_yaml({"z": shared, "a": shared, "n": np.int64(4), "t": (1, 2)}) == (
        "z:\n  b:\n  - 1\na:\n  b:\n  - 1\nn: 4\nt:\n- 1\n- 2\n"
    )


def test_not_a_number() -> None:
    assert math.isnan(load_yaml(b".nan", "x"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[" * 100, "x: line 1: values must be nested at most 32 deep"),
        (b"[" * 1_000_000, "nested at most 32 deep"),
        (
            b"a: !!python/object/apply:os.system [ls]",
            "the tag 'tag:yaml.org,2002:python/object/apply:os.system' must not",
        ),
        (b"a: !!python/name:os.system ''", "must not be used; only plain YAML is read"),
        (b"a: !!set {b}", "must not be used"),
        (b"a: !thing 5", "the tag '!thing' must not be used"),
        (b"a: 1\na: 2", "line 2: the key 'a' must appear once, not twice"),
        (b"1: 1\n0x1: 2", "the key 1 must appear once, not twice"),
        (b"[a]: 1", "a key must be text or a number, not a mapping or list"),
        (b"1.5: 1", r"a key must be text or a number below 2\^32, not 1.5"),
        (b"4294967296: 1", r"below 2\^32, not 4294967296"),
        (b"a: *b", r"the alias \*b must name a value that is complete before it"),
        (b"a: &a [*a]", r"the alias \*a must name a value that is complete before it"),
        (b"a: &a {b: 1}\nc:\n  <<: *a", "the tag 'tag:yaml.org,2002:merge' must not be used"),
        (b"--- 1\n--- 2\n", "the file must hold one YAML document, not several"),
        (b"a: [1", "x: must be YAML: while parsing"),
        (b"\xff\xfe\xff", "x: must be YAML"),
        (b"a: \x00", "x: must be YAML"),
        (b"\tx", "x: must be YAML"),
        (b"a: !!int five", "the value 'five' must fit its type 'tag:yaml.org,2002:int'"),
        (b"a: !!int ''", "the value '' must fit its type"),
        (b"a: !!float x", "the value 'x' must fit its type"),
        (b"a: !!bool maybe", "the value 'maybe' must fit its type"),
        (b"a: !!binary '%'", "must fit its type 'tag:yaml.org,2002:binary'"),
        (b"a: !!int " + b"9" * 65, "a 'tag:yaml.org,2002:int' must have at most 64 characters"),
    ],
)
def test_refuses(text: bytes, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        load_yaml(text, "x")


def test_small_files_cannot_mean_huge_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
    )
    steps: list[object] = []
    take = plain_yaml._Builder.take

    def counted(builder: plain_yaml._Builder, event: object) -> None:
        steps.append(event)
        take(builder, event)

    monkeypatch.setattr(plain_yaml._Builder, "take", counted)
    with pytest.raises(ProgramError, match="the document must hold at most 2000000 values"):
        load_yaml(laughs.encode(), "x")
    assert len(steps) < 200


def test_long_texts_are_not_taken_for_numbers() -> None:
    assert load_yaml(b"9" * 1_000_000, "x") == "9" * 1_000_000
    with pytest.raises(ProgramError, match="must have at most 10 bytes, not 11"):
        load_yaml(b"x" * 11, "x", max_bytes=10)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"a": object()}, "m: a value must be a mapping, list, number, text or bytes, not object"),
        ({"a": {1, 2}}, "not set"),
        ({"a": np.zeros(3)}, "not ndarray"),
        ({None: 1}, "m: a key must be text or a whole number, not None"),
        ({"a": "\ud800"}, "m: must be plain YAML"),
    ],
)
def test_dump_refuses(value: object, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        dump_yaml(value, "m")


def test_dump_refuses_endless_values() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ProgramError, match="must be nested at most 32 deep"):
        dump_yaml(loop)
