"""Short messages travel together, and only what is complete travels."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.fmir.ir import Fmir, Op, Role, Send, Vec, View
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.placement.bundle_messages import MOST_WORDS, bundle_messages
from femtodriver.part import load_part
from tests.compiler.fmir_samples import add, buffer, machine_outputs, network, outputs

SPU = load_part()


def two_cores(count: int, length: int = 16, *, late: bool = False) -> Fmir:
    """``count`` sums on core 0, each sent to core 1 and used there; ``late``: each is made after the last is used."""
    buffers = [buffer("in0", length), buffer("out0", length)]
    made: list[Op] = []
    used: list[Op] = []
    for index in range(count):
        mail = replace(buffer(f"mail{index}", length, core=1), role=Role.MAIL)
        buffers += [buffer(f"t{index}", length), mail, buffer(f"u{index}", length, core=1)]
        made.append(add(f"t{index}", "in0", index, length))
        send = Send(View(f"mail{index}", 0, length), View(f"t{index}", 0, length), core=0)
        before = f"u{index - 1}" if index else index
        use = replace(add(f"u{index}", f"mail{index}", before, length), core=1)
        if late:
            used += [made.pop(), send, use]
        else:
            used += [send, use]
    last = Send(View("out0", 0, length), View(f"u{count - 1}", 0, length), core=1)
    return network(buffers, [*made, *used, last])


def sends(fmir: Fmir) -> list[Send]:
    return [op for op in fmir.ops if isinstance(op, Send)]


def test_messages_whose_values_are_complete_become_one() -> None:
    before = two_cores(5)
    after = bundle_messages(before, SPU)
    verify(after)
    assert [op.dst.length for op in sends(after)] == [5 * 16, 16]
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_the_values_of_a_bundle_are_made_in_it() -> None:
    after = bundle_messages(two_cores(5), SPU)
    assert len(after.ops) == len(two_cores(5).ops) - 4, "nothing is copied"


def test_a_message_does_not_leave_before_its_values_are_made() -> None:
    before = two_cores(4, late=True)
    after = bundle_messages(before, SPU)
    assert len(sends(after)) == len(sends(before))
    assert outputs(after) == machine_outputs(after)


def test_elements_fill_whole_words() -> None:
    before = two_cores(3, length=5)
    after = bundle_messages(before, SPU)
    verify(after)
    assert sends(after)[0].dst.length == 3 * 8
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_what_is_sent_and_changed_again_is_sent_twice() -> None:
    before = two_cores(2)
    ops = list(before.ops)
    again = replace(before.buffers["mail0"], name="again")
    change = add("t0", "t0", 7)
    ops[-1:-1] = [change, Send(View("again", 0, 16), View("t0", 0, 16)), replace(add("u1", "u1", "again"), core=1)]
    before = replace(before, buffers={**before.buffers, "again": again}).with_ops(tuple(ops))
    after = bundle_messages(before, SPU)
    verify(after)
    assert len(sends(after)) == 3
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_long_messages_and_long_bundles_are_left_alone() -> None:
    assert len(sends(bundle_messages(two_cores(3, length=80), SPU, float("inf")))) == 4
    after = bundle_messages(two_cores(40, length=60), SPU, float("inf"))
    assert all(op.dst.length * 16 // 64 <= MOST_WORDS for op in sends(after))
    assert len(sends(after)) == 6


def test_parts_of_a_large_buffer_are_copied_into_the_bundle() -> None:
    large = [replace(buffer("t0", 400)), buffer("in0", 400), buffer("out0", 8), buffer("t1", 8)]
    mails = [replace(buffer(f"mail{index}", 8, core=1), role=Role.MAIL) for index in range(2)]
    ops: list[Op] = [
        add("t0", "in0", 3, 400),
        add("t1", "in0", 4, 8),
        Send(View("mail0", 0, 8), View("t0", 40, 8)),
        Send(View("mail1", 0, 8), View("t1", 0, 8)),
        replace(add("u0", "mail0", "mail1", 8), core=1),
        Send(View("out0", 0, 8), View("u0", 0, 8), core=1),
    ]
    before = network([*large, *mails, buffer("u0", 8, core=1)], ops)
    after = bundle_messages(before, SPU)
    verify(after)
    assert [op.dst.length for op in sends(after)] == [16, 8]
    assert len(after.ops) == len(before.ops), "one message less, one copy more"
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_a_message_leaves_when_its_values_are_complete() -> None:
    before = two_cores(1)
    other = add("out0", "in0", 9)
    before = before.with_ops((before.ops[0], other, *before.ops[1:-1]))
    assert [type(op) for op in bundle_messages(before, SPU).ops[:3]] == [Vec, Send, Vec]


def test_one_core_is_left_alone() -> None:
    before = network([buffer("in0"), buffer("out0")], [add("out0", "in0", 1)])
    assert bundle_messages(before, SPU) is before
