"""Pipes: what is there comes at once, and nobody is stuck in one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from femtodriver.files.pipe_access import read_some, write_all_of

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:  # the test has closed it
            continue


def go_on() -> bool:
    return False


def test_what_is_there_comes_before_the_end(pipe: Pipe) -> None:
    os.write(pipe[1], b"abc")
    assert read_some(pipe[0], 100, go_on) == b"abc"
    os.close(pipe[1])
    assert read_some(pipe[0], 100, go_on) == b""


def test_an_empty_pipe_is_given_up(pipe: Pipe) -> None:
    asked = iter([False, True])
    assert read_some(pipe[0], 1, lambda: next(asked)) is None
    assert next(asked, None) is None


def test_everything_is_written_however_small_the_pipe(pipe: Pipe) -> None:
    content = os.urandom(300_000)
    found = bytearray()

    def take() -> None:
        while part := os.read(pipe[0], 10_000):
            found.extend(part)

    reader = threading.Thread(target=take)
    reader.start()
    write_all_of(pipe[1], content, go_on)
    os.close(pipe[1])
    reader.join()
    assert bytes(found) == content


def test_a_full_pipe_that_nobody_reads_is_given_up(pipe: Pipe) -> None:
    asked = iter([False, True])
    write_all_of(pipe[1], bytes(1_000_000), lambda: next(asked))
    assert next(asked, None) is None


def test_a_reader_that_has_gone(pipe: Pipe) -> None:
    os.close(pipe[0])
    with pytest.raises(BrokenPipeError):
        write_all_of(pipe[1], b"x", go_on)
