"""What the virtual board does with clients that break the rules: no effect, zeros or no output, and a note of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from femtodriver.device.virtual.program_engine import Loaded
from femtodriver.device.virtual.serve import preload_program
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.errors import ProgramError
from femtodriver.isa import SPECS, ControlInstruction, Instruction, TransferInstruction
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_apb_files
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.bus.write_recordings import apb_files
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.memory_map import POWER_VALUES, head_tail_register, power_register
from femtodriver.program.packing import pack, split_words, unpack
from tests.device.networks import NETWORKS, PART, assert_equal, compiled, expected, random_inputs

DM0, IM = 0x100000, 0x1F0000


def bus(*words: int) -> np.ndarray:
    return np.array(words, np.uint32)


def power(board: VirtualBoard, name: str, *commands: str, core: int = 0) -> None:
    for command in commands:
        board.apb_write(power_register(core, name), bus(POWER_VALUES[command]))


def loaded(
    data: CompiledData, skip: Callable[[Transaction], bool] = lambda record: False, board: VirtualBoard | None = None
) -> VirtualBoard:
    board = board or VirtualBoard(PART)
    preload_program(board, [record for record in load_sequence(data) if not skip(record)])
    return board


def frame(board: VirtualBoard, data: CompiledData, values: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """One frame; None when no outputs came."""
    info = data.info()
    for record in info.inputs:
        payload = np.zeros(record.words, np.uint64)
        packed = pack(values[record.name], record.bits)
        payload[: len(packed)] = packed
        board.message(np.concatenate([bus(record.core, record.pc_val), split_words(payload)]))
    words = board.outbox.take(sum(record.words + 1 for record in info.outputs))
    if words is None:
        return None
    boxes = {record.mailbox_id: record for record in info.outputs}
    found = {}
    while len(words):
        output = boxes[int(words[1])]
        payload = words[2 : 2 + 2 * output.words].astype("<u4").view("<u8")
        found[output.name] = unpack(payload, output.bits, output.usable)
        words = words[2 + 2 * output.words :]
    return {record.name: found[record.name] for record in info.outputs}


def works(board: VirtualBoard, data: CompiledData) -> bool:
    inputs = {name: values[0] for name, values in random_inputs(data, 1).items()}
    found = frame(board, data, inputs)
    if found is None:
        return False
    assert_equal(found, {name: values[0] for name, values in expected(data, random_inputs(data, 1)).items()})
    return True


def kinds(board: VirtualBoard) -> dict[str, int]:
    return dict(board.violations.counts)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_from_its_apb_files(name: str) -> None:
    data = compiled(name)
    addresses, words = apb_files(load_sequence(data))
    board = VirtualBoard(PART)
    preload_program(board, read_apb_files(addresses.encode(), words.encode()))
    assert works(board, data)
    assert kinds(board) == {}


def test_a_message_before_any_program() -> None:
    board = VirtualBoard(PART)
    assert not works(board, compiled("identity"))
    assert kinds(board) == {"clock": 1, "order": 1}
    assert board.violations.recent[-1].text == "message: no instruction memory was written; load a program first."
    assert board.top_read(0x24) == 0


def test_banks_that_are_off_cannot_be_written_or_read() -> None:
    data = compiled("identity")
    board = loaded(data, lambda record: "DM_CONF0" in str(record.comment))
    assert kinds(board) == {"power": 1}
    assert "write to DM0 of core 0: must be on, not OFF; nothing is written." in board.violations.recent[-1].text
    assert board.apb_read(DM0, 4).tolist() == [0] * 4
    assert kinds(board) == {"power": 2}


def test_only_legal_power_sequences_have_an_effect() -> None:
    board = VirtualBoard(PART)
    board.top_write(0x08, 0x40)
    power(board, "DM3", "ON")
    assert "must not go from OFF to ON" in board.violations.recent[-1].text
    power(board, "DM3", "CD", "ON", "CD", "SLEEP_TRANS", "SLEEP", "SLEEP_TRANS", "CD", "ON", "CD", "OFF")
    assert kinds(board) == {"power": 1}
    power(board, "DM3", "SLEEP")
    power(board, "DM3", "CD", "ON", "SLEEP_TRANS")
    board.apb_write(power_register(0, "DM3"), bus(0x1F098))
    assert kinds(board) == {"power": 4}


@pytest.mark.parametrize(
    ("commands", "state"),
    [
        (("CD", "ON"), "ON"),
        (("CD",), "CD"),
        (("CD", "ON", "CD", "SLEEP_TRANS", "SLEEP"), "SLEEP"),
        (("CD", "SLEEP_TRANS"), "SLEEP_TRANS"),
        (("CD", "ON", "FSM"), "FSM"),
        ((), "OFF"),
    ],
)
def test_a_command_for_the_state_that_a_bank_is_in_changes_nothing(commands: tuple[str, ...], state: str) -> None:
    board = VirtualBoard(PART)
    board.top_write(0x08, 0x40)
    power(board, "DM3", "CD", "ON")
    board.apb_write(DM0 + 0x30000, bus(7, 8))
    power(board, "DM3", *(() if state in ("ON", "FSM", "CD", "SLEEP", "SLEEP_TRANS") else ("CD", "OFF")))
    power(board, "DM3", *commands)
    before = kinds(board)
    power(board, "DM3", state)
    assert kinds(board) == before
    assert board.apb_read(power_register(0, "DM3"), 1).tolist() == [POWER_VALUES[state]]
    if state in ("ON", "FSM"):
        assert board.apb_read(DM0 + 0x30000, 2).tolist() == [7, 8]


def test_a_program_runs_on_when_its_banks_are_switched_on_again() -> None:
    data = compiled("accumulator")
    board = loaded(data)
    assert frame(board, data, {"x": np.ones(16, int)}) is not None
    for name in ("IM", "DM0", "DM1"):
        power(board, name, "ON", "ON")
    found = frame(board, data, {"x": np.ones(16, int)})
    assert found is not None
    assert found["sum"].tolist() == [2] * 16
    assert kinds(board) == {}


def test_a_bank_that_was_switched_off_must_be_loaded_again() -> None:
    data = compiled("identity")
    board = loaded(data)
    assert works(board, data)
    power(board, "DM0", "CD", "OFF", "CD", "ON")
    assert not works(board, data)
    assert [item.text for item in board.violations.recent] == [
        "DM0 of core 0: was switched off, and its contents are lost.",
        "message: DM0 of core 0: was switched off since it was loaded; load it again.",
    ]
    loaded(data, board=board)
    assert works(board, data)


def test_sleeping_banks_keep_their_contents_but_nothing_runs() -> None:
    data = compiled("accumulator")
    board = loaded(data)
    inputs = random_inputs(data, 3)
    wanted = expected(data, inputs)["sum"]
    found = frame(board, data, {"x": inputs["x"][0]})
    assert found is not None
    power(board, "DM0", "CD", "SLEEP_TRANS", "SLEEP")
    assert frame(board, data, {"x": inputs["x"][1]}) is None
    assert kinds(board) == {"power": 1}
    power(board, "DM0", "SLEEP_TRANS", "CD", "ON")
    for at in (1, 2):
        found = frame(board, data, {"x": inputs["x"][at]})
        assert found is not None
        np.testing.assert_array_equal(found["sum"], wanted[at])


def test_clocks_and_resets_stop_the_cores() -> None:
    data = compiled("identity")
    board = loaded(data)
    for address, value in ((0x00, 0x800), (0x00, 0b100)):
        board.top_write(address, value)
        assert not works(board, data)
        board.top_write(address, 0)
        assert works(board, data)
    board.top_write(0x00, 0b010)  # the other core's clock
    assert works(board, data)
    board.apb_write(0x04, bus(3))
    assert not works(board, data)
    board.apb_write(0x04, bus(0))
    assert works(board, data)
    assert kinds(board) == {"clock": 3}


def test_a_soft_reset_keeps_memories_and_drops_outputs() -> None:
    data = compiled("accumulator")
    board = loaded(data)
    inputs = random_inputs(data, 2)
    assert frame(board, data, {"x": inputs["x"][0]}) is not None
    board.message(np.concatenate([bus(0, data.metadata["inputs"]["x"]["pc_val"]), np.zeros(8, np.uint32)]))
    assert board.top_read(0x24) == 1
    board.apb_write(0x04, bus(3, 0)[:1])
    board.apb_write(0x04, bus(0))
    assert board.top_read(0x24) == 0
    found = frame(board, data, {"x": inputs["x"][1]})
    assert found is not None
    np.testing.assert_array_equal(found["sum"], expected(data, inputs)["sum"][1])


def test_a_hard_reset_loses_everything() -> None:
    data = compiled("identity")
    board = loaded(data)
    assert works(board, data)
    board.hard_reset()
    board.top_write(0x08, 0x40)
    assert not works(board, data)
    power(board, "DM0", "CD", "ON")
    assert not board.apb_read(DM0, 100).any()


@pytest.mark.parametrize(
    "address",
    [0x2C, 0x9C, 0x00, 0x184000, 0x300000, 0x1C0200, 0x0FFFFFF0, 0x100002, 0x1FFFE0],
)
def test_bad_addresses(address: int) -> None:
    board = VirtualBoard(PART)
    board.top_write(0x08, 0x40)
    board.apb_write(address, bus(7))
    assert kinds(board) == {"address": 1}
    assert board.apb_read(address, 1).tolist() == [0x13 if address == 0 else 0]


def test_registers_keep_what_is_written() -> None:
    board = VirtualBoard(PART)
    for address in (0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x28, head_tail_register(1)):
        board.apb_write(address, bus(5))
        assert board.apb_read(address, 1).tolist() == [5]
    for address in (0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18):
        board.top_write(address, 2)
        assert board.top_read(address) == 2
    assert kinds(board) == {}
    board.top_write(0x24, 1)
    board.top_write(0x1C, 1)
    assert board.top_read(0x40) == 0
    board.apb_write(0x18, bus(33))
    board.apb_write(0x1C, bus(0x10000))
    assert kinds(board) == {"address": 5}


def test_the_lock_of_the_pll_follows_its_reset() -> None:
    board = VirtualBoard(PART)
    assert board.top_read(0x1C) == 0
    board.top_write(0x08, 1)
    assert board.top_read(0x1C) == 0
    board.top_write(0x08, 0)
    assert board.top_read(0x1C) == 1
    board.top_write(0x08, 0x20)
    assert board.top_read(0x1C) == 0


def test_memories_keep_what_is_written_across_banks() -> None:
    board = VirtualBoard(PART)
    board.top_write(0x08, 0x40)
    power(board, "DM0", "CD", "ON")
    power(board, "DM1", "CD", "ON")
    words = np.arange(10, dtype=np.uint32) + 1
    board.apb_write(0x110000 - 20, words)
    assert board.apb_read(0x110000 - 20, 10).tolist() == words.tolist()
    assert kinds(board) == {}


def test_a_running_program_s_data_memory_is_that_of_the_machine() -> None:
    data = compiled("identity")
    board = loaded(data)
    before = board.apb_read(DM0, 8).tolist()
    values = np.arange(1, 17)
    assert frame(board, data, {"x": values}) is not None
    after = [board.apb_read(DM0 + 0x10000 * bank, 8) for bank in (0, 1)]
    assert before != after[0].tolist()
    words = np.zeros(8, np.uint64)
    words[0::2], words[1::2] = (half.astype("<u4").view("<u8") for half in after)
    assert values.tolist() in (unpack(words, 16)[:16].tolist(), unpack(words, 16)[16:].tolist())
    board.apb_write(DM0 + 4, bus(0xABCD))  # one half of a word, into the running machine
    assert board.apb_read(DM0, 3).tolist() == [after[0][0], 0xABCD, after[0][2]]
    assert works(board, data)


def test_state_survives_a_write_to_instruction_memory() -> None:
    data = compiled("accumulator")
    board = loaded(data)
    inputs = random_inputs(data, 2)
    assert frame(board, data, {"x": inputs["x"][0]}) is not None
    board.apb_write(IM, split_words(data.image(0, "IM")))
    found = frame(board, data, {"x": inputs["x"][1]})
    assert found is not None
    np.testing.assert_array_equal(found["sum"], expected(data, inputs)["sum"][1])


def test_incomplete_programs_do_not_run() -> None:
    data = compiled("accumulator")
    board = loaded(data, lambda record: str(record.comment).endswith(" SB"))
    assert not works(board, data)
    assert not works(board, data)
    assert kinds(board) == {"program": 1, "order": 1}
    assert "SB and PB must have one word per thread" in board.violations.recent[0].text

    board = VirtualBoard(PART)
    preload_program(board, load_sequence(data))
    board.apb_write(IM + 8 * 4000, bus(1))
    assert not works(board, data)
    assert "IM of core 0: only one half of a word was written" in board.violations.recent[-1].text
    board.apb_write(IM + 8 * 4000 + 4, bus(1))
    assert not works(board, data)
    assert "IM of core 0: a word in the middle of the image was never written" in board.violations.recent[-1].text


def test_messages_that_no_core_can_take() -> None:
    data = compiled("identity")
    board = loaded(data)
    pc = data.metadata["inputs"]["x"]["pc_val"]
    board.message(bus(1, pc, 0, 0))
    board.message(bus(0xFFFFFFFF, pc, 0, 0))
    board.message(bus(0, pc, 0))
    assert kinds(board) == {"message": 3}
    board.message(bus(0, pc))  # a header alone is not against the rules
    board.message(bus(0, pc, 0, 0))
    assert kinds(board) == {"message": 3, "fault": 1}
    assert "The program is halted until the next reset" in board.violations.recent[-1].text
    assert not works(board, data)
    board.apb_write(0x04, bus(3))
    board.apb_write(0x04, bus(0))
    assert works(board, data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "a message must end within 2000000 instructions"),
        (
            [TransferInstruction(SPECS["out"], address=0, length=8191, target=0)],
            "a message must not send more than 8388608 words",
        ),
        ([ControlInstruction(SPECS["signal"], core=0, thread=0)], "a message must not send more than 8388608 words"),
    ],
)
def test_a_program_that_hangs_or_floods_is_stopped(body: list[Instruction], message: str) -> None:
    board = VirtualBoard(PART)
    board.top_write(0x08, 0x40)
    power(board, "IM", "CD", "ON")
    code = [word for item in (*body, ControlInstruction(SPECS["jump"], target=0)) for word in item.encode()]
    board.apb_write(IM, split_words(np.array(code, np.uint64)))
    board.message(bus(0, 0, 0, 0))
    assert kinds(board) == {"fault": 1}
    assert message in board.violations.recent[-1].text
    assert board.top_read(0x24) == 0


def test_what_a_program_writes_to_a_bank_that_is_off_is_lost() -> None:
    data = compiled("identity")
    board = loaded(data)
    power(board, "DM2", "CD", "ON")
    board.apb_write(0x120000, bus(1, 2))
    assert works(board, data)
    power(board, "DM2", "CD", "OFF")
    assert not works(board, data)
    loaded(data, board=board)
    assert works(board, data)


def test_encrypted_programs_are_deciphered_before_they_run() -> None:
    data = compiled("accumulator")
    mask = np.uint64(0x1234_5678_9ABC_DEF0)
    calls: list[Loaded] = []

    def decipher(program: Loaded) -> Loaded:
        calls.append(program)
        if program.key_index != 3:
            raise ProgramError("the key of that index does not fit.")
        return Loaded(3, program.salt, True, {place: words ^ mask for place, words in program.banks.items()})

    secret = CompiledData(
        {**data.metadata, "encrypted": True, "encryption_key_index": 3, "encryption_key_salt": 0x1111_2222_3333_4444},
        {
            core: {name: [words ^ mask for words in groups] for name, groups in images.items()}
            for core, images in data.mems_per_core.items()
        },
    )
    inputs = random_inputs(data, 3)
    wanted = expected(data, inputs)["sum"]
    board = loaded(secret, board=VirtualBoard(PART, decipher))
    for at in range(3):
        found = frame(board, data, {"x": inputs["x"][at]})
        assert found is not None
        np.testing.assert_array_equal(found["sum"], wanted[at])
    assert len(calls) == 1
    assert (calls[0].key_index, calls[0].salt, calls[0].plain) == (3, 0x1111_2222_3333_4444, False)
    assert kinds(board) == {}
    board.apb_write(IM, bus(1, 2))  # a deciphered program does not go back to where the bus can read it
    assert not works(board, data)
    assert not board.apb_read(DM0, 64).any()

    wrong = CompiledData({**secret.metadata, "encryption_key_index": 4}, secret.mems_per_core)
    board = loaded(wrong, board=VirtualBoard(PART, decipher))
    assert not works(board, data)
    assert kinds(board) == {"program": 1}
    assert works(loaded(data, board=VirtualBoard(PART, decipher)), data)  # plain programs are not touched
    assert len(calls) == 2


def test_what_nobody_fetches_is_dropped_at_last() -> None:
    data = compiled("identity")
    board = loaded(data)
    message = np.concatenate([bus(0, data.metadata["inputs"]["x"]["pc_val"]), np.zeros(8, np.uint32)])
    for _ in range(1200):
        board.message(message)
    assert board.outbox.words == 1024 * 5
    assert kinds(board) == {"message": 1200 - 1024}
    assert len(board.violations.recent) <= 200


def test_violations_are_told_a_limited_number_of_times() -> None:
    lines: list[str] = []
    board = VirtualBoard(PART, tell=lines.append)
    for _ in range(1000):
        board.top_read(0x100)
    assert board.violations.counts["address"] == 1000
    assert len(lines) == 21
    assert lines[-1] == "address: further ones are counted, but not shown"
    board.violations.clear()
    assert kinds(board) == {}
