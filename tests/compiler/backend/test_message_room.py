"""How many words can wait in the router, on programs made by hand, and refusals where there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from femtodriver.compiler.backend.message_room import router_words
from femtodriver.compiler.backend.symbolic_program import CodeLine, CoreCode, Fasmir, ThreadCode
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError
from femtodriver.isa import SPECS, ControlInstruction, TransferInstruction
from femtodriver.machine.machine import Machine
from femtodriver.model.loopback import loopback
from femtodriver.part import load_part
from tests.compiler.compiler_nets import agree, recurrent

SPU = load_part()


def send(receiver: str, words: int) -> CodeLine:
    return CodeLine(TransferInstruction(SPECS["send"], 0, words), None, receiver)


def signal(stage: str) -> CodeLine:
    return CodeLine(ControlInstruction(SPECS["signal"]), None, stage)


def taker(name: str, *stages: str) -> ThreadCode:
    return ThreadCode(name, None, (CodeLine(TransferInstruction(SPECS["recv"])), *map(signal, stages)))


def stage(name: str, *lines: CodeLine) -> ThreadCode:
    return ThreadCode(name, 1, lines)


def program(*cores: Sequence[ThreadCode]) -> Fasmir:
    codes = tuple(CoreCode(number, tuple(threads)) for number, threads in enumerate(cores))
    return Fasmir("p", codes, {}, (), (), {}, ())


def test_all_that_one_stage_waits_for_can_wait_at_one_time() -> None:
    first = [stage("a0", send("m", 3), send("n", 5))]
    second = [taker("m", "b1"), taker("n", "b1"), stage("b0", signal("b1")), stage("b1")]
    assert router_words(program(first, second)) == {0: 0, 1: 4 + 6}


def test_messages_for_later_stages_can_come_at_once() -> None:
    first = [stage("a0", send("m", 3), send("n", 5))]
    second = [taker("m", "b1"), taker("n", "b2"), stage("b0", signal("b1")), stage("b1", signal("b2")), stage("b2")]
    assert router_words(program(first, second)) == {0: 0, 1: 4 + 6}


def test_an_answer_comes_after_what_it_answers() -> None:
    """The second message is sent when stage b1 has begun, which has taken the first one."""
    first = [stage("a0", send("m", 3), signal("a1")), taker("answer", "a1"), stage("a1", send("n", 5))]
    second = [
        *(taker("m", "b1"), taker("n", "b2"), stage("b0", signal("b1"))),
        *(stage("b1", send("answer", 1), signal("b2")), stage("b2")),
    ]
    assert router_words(program(first, second)) == {0: 2, 1: 6}


def test_what_a_third_core_passes_on_counts_as_well() -> None:
    """Core 0 hears of stage b1 by way of core 2."""
    first = [stage("a0", send("m", 3), signal("a1")), taker("answer", "a1"), stage("a1", send("n", 5))]
    second = [
        *(taker("m", "b1"), taker("n", "b2"), stage("b0", signal("b1"))),
        *(stage("b1", send("on", 1), signal("b2")), stage("b2")),
    ]
    third = [taker("on", "c1"), stage("c0", signal("c1")), stage("c1", send("answer", 1))]
    assert router_words(program(first, second, third)) == {0: 2, 1: 6, 2: 2}


@pytest.mark.parametrize("cores", [2, 4])
def test_the_machine_never_has_more_words_waiting(cores: int) -> None:
    part = load_part("spu001x4")
    compiled = compile_network(recurrent(64, 3), part, options=Options(cores=cores))
    bound = router_words(compiled.fasmir)
    assert max(bound.values()) > 0
    tight = replace(part, router_words=max(bound.values()))
    agree(recurrent(64, 3), tight, options=Options(cores=cores))


@pytest.mark.slow
@pytest.mark.parametrize(("cores", "words"), [(2, 20), (2, 7), (4, 29), (4, 15)])
def test_a_core_waits_until_its_messages_are_taken_where_the_router_is_small(cores: int, words: int) -> None:
    network, options = recurrent(64, 3), Options(cores=cores)
    part = replace(load_part("spu001x4"), router_words=words)
    compiled = agree(network, part, options=options)
    assert 0 < max(router_words(compiled.fasmir).values()) <= words
    roomy = compile_network(network, load_part("spu001x4"), options=options)
    assert max(router_words(roomy.fasmir).values()) > words
    assert len(compiled.fasmir.cores[0].threads) > len(roomy.fasmir.cores[0].threads)


def test_an_answer_makes_room_for_the_next_message() -> None:
    first = [stage("a0", send("m", 3)), stage("a1", send("n", 5))]
    second = [taker("m", "b1", "a1"), taker("n", "b1"), stage("b0", signal("b1")), stage("b1")]
    assert router_words(program(first, second)) == {0: 0, 1: 6}


def test_a_router_without_room_for_any_message_is_refused() -> None:
    part = replace(SPU, router_words=1)
    with pytest.raises(
        CapacityError, match=r"^router of core \d: .* but spu001 has 1 per core \(router_words\)\. Use --hw-config "
    ):
        compile_network(recurrent(64, 3), part, options=Options(cores=2))
    agree(recurrent(64, 3), part, options=Options(cores=1))


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_frame_that_its_buffer_cannot_hold_is_refused(side: str) -> None:
    network = loopback()
    compiled = Machine(compile_network(network, SPU).data, SPU)
    words = compiled.input_words
    assert words == compiled.output_words
    enough: dict[str, Any] = {f"{side}_buffer_words": words}
    short: dict[str, Any] = {f"{side}_buffer_words": words - 1}
    agree(network, replace(SPU, **enough))
    with pytest.raises(CapacityError) as caught:
        compile_network(network, replace(SPU, **short))
    assert str(caught.value) == (
        f"{side} buffer: must hold all {side}s of a frame, which need {words} words of 64 bits with their headers, "
        f"but spu001 has {words - 1} ({side}_buffer_words). "
        "Make the frame shorter, or use a part with a larger buffer (--hw-config my.toml)."
    )
