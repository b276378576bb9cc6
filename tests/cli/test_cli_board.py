"""Two terminals: ``femtodrive board`` in one, runners of it in the other."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from femtodriver.cli import main
from tests.board_bench import BoardProcess, alarm, board_process, limit_outputs_only, needs_redis, redis_here
from tests.fqir import graph_wire as wire

pytestmark = pytest.mark.slow

Out = pytest.CaptureFixture[str]
MACHINE = r"(native loop, (avx2|baseline)|NumPy machine)"
KEYS = '0 = "000102030405060708090a0b0c0d0e0f"\n'


@pytest.fixture(autouse=True)
def _limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT", "FS_HWTS_ZYNQ"):
        monkeypatch.delenv(name, raising=False)
    with alarm():
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardProcess]:
    """A virtual board without keys, for all tests that do not change it."""
    with board_process(tmp_path_factory.mktemp("board"), "--listen", "127.0.0.1:0") as found:
        assert found.address
        yield found


def keyring(folder: Path, content: str = KEYS) -> str:
    path = folder / "keys.toml"
    path.write_text(content)
    path.chmod(0o600)
    return str(path)


def zynq(served: BoardProcess, runners: str) -> list[str]:
    return ["--runners", runners, "--hardware", "zynq", "--zynq-host", served.address]


def two_in_two_out(path: Path) -> str:
    """A network file: p = a + b, m = a - b."""

    def end(name: str) -> Any:
        return wire.tensor(name=name, dtype="fqint16", shape=[8], value=None)

    a, b, p, m = (end(name) for name in "abpm")
    constants = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "bw_out": 16, "rounded": False}
    nodes = [
        wire.node(name=op, optype=wire.operator(op.upper(), op), opname=op, inputs={"x": a, "y": b}, outputs=[out],
                  constants=constants)
        for op, out in (("vvadd", p), ("vvsub", m))
    ]  # fmt: skip
    arith = wire.graph(name="ARITH", nodes=nodes, inputs=[a, b], outputs=[p, m], parameters=[])
    whole = wire.graph(name="MAIN", nodes=[], inputs=[a, b], outputs=[p, m], subgraphs={"ARITH": arith})
    path.write_bytes(wire.archive(whole))
    return str(path)


@pytest.mark.usefixtures("here")
def test_two_terminals(served: BoardProcess, capsys: Out, spotter: str) -> None:
    assert main(["LOOPBACK", *zynq(served, "hw,fasmir,fqir")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "hardware = fasmir = fqir, 8 frames, bit-exact" in out
    assert "  comparison/" in out
    words = ["--input-file", str(Path(spotter).with_name("words.npz")), "--input-sample-indices", "5,25"]
    assert main([spotter, *zynq(served, "fqir,fmir,fasmir,hw"), *words, "--debug-vars", "all"]) == 0
    out = capsys.readouterr().out
    assert "fqir = fmir = fasmir = hardware, 20 frames, bit-exact" in out
    assert "(of the program that keeps the debug variables" in out
    assert Path("model_datas/keyword_spotter/comparison/internals.npz").is_file()


@pytest.mark.usefixtures("here")
def test_several_inputs_and_outputs(served: BoardProcess, capsys: Out, here: Path) -> None:
    model = two_in_two_out(here / "two.pt")
    assert main([model, *zynq(served, "fqir,fasmir,hw"), "--n-frames", "7"]) == 0
    assert "fqir = fasmir = hardware, 7 frames, bit-exact" in capsys.readouterr().out
    with np.load("model_datas/two/comparison/outputs.npz") as archive:
        assert set(archive.files) == {f"{name}/{out}" for name in ("fqir", "fasmir", "hardware") for out in "pm"}


@pytest.mark.usefixtures("here")
def test_a_runner_that_differs_gives_1_and_names_the_place(served: BoardProcess, capsys: Out) -> None:
    x = np.arange(32, dtype=np.int16).reshape(2, 16)
    np.save("x.npy", x)
    x[1, 5] = -7
    np.save("wrong.npy", x)
    words = [*zynq(served, "hw,fasmir,dummy"), "--input-file", "x.npy", "--dummy-output-file", "wrong.npy"]
    assert main(["LOOPBACK", *words]) == 1
    out, err = capsys.readouterr()
    assert "hardware != dummy: output '%x.4', frame 1, element 5: hardware gives 21, dummy gives -7" in out
    assert err == ""
    assert main(["LOOPBACK", *words, "--tolerance", "28"]) == 0
    assert "hardware = fasmir = dummy, 2 frames, within 28" in capsys.readouterr().out


def test_the_board_says_what_happens_and_ends_with_ctrl_c(here: Path, capsys: Out) -> None:
    with board_process(here, "--listen", "127.0.0.1:0", "--hw-config", "spu001x4") as board:
        assert main(["LOOPBACK", *zynq(board, "hw,fqir")]) == 0
        with socket.create_connection((*board.address.split(":"),), 5) as link:  # type: ignore[arg-type]
            link.sendall(bytes.fromhex("000000f0 00000000"))  # a code that nobody knows
            link.shutdown(socket.SHUT_WR)
            link.recv(1)
        assert board.stop() == 0
    capsys.readouterr()
    assert re.fullmatch(rf"virtual board: spu001x4, 4 cores, no keys, {MACHINE}", board.lines[0])
    port = board.address.split(":")[1]
    assert int(port) > 0
    assert board.lines[1] == (
        f"serving the ZCU104 protocol at 127.0.0.1:{port} (--hardware zynq --address 127.0.0.1:{port}); Ctrl-C ends"
    )
    assert any(line.startswith("client 127.0.0.1:") and line.endswith(": connected") for line in board.lines)
    assert any(line.startswith("program: ") for line in board.lines)
    assert any(line.startswith("protocol: ") for line in board.lines)
    assert board.lines[-1] == "stopped"


def test_the_board_ends_with_sigterm_too(here: Path) -> None:
    with board_process(here, "--listen", "127.0.0.1:0") as board:
        assert board.stop(signal.SIGTERM) == 0
    assert board.lines[-1] == "stopped"


@pytest.mark.parametrize("plain", [False, True])
def test_encrypted_programs(
    here: Path, capsys: Out, spotter: str, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_outputs_only(monkeypatch)
    keys = keyring(here)
    extra = ["--keyring", keys, *(["--noencrypt"] if plain else [])]
    with board_process(here, "--listen", "127.0.0.1:0", "--keyring", keys) as board:
        assert re.fullmatch(rf"virtual board: spu001, 2 cores, keys 0, {MACHINE}", board.lines[0])
        assert main([spotter, *zynq(board, "hw,fasmir,fqir"), *extra]) == 0
        assert "hardware = fasmir = fqir, 8 frames, bit-exact" in capsys.readouterr().out
        (here / "other").mkdir()
        wrong = keyring(here / "other", KEYS.replace("0a", "0b"))
        status = main(["LOOPBACK", *zynq(board, "hw,fqir"), *extra[2:], "--keyring", wrong, "--timeout", "0.5"])
        assert status == (0 if plain else 3)
        err = capsys.readouterr().err
        assert ("OUTPUT_INT stayed 0" in err) is not plain
        board.stop()
    assert any("key 0 and the salt must be those" in line for line in board.lines) is not plain
    assert not any("0001020304" in line for line in board.lines)


@pytest.mark.usefixtures("here")
def test_an_encrypted_program_on_a_board_without_keys(
    served: BoardProcess, here: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_outputs_only(monkeypatch)
    words = [*zynq(served, "hw,fqir"), "--keyring", keyring(here), "--timeout", "0.5"]
    assert main(["LOOPBACK", *words]) == 3
    assert "See what the board reports" in capsys.readouterr().err
    assert any("this board has no keys; start it with --keyring" in line for line in served.lines)


def check_device_error(words: list[str], capsys: Out, sentence: str) -> None:
    assert main(words) == 3
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("femtodrive: error: ")
    assert sentence in lines[0]
    assert "bit-exact" not in out
    assert not Path("model_datas").exists()


@pytest.mark.usefixtures("here")
def test_a_board_that_is_not_there(capsys: Out) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = ["--hardware", "zynq", "--hardware-address", f"127.0.0.1:{port}"]
        check_device_error(
            ["LOOPBACK", "--runners", "hw", *silent, "--timeout", "0.3"], capsys, "no answer within 0.3 s"
        )
    check_device_error(["LOOPBACK", "--runners", "hw,fqir", *silent], capsys, "cannot be reached: Connection refused")
    redis = ["--hardware", "redis", "--zynq-host", f"127.0.0.1:{port}", "--timeout", "0.3"]
    check_device_error(["LOOPBACK", "--runners", "hw", *redis], capsys, "no server answers a ping")


def test_a_board_that_somebody_else_has(here: Path, capsys: Out) -> None:
    poll = bytes.fromhex("24000070 00000000")
    with board_process(here, "--listen", "127.0.0.1:0") as board:
        words = ["LOOPBACK", *zynq(board, "hw,fqir")]
        host, _, port = board.address.partition(":")
        with socket.create_connection((host, int(port)), 20) as other:
            other.sendall(poll)
            assert len(other.recv(8, socket.MSG_WAITALL)) == 8
            check_device_error(words, capsys, "the board is in use by another client; wait until that has finished")
            other.sendall(poll)
            assert len(other.recv(8, socket.MSG_WAITALL)) == 8
        assert main(words) == 0
        board.stop()
    assert any(line.startswith("owner: client ") for line in board.lines)


@pytest.mark.parametrize("hardware", ["zynq", "fpgazynq"])
@pytest.mark.usefixtures("here")
def test_a_board_that_nobody_named(capsys: Out, hardware: str) -> None:
    assert main(["LOOPBACK", "--runners", "fqir,hw", "--hardware", hardware]) == 2
    err = capsys.readouterr().err
    assert "Say where the board is with --address HOST[:PORT]" in err
    assert "Traceback" not in err
    assert not Path("model_datas").exists()
    assert main(["LOOPBACK", "--runners", "fqir", "--hardware", hardware]) == 0  # no board is needed


@pytest.mark.slow
def test_a_link_that_is_cut_in_a_run_is_made_again(here: Path, capsys: Out) -> None:
    words = ["--n-frames", "200", "--no-verify"]
    with board_process(here, "--listen", "127.0.0.1:0", "--close-after-entries", "1000") as board:
        assert main(["LOOPBACK", *zynq(board, "hw,fqir"), *words]) == 0
        out, err = capsys.readouterr()
    assert "200 frames, bit-exact" in out
    assert "try 1 of 3" in err
    assert "the link is back, and the run goes on with frame" in err
    shutil.rmtree(here / "model_datas")
    with board_process(here, "--listen", "127.0.0.1:0", "--close-after-entries", "1000") as board:
        check_device_error(["LOOPBACK", *zynq(board, "hw,fqir"), *words, "--reconnect", "0"], capsys, "zynq 127.0.0.1:")


def test_a_board_that_goes_away(here: Path, capsys: Out) -> None:
    with board_process(here, "--listen", "127.0.0.1:0", "--close-after-entries", "300") as board:
        assert board.lines[1].startswith("faults: Faults(")
        once = ["--n-frames", "50", "--reconnect", "0"]
        check_device_error(["LOOPBACK", *zynq(board, "hw,fqir"), *once], capsys, "zynq 127.0.0.1:")
        assert main(["LOOPBACK", *zynq(board, "hw,fqir")]) == 0  # the fault acts once
    with board_process(here, "--listen", "127.0.0.1:0", "--split", "--delay", "0.3", "--delay-s", "0.01") as board:
        assert main(["LOOPBACK", *zynq(board, "hw,fqir"), "--n-frames", "5"]) == 0
    with board_process(here, "--listen", "127.0.0.1:0", "--corrupt", "0.2", "--seed", "3") as board:
        shutil.rmtree(here / "model_datas")
        capsys.readouterr()
        words = [*zynq(board, "hw,fqir"), "--n-frames", "50", "--timeout", "1"]
        check_device_error(["LOOPBACK", *words], capsys, "zynq 127.0.0.1:")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--listen", "a:b"], 2, "listen: must be HOST or HOST:PORT"),
        ([], 2, "one of the arguments --listen --redis is required"),
        (["--listen", "127.0.0.1:0", "--redis", "127.0.0.1"], 2, "not allowed with argument"),
        (["--listen", "127.0.0.1:0", "--hw-config", "none"], 2, "hw-config: must be one of spu001"),
        (["--listen", "127.0.0.1:0", "--keyring", "gone.toml"], 2, "gone.toml: the file must exist"),
        (["--listen", "127.0.0.1:0", "--drop", "2"], 2, "--drop: must be a share from 0 to 1, not '2'"),
        (["--redis", "127.0.0.1:1", "--split"], 2, "faults are for the TCP link"),
        (["--listen", "192.0.2.1:7"], 3, "board: cannot listen on 192.0.2.1:7"),
        (["--listen", "127.0.0.1:0", "--replay", "gone"], 1, "gone: must be a folder with 0PROG_A and 0PROG_D"),
    ],
)
@pytest.mark.usefixtures("here")
def test_boards_that_cannot_be_served(capsys: Out, words: list[str], status: int, sentence: str) -> None:
    assert main(["board", *words]) == status
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.parametrize("form", ["folder", "yaml"])
def test_a_program_that_was_loaded_before(here: Path, capsys: Out, form: str) -> None:
    """The board starts with the program of a recording, as from an SD card: a frame runs without loading."""
    assert main(["LOOPBACK"]) == 0
    capsys.readouterr()
    path = {"folder": "model_datas/LOOPBACK", "yaml": "model_datas/LOOPBACK/io_records/setup.yaml"}[form]
    with board_process(here, "--listen", "127.0.0.1:0", "--replay", path) as board:
        assert board.lines[1].startswith("replay: ")
        host, port = board.address.split(":")
        from femtodriver import CompiledData
        from femtodriver.device.session.frame_messages import input_messages, output_arrays
        from femtodriver.device.timeouts import Timeouts
        from femtodriver.device.zcu104.tcp_link import TcpLink

        info = CompiledData.read_from_files("model_datas/LOOPBACK/meta_from_femtodriver").info()
        with TcpLink(host, int(port), Timeouts(5, 5, 5)) as link:
            (message,) = input_messages({"x": np.arange(16)}, info.inputs)
            link.write("axis", 0, 0, len(message), message)
            words = link.read("axis", 0, 0, 10)
        assert output_arrays(words, info.outputs, "test")["%x.4"].tolist() == list(range(16))


@needs_redis
def test_through_a_redis_server(here: Path, capsys: Out, spotter: str) -> None:
    keys = keyring(here)
    model = two_in_two_out(here / "two.pt")
    with redis_here() as address, board_process(here, "--redis", address, "--keyring", keys) as board:
        assert board.address == address
        for words in (["LOOPBACK"], [spotter], [spotter, "--keyring", keys], [model, "--debug-vars", "all"]):
            hardware = ["--runners", "hw,fasmir,fqir", "--hardware", "redis", "--zynq-host", address, "--timeout", "20"]
            assert main([*words, *hardware]) == 0
            assert "hardware = fasmir = fqir, 8 frames, bit-exact" in capsys.readouterr().out
        assert board.stop() == 0
    assert board.lines[1].startswith(f"serving the redis protocol at {address} (--hardware redis")
    assert board.lines[-1] == "stopped"


def test_ctrl_c_while_the_board_works_ends_the_client_cleanly(here: Path, spotter: str) -> None:
    import subprocess

    with board_process(here, "--listen", "127.0.0.1:0") as board:
        words = [spotter, *zynq(board, "hw,fqir"), "--n-frames", "100000"]
        command = [sys.executable, "-u", "-m", "femtodriver", *words]
        client = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        waited = threading.Event()
        while not any(line.startswith("program: ") for line in board.lines) and client.poll() is None:
            waited.wait(0.05)
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=30)
        assert client.returncode == 130
        assert re.fullmatch("femtodrive: frames [0-9,]+ of 100,000, interrupted; what was done .* as such.\n", err), err
        assert (here / "model_datas" / "keyword_spotter" / "partial.yaml").is_file()
        assert main(["LOOPBACK", *zynq(board, "hw,fqir")]) == 0


def test_listing_boards_on_usb(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    monkeypatch.setitem(sys.modules, "hid", None)
    assert main(["--list-connected-devices"]) == 3
    err = capsys.readouterr().err
    assert "evk2: the Python package `hidapi` is not usable" in err
    assert "pip install 'open-femtodriver[hid]' brings it" in err
    rows = [
        {"serial_number": "42", "product_string": "SPU001", "path": b"p", "interface_number": 0},
        {"serial_number": "43", "product_string": "Teensy", "path": b"q", "interface_number": 0},
    ]
    monkeypatch.setitem(sys.modules, "hid", SimpleNamespace(device=None, enumerate=lambda *ids: rows))
    for words in (["--list-connected-devices"], ["--list_connected_hardware", "all"]):
        assert main(words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines == ["evk2  serial 42  SPU001  ready", "evk2  serial 43  Teensy  not flashed"]
    assert main(["--list-connected-devices", "spu150"]) == 0
    assert capsys.readouterr().out == "no EVK2 board with spu150 is connected over USB\n"


def test_help_of_the_board_loads_nothing_heavy(here: Path) -> None:
    import subprocess

    script = "import sys; from femtodriver.cli import main; main(['board', '--help'])\n"
    script += "print([name for name in ('numpy', 'yaml', 'femtodriver.driver') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=True)
    assert "--close-after-entries" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
