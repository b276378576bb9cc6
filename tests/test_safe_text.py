"""Foreign text in messages: readable where it is ordinary, harmless where it is not."""

from __future__ import annotations

import pytest

from femtodriver.safe_text import describe, one_line, plain_name, quote, short_line


@pytest.mark.parametrize("name", ["x", "%x.4", "output.0", "%buffer_%x.2", "a:b", "a[1]", "x+y", "-dummy-ones"])
def test_the_names_of_producers_are_shown_plainly(name: str) -> None:
    assert plain_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a\nb", "ключ", "\u202e", "a\\n"])
def test_other_names_are_quoted(name: str) -> None:
    assert plain_name(name) == quote(name)
    assert plain_name(name).startswith('"')


def test_quotes_are_short() -> None:
    assert quote("x" * 1_000_000) == '"' + "x" * 80 + '"... (1000000 characters)'


def test_descriptions_do_not_look_inside() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert describe(deep) == "a list of 1"
    assert describe(1 << 2000) == "a whole number of 2001 bits"
    assert describe(True) == "True"
    assert describe(1.5) == "the real number 1.5"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain, größe: 'x'", "plain, größe: 'x'"),
        ("a\x1b[31m\nb", r"a\u001b[31m\nb"),
        ("\u202eevil", r"\u202eevil"),
        ("caf\udce9", r"caf\udce9"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
    assert one_line(text).isprintable()


def test_a_short_line_is_cut_after_it_was_escaped() -> None:
    assert short_line("a\nb", 4) == r"a\nb"
    assert short_line("a\nbc", 4) == "a..."
