"""Whether the router and the buffers of the host link have room for a program's messages, whatever the data.

For the router these are bounds, not guesses; the smaller of two counts. The threads of a core that wait for signals run
in the order in which they stand; call them stages.

* A message is on its way at the earliest in the last stage of the core that must have begun before it is sent, and at
  the latest in the stage before the one that waits for it: the thread that takes it runs before that one starts.
* A core takes the messages of another in order, so when one has been answered by a signal, none before it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Protocol

from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.symbolic_program import CodeLine, CoreCode, Fasmir, ThreadCode
from femtodriver.isa import TransferInstruction
from femtodriver.isa.limits import HEADER_WORDS
from femtodriver.part import Part

LEAST_ROOM = HEADER_WORDS + 1


@dataclass(frozen=True)
class _PlannedMessage:
    """From stage ``sender`` of core ``source``, with ``words``, to be taken by ``receiver`` on ``core``.

    ``taken``: the stage there that waits for it. ``answered``: the stage here that waits until it has been taken.
    """

    source: int
    sender: str
    words: int
    receiver: str
    core: int
    taken: str
    answered: str | None


class BuildProgram(Protocol):
    """Makes the program; ``room``: words that a core may have under way to another one, None: as many as it likes."""

    def __call__(self, *, room: int | None) -> Fasmir: ...


def within_message_room(build: BuildProgram, part: Part) -> Fasmir:
    """The program, with cores that wait for room only where the router needs it and there are threads enough for it.

    CapacityError when the inputs or outputs of a frame exceed their buffer, or messages could fill the router.
    """
    program = build(room=None)
    needed = router_words(program)
    room = part.router_words // max(len(needed) - 1, 1)  # for the messages of each other core
    if max(needed.values()) > part.router_words and room >= LEAST_ROOM:
        patient = build(room=room)
        if max(len(_stages(code)) for code in patient.cores) <= part.threads:
            program, needed = patient, router_words(patient)
    _check_host_buffers(program, part)
    for core, words in needed.items():
        if words > part.router_words:
            raise capacity_errors.router(part, core, words)
    return program


def _check_host_buffers(program: Fasmir, part: Part) -> None:
    entries = set(program.entries.values())
    threads = [thread for code in program.cores for thread in code.threads]
    inputs = [words for thread in threads if thread.name in entries for words in _words_of(thread, "recv")]
    outputs = [words for thread in threads for words in _words_of(thread, "out")]
    for what, needed, room in (
        ("input", sum(inputs), part.input_buffer_words),
        ("output", sum(outputs), part.output_buffer_words),
    ):
        if needed > room:
            raise capacity_errors.host_buffer(part, what, needed, room)


def router_words(program: Fasmir) -> dict[int, int]:
    """For each core the most words, headers included, that can be on their way to it or wait there at one time."""
    messages = list(_messages(program))
    begun = _begun(program, messages)
    found = {}
    for code in program.cores:
        mine = [message for message in messages if message.core == code.core]
        sources = {message.source: 0 for message in mine}
        unanswered = sum(_unanswered(other, mine) for other in program.cores if other.core in sources)
        found[code.core] = min(_in_stages(code.core, mine, begun), unanswered)
    return found


def _messages(program: Fasmir) -> Iterator[_PlannedMessage]:
    takers = {
        thread.name: (code.core, _signalled(thread))
        for code in program.cores
        for thread in code.threads
        if thread.count is None
    }
    for code in program.cores:
        for thread in code.threads:
            for line in _code(thread):
                if isinstance(line.instruction, TransferInstruction) and line.target is not None:
                    core, (taken, *answered) = takers[line.target]
                    words = HEADER_WORDS + line.instruction.length
                    answer = answered[0] if answered else None
                    yield _PlannedMessage(code.core, thread.name, words, line.target, core, taken, answer)


def _in_stages(core: int, messages: list[_PlannedMessage], begun: Mapping[str, Mapping[int, int]]) -> int:
    """The most words to a core that can wait while one of its stages is the last that has begun."""
    change: dict[int, int] = {}
    for message in messages:
        first, end = begun[message.sender].get(core, 0), begun[message.taken][core]
        change[first] = change.get(first, 0) + message.words
        change[end] = change.get(end, 0) - message.words
    most = waiting = 0
    for stage in sorted(change):
        waiting += change[stage]
        most = max(most, waiting)
    return most


def _unanswered(code: CoreCode, messages: list[_PlannedMessage]) -> int:
    """The most words of these messages that a core has sent while it does not know that they have been taken."""
    sent: list[_PlannedMessage] = []
    most = 0
    for thread in _stages(code):
        answered = [number for number, message in enumerate(sent) if message.answered == thread.name]
        sent = sent[max(answered, default=-1) + 1 :]
        sent += [message for message in messages if message.sender == thread.name]
        most = max(most, sum(message.words for message in sent))
    return most


def _begun(program: Fasmir, messages: list[_PlannedMessage]) -> dict[str, Mapping[int, int]]:
    """For each stage, the number of the last stage of each core that must have begun when it begins; from 1 on."""
    own = {thread.name: (code.core, number) for code in program.cores for number, thread in enumerate(_stages(code), 1)}
    before: dict[str, set[str]] = {name: set() for name in own}
    for code in program.cores:
        for thread in _stages(code):
            for name in _signalled(thread):
                before[name].add(thread.name)
    for message in messages:
        before[message.taken].add(message.sender)
    begun: dict[str, Mapping[int, int]] = {}
    for name in TopologicalSorter(before).static_order():
        core, number = own[name]
        known = {core: number}
        for earlier in before[name]:
            for other, count in begun[earlier].items():
                known[other] = max(known.get(other, 0), count)
        begun[name] = known
    return begun


def _stages(code: CoreCode) -> list[ThreadCode]:
    return [thread for thread in code.threads if thread.count is not None]


def _words_of(thread: ThreadCode, name: str) -> Iterator[int]:
    """Words, with the header, of each instruction of that name."""
    for line in _code(thread):
        if isinstance(line.instruction, TransferInstruction) and line.instruction.spec.name == name:
            yield HEADER_WORDS + line.instruction.length


def _signalled(thread: ThreadCode) -> list[str]:
    """The stages that a thread signals, in order."""
    return [line.target for line in _code(thread) if line.target is not None and line.instruction.spec.name == "signal"]


def _code(thread: ThreadCode) -> Iterator[CodeLine]:
    return (line for line in thread.lines if isinstance(line, CodeLine))
