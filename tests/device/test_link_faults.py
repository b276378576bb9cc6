"""Bad links: every run over them gives the right outputs or a DeviceError, and ends."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from femtodriver.device import Faults, Timeouts, make_runner
from femtodriver.device.virtual.link_faults import FaultStream
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.bus.load_sequence import load_sequence
from tests.device.networks import PART, compiled, expected, random_inputs

FRAMES = 4
SCHEDULES = 200


def schedule(seed: int) -> Faults:
    rng = random.Random(seed)
    split, delay = rng.random() < 0.5, rng.choice((0, 0, 0.1))
    common: dict[str, Any] = {"seed": seed, "split": split, "delay": delay, "delay_s": 0.004}
    kind = seed % 4
    if kind == 0:
        return Faults(**{**common, "split": True, "delay": 0.2})
    if kind == 1:
        return Faults(**common, close_after=rng.randrange(900))
    if kind == 2 and rng.random() < 0.5:
        return Faults(**common, close_after_entries=rng.randrange(250))
    share = 10 ** rng.uniform(-4, -1.3)
    return Faults(**common, drop=share) if kind == 2 else Faults(**common, corrupt=share)


def outcome(seed: int) -> str:
    faults = schedule(seed)
    data = compiled("accumulator")
    inputs = random_inputs(data, FRAMES, seed)
    kind = seed % 4
    # Harmless faults must be survived, so they get all the time that a busy machine may take.
    limit = 20.0 if kind == 0 else 0.12
    timeouts = Timeouts(io=limit, output=limit, lock=limit)
    with BoardServer(VirtualBoard(PART), faults=faults) as server:
        runner = make_runner(data, "zynq", address=server.endpoint, timeouts=timeouts)
        try:
            with runner:
                runner.reset()
                outputs, _, _ = runner.run(inputs)
        except DeviceError:
            return "refused"
    return "equal" if np.array_equal(outputs["sum"], expected(data, inputs)["sum"]) else "WRONG"


@pytest.mark.slow
def test_200_random_schedules_never_give_a_wrong_verdict() -> None:
    counts: dict[int, Counter[str]] = {kind: Counter() for kind in range(4)}
    for seed in range(SCHEDULES):
        counts[seed % 4][outcome(seed)] += 1
    assert counts[0] == {"equal": SCHEDULES // 4}
    for kind in (1, 2, 3):
        assert set(counts[kind]) == {"equal", "refused"}, counts


def test_after_a_closed_connection_a_reset_starts_over() -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, FRAMES)
    loading = sum(record.length for record in load_sequence(data, program_pll=True))
    with (
        BoardServer(VirtualBoard(PART), faults=Faults(close_after_entries=loading + 20)) as server,
        make_runner(data, "zynq", address=server.endpoint, timeout=5, verify=False) as runner,
    ):
        runner.reset()
        with pytest.raises(DeviceError, match=r"closed the connection|the link was lost|the link is lost"):
            runner.run(inputs)
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    np.testing.assert_array_equal(outputs["sum"], expected(data, inputs)["sum"])


def test_faults_are_the_same_for_the_same_seed() -> None:
    table = np.arange(2000, dtype=np.uint32).reshape(-1, 2)
    streams = [FaultStream(Faults(drop=0.1, corrupt=0.1, split=True, seed=seed)) for seed in (5, 5, 6)]
    tables = [stream.incoming(table).tobytes() for stream in streams]
    assert tables[0] == tables[1] != tables[2]
    pieces = [list(stream.pieces(bytes(500))) for stream in streams]
    assert pieces[0] == pieces[1] != pieces[2]
    assert b"".join(pieces[0]) == bytes(500)
    assert {event.kind for event in streams[0].log} == {"drop", "corrupt"}


def test_faults_from_text() -> None:
    text = "drop=0.01, corrupt=1e-3,delay=0.5,delay-s=0.1,split,close_after=10,close_after_entries=3,seed=7"
    assert Faults.parse(text) == Faults(0.01, 1e-3, 0.5, 0.1, True, 10, 3, 7)
    assert Faults.parse("") == Faults()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dorp=1", "faults: must be a list of drop=SHARE, .*, not 'dorp=1'"),
        ("split=1", "must be a list of"),
        ("drop", "must be a list of"),
        ("drop=1,drop=1", "must be a list of"),
        ("drop=x", "'drop=x' must have a number after the ="),
        ("seed=1.5", "must have a number"),
        ("drop=2", "drop must be a share from 0 to 1, not 2.0"),
        ("drop=nan", "drop must be a share"),
        ("delay_s=100", "delay_s must be 0 to 60 seconds"),
        ("close_after=-1", "close_after must be a number from 0"),
    ],
)
def test_wrong_fault_texts(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Faults.parse(text)
