"""A board behind a redis server belongs to one driver at a time, and a server to one board: nobody ever gets another's
values."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import Any

import numpy as np
import pytest

from femtodriver.device import SPURunner, make_runner, serve
from femtodriver.device.redis import single_owner
from femtodriver.device.redis.list_users import CLIENT_SIDE_NAME, DRIVER_NAME, drivers
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.device.redis.single_owner import DRIVER, SILENCE_S, Claim, claim_keys, holder_id
from femtodriver.errors import DeviceError
from tests.device.networks import compiled, expected, random_inputs
from tests.device.redis_bench import WAITS, PlainDriver, board_at, plain_client

pytestmark = pytest.mark.slow

IN_USE = r"the server is in use by another driver \('.+'\); wait until that has finished, and try again"
LOST = "another driver has used the board meanwhile, or emptied the server's database; reset to start again"
OWNER, COUNT = claim_keys(DRIVER)


def runner_at(port: int, name: str = "accumulator") -> SPURunner:
    return make_runner(compiled(name), "redis", address=f"127.0.0.1:{port}", timeouts=WAITS)


def ones(runner: SPURunner) -> list[int]:
    return [int(value) for value in runner.step({"x": np.ones(16, int)})[0]["sum"]]


def in_step_again(driver: PlainDriver) -> None:
    """What is left of requests that were cut is gone: the board gives its version."""
    for _ in range(20):
        driver.ask("apb", 0, 4, 1)
        with contextlib.suppress(TimeoutError):
            assert driver.answer(1, seconds=3) == [0x13]
            return
        driver.redis.delete("req")
    pytest.fail("the board does not answer")


def test_the_second_driver_is_told_and_the_first_goes_on(client: Any, port: int) -> None:
    with board_at(port) as served, runner_at(port) as first, runner_at(port) as second:
        first.reset()
        for frame in range(4):
            assert ones(first) == [frame + 1] * 16
            with pytest.raises(DeviceError, match=IN_USE):
                second.reset()
        first.finish()
        assert client.get(OWNER) is None
        second.reset()
        assert ones(second) == [1] * 16
        assert served.counts == {}


def test_many_at_once_get_their_own_values_or_an_error(client: Any, port: int) -> None:
    outcomes: list[str] = []

    def work(name: str, seed: int) -> None:
        data = compiled(name)
        inputs = random_inputs(data, 3, seed)
        wanted = expected(data, inputs)
        for _ in range(100):
            if outcomes.count(f"{name} {seed} equal") == 2:
                return
            try:
                with runner_at(port, name) as runner:
                    runner.reset()
                    found, _, _ = runner.run(inputs)
            except DeviceError as error:
                outcomes.append("told" if "in use by another driver" in str(error) else str(error))
            else:
                same = all(np.array_equal(found[output], wanted[output]) for output in wanted)
                outcomes.append(f"{name} {seed} equal" if same else "WRONG")

    with board_at(port):
        names = ("accumulator", "identity", "two_in_three_out")
        threads = [threading.Thread(target=work, args=(name, at), daemon=True) for at, name in enumerate(names)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {outcome for outcome in outcomes if not outcome.endswith(" equal")} <= {"told"}
    assert sum(outcome.endswith(" equal") for outcome in outcomes) >= 2


def test_a_driver_of_others_keeps_the_board(client: Any, port: int) -> None:
    data = compiled("identity")
    plain = PlainDriver(port, flush=True)
    with board_at(port) as served, runner_at(port) as runner:
        plain.load(data)
        for _ in range(2):
            assert plain.frame(data, [5, 6, 7, 8])[2:] == [5, 0, 6, 0, 7, 0, 8, 0]
            with pytest.raises(DeviceError, match=IN_USE):
                runner.reset()
        plain.close()
        runner.reset()
        assert ones(runner) == [1] * 16
        assert served.counts == {}


def test_a_driver_of_others_that_empties_the_database_takes_the_board(client: Any, port: int) -> None:
    data = compiled("identity")
    with board_at(port), runner_at(port) as runner:
        runner.reset()
        assert ones(runner) == [1] * 16
        plain = PlainDriver(port, flush=True)
        plain.load(data)
        assert plain.frame(data, [5, 6, 7, 8])[2:] == [5, 0, 6, 0, 7, 0, 8, 0]
        with pytest.raises(DeviceError, match=LOST):
            ones(runner)
        assert plain.frame(data, [5, 6, 7, 9])[2:] == [5, 0, 6, 0, 7, 0, 9, 0]
        plain.close()


def test_a_driver_of_others_that_comes_second_is_not_answered(client: Any, port: int) -> None:
    with board_at(port) as served, runner_at(port) as runner:
        runner.reset()
        assert ones(runner) == [1] * 16
        plain = PlainDriver(port)
        plain.ask("apb", 0, 4, 1)
        assert " use the server at once; neither is answered" in served.wait_for("owner: ")
        with pytest.raises(DeviceError, match=LOST):
            ones(runner)
        assert client.llen("reply") == 0
        plain.close()
        runner.reset()
        assert ones(runner) == [1] * 16


def test_two_drivers_of_others_are_not_answered_while_both_are_there(client: Any, port: int) -> None:
    data = compiled("identity")
    first, second = PlainDriver(port, flush=True), PlainDriver(port)
    with board_at(port) as served:
        first.load(data)
        assert first.frame(data, [5, 6, 7, 8])[2:] == [5, 0, 6, 0, 7, 0, 8, 0]
        second.load(data)
        served.wait_for("owner: ")
        second.send(data, [1, 2, 3, 4])
        second.ask("spu_top", 0x24, 0x28, 1)
        with pytest.raises(TimeoutError):
            second.answer(1, seconds=0.5)
        second.close()
        in_step_again(first)
        first.load(data)
        assert first.frame(data, [5, 6, 7, 9])[2:] == [5, 0, 6, 0, 7, 0, 9, 0]
        first.close()


def test_outputs_are_for_the_driver_that_sent_the_inputs(client: Any, port: int) -> None:
    data = compiled("identity")
    with board_at(port):
        first = PlainDriver(port)
        first.load(data)
        first.send(data, [1, 2, 3, 4])
        first.ask("spu_top", 0x24, 0x28, 1)
        assert first.answer(1) == [1]
        first.close()
        second = PlainDriver(port)
        second.ask("spu_top", 0x24, 0x28, 1)
        assert second.answer(1) == [0]
        assert second.frame(data, [9, 6, 7, 8])[2:] == [9, 0, 6, 0, 7, 0, 8, 0]
        second.close()


def test_a_claim_that_expired_is_still_good_if_nobody_came(client: Any, port: int) -> None:
    with board_at(port), runner_at(port) as runner:
        runner.reset()
        assert ones(runner) == [1] * 16
        assert 0 < client.pttl(OWNER) <= 1000 * SILENCE_S
        client.delete(OWNER)  # as after half a minute of silence
        assert ones(runner) == [2] * 16
        assert client.pttl(OWNER) > 0


def test_a_claim_that_expired_is_lost_to_who_comes(client: Any, port: int) -> None:
    with board_at(port), runner_at(port) as first, runner_at(port) as second:
        first.reset()
        assert ones(first) == [1] * 16
        client.delete(OWNER)
        second.reset()
        assert ones(second) == [1] * 16
        with pytest.raises(DeviceError, match=LOST):
            ones(first)
        assert ones(second) == [2] * 16
        second.finish()  # also when the second one has finished meanwhile
        with pytest.raises(DeviceError, match="the link is closed after a failure"):
            first.hw_recv("VERSION")
        first.reset()
        assert ones(first) == [1] * 16


def test_nothing_is_written_under_a_lost_claim(client: Any, port: int) -> None:
    first, second = plain_client(port), plain_client(port)
    with first, second:
        claim = Claim(first, DRIVER)
        claim.acquire("test")
        assert claim.write("req", [1, 2]) == 0
        assert claim.write("req", [3], "reply") == 0
        client.delete(OWNER)
        other = Claim(second, DRIVER)
        other.acquire("test")
        other.release()
        assert claim.write("req", [4]) == -1
        assert claim.take("req", 3) is None
        assert not claim.renew()
        claim.release()  # not ours: nothing happens
        assert client.lrange("req", 0, -1) == ["1", "2", "3"]


def test_a_list_that_must_be_empty(client: Any, port: int) -> None:
    with plain_client(port) as other:
        claim = Claim(other, DRIVER)
        claim.acquire("test")
        client.rpush("reply", 7, 8)
        assert claim.write("req", [1], "reply") == 2
        assert client.llen("req") == 0
        assert claim.take("reply", 1) == ["7"]
        assert claim.take("reply", 5) == ["8"]
        assert claim.take("reply", 5) == []
        long = list(range(2500))
        assert claim.write("req", long, "reply") == 0
        assert [int(text) for text in client.lrange("req", 0, -1)] == long


def test_a_holder_whose_connection_has_gone_has_gone_itself(client: Any, port: int) -> None:
    crashed = plain_client(port)
    Claim(crashed, DRIVER).acquire("test")
    with board_at(port), runner_at(port) as runner:
        with pytest.raises(DeviceError, match=IN_USE):
            runner.reset()
        crashed.close()
        runner.reset()
        assert ones(runner) == [1] * 16


def test_one_board_at_a_server(client: Any, port: int) -> None:
    with board_at(port) as served:
        with pytest.raises(DeviceError, match=f"redis 127.0.0.1:{port}: the server is in use by another board"):
            serve(redis=f"127.0.0.1:{port}")
        assert client.get("client_running") == "test"
        with runner_at(port) as runner:
            runner.reset()
            assert ones(runner) == [1] * 16
    assert served.ended_by == []
    assert client.get("client_running") == "none"


def test_a_board_claims_the_server_again_when_somebody_empties_it(client: Any, port: int) -> None:
    with board_at(port):
        owner = claim_keys(single_owner.CLIENT_SIDE)[0]
        assert client.get(owner)
        client.flushdb()
        seen: queue.Queue[bool] = queue.Queue()
        stop = threading.Event()

        def look() -> None:
            while not stop.is_set():
                if client.get(owner) and client.get("client_running") == "test":
                    seen.put(True)
                    return

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        assert seen.get(timeout=30)
        stop.set()
        watcher.join()


def test_who_counts_as_a_driver() -> None:
    class Client:
        def get_connection_kwargs(self) -> dict[str, int]:
            return {"db": 0}

    row = {"id": "7", "addr": "a:1", "cmd": "blpop", "db": "0", "idle": "0", "name": ""}

    def seen(owner: str | None = None, **changes: str) -> dict[str, str]:
        return drivers(Client(), [{**row, **changes}], owner)

    assert seen() == {"7": "a:1"}
    assert seen(idle=str(SILENCE_S - 1)) == {"7": "a:1"}
    assert seen(idle=str(SILENCE_S)) == {}
    assert seen(db="1") == {}
    for cmd in ("rpush", "lpush", "lpop", "rpop", "brpop"):
        assert seen(cmd=cmd)
    for cmd in ("get", "client|list", "evalsha", "ping", "NULL"):
        assert not seen(cmd=cmd)
    for name in (DRIVER_NAME, CLIENT_SIDE_NAME):
        assert not seen(name=name)
        assert not seen("8 token", name=name)
        assert seen("7 token", name=name, idle="99") == {"7": "a:1"}
    assert [holder_id(text) for text in ("7 x", "7", "", None, "x 7", "-1 x", "9" * 30)] == [
        *(7, 7, None, None),
        *(None, None, None),
    ]


def test_a_claim_that_is_no_text_is_refused_in_a_sentence(client: Any, port: int) -> None:
    client.rpush(OWNER, "x")
    with pytest.raises(DeviceError, match="open: the server refused it: WRONGTYPE"):
        RedisLink(("127.0.0.1", port), WAITS).open()
    client.delete(OWNER)
    client.set(COUNT, "x")
    with pytest.raises(DeviceError, match="open: the server refused it: value is not an integer"):
        RedisLink(("127.0.0.1", port), WAITS).open()


def test_a_board_that_may_not_claim_says_so(client: Any, port: int) -> None:
    client.rpush(claim_keys(single_owner.CLIENT_SIDE)[0], "x")
    with pytest.raises(DeviceError, match="redis: the server refused a command: WRONGTYPE"):
        serve(redis=f"127.0.0.1:{port}")


def test_names_in_messages_are_quoted(client: Any, port: int) -> None:
    client.set(OWNER, "x \x1b[31mred")
    with pytest.raises(DeviceError) as caught:
        RedisLink(("127.0.0.1", port), WAITS).open()
    assert "\x1b" not in str(caught.value)
