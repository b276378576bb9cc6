"""Long audio and live audio through the command line, in processes of their own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.inputs.wav_bytes import simple

pytestmark = pytest.mark.slow

FRAME = 32
"""Bytes of a frame of LOOPBACK: 16 samples of 16 bits."""

PEAK = """
import sys
from femtodriver.cli import main
status = main()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, file=sys.stderr)
sys.exit(status)
"""


def start(*words: str, script: tuple[str, ...] = ("-m", "femtodriver")) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-u", *script, *words], stdin=pipe, stdout=pipe, stderr=pipe)


def taken(process: subprocess.Popen[bytes], count: int) -> bytes:
    """So many bytes of standard output; b"" if they do not come within a minute."""
    assert process.stdout is not None
    found = b""
    while len(found) < count and select.select([process.stdout], [], [], 60)[0]:
        found += os.read(process.stdout.fileno(), count - len(found))
    return found


def put(process: subprocess.Popen[bytes], content: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(content)
    process.stdin.flush()


@pytest.fixture
def live(here: Path) -> Iterator[subprocess.Popen[bytes]]:
    """LOOPBACK between two pipes."""
    process = start("LOOPBACK", "--runners", "fasmir", "--input-file", "-", "--output-file", "-")
    yield process
    process.kill()
    process.communicate()


def metrics() -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(Path("model_datas/LOOPBACK/metrics.yaml").read_text())
    return found


def test_a_frame_comes_out_before_the_next_goes_in(live: subprocess.Popen[bytes]) -> None:
    frames = [np.arange(16, dtype="<i2") + start for start in (0, 100, -7)]
    for frame in frames:
        put(live, frame.tobytes())
        assert taken(live, FRAME) == frame.tobytes()
    rest, told = live.communicate(b"\1\2\3", timeout=60)
    assert (live.returncode, rest) == (0, b"")
    assert b"note: standard input: the last 1 samples are not used; a frame takes 16\n" in told
    assert b"note: standard input: the last sample is cut off and not used\n" in told
    assert b"wrote to standard output: 48 samples, s16le\n" in told
    assert (metrics()["Frames Simulated"], metrics()["partial"]) == (3, None)


def test_ctrl_c_ends_a_live_run_that_waits(live: subprocess.Popen[bytes]) -> None:
    put(live, bytes(2 * FRAME + 5))
    assert taken(live, 2 * FRAME) == bytes(2 * FRAME)
    live.send_signal(signal.SIGINT)
    assert live.wait(timeout=30) == 130
    _, told = live.communicate()
    assert told.endswith(b"femtodrive: frames 2, interrupted; what was done so far was written as such.\n")
    assert metrics()["partial"] == {"frames": 2, "planned": None, "reason": "interrupted"}


def test_a_reader_that_goes_away_ends_a_live_run(live: subprocess.Popen[bytes]) -> None:
    assert live.stdout is not None
    live.stdout.close()
    put(live, bytes(FRAME))
    assert live.wait(timeout=60) == 141
    assert live.stderr is not None
    assert re.search(rb"femtodrive: frames 1, the reader of standard output has gone; [^\n]*\n$", live.stderr.read())


def test_a_full_disk_at_the_other_end_is_one_sentence(here: Path) -> None:
    words = [sys.executable, "-m", "femtodriver", "LOOPBACK", "--runners", "fasmir", "--output-file", "-"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("femtodrive: error: standard output: cannot be written: No space left on device.\n")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("shell", "sentence"),
    [
        ("</dev/null", "standard input: must have at least 16 samples, which make one frame of input"),
        ("0>nowhere", "standard input: cannot be read: Bad file descriptor."),
        ("<&-", "standard input: must be a pipe or a file, which it is not here."),
        ("<in.wav", "standard input: must be raw PCM, not a WAV file."),
    ],
)
def test_an_input_that_is_no_audio_is_one_sentence(here: Path, shell: str, sentence: str) -> None:
    Path("in.wav").write_bytes(simple(list(range(80))))
    command = f"{sys.executable} -m femtodriver LOOPBACK --runners fqir --input-file - {shell}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"femtodrive: error: {sentence}")
    assert not Path("model_datas").exists()


def test_a_pipe_may_be_measured_alone(here: Path) -> None:
    words = [sys.executable, "-m", "femtodriver", "LOOPBACK", "--runners", "fasmir", "--input-file", "-"]
    done = subprocess.run(words, input=bytes(5 * FRAME), capture_output=True, check=True)
    assert b"note: outputs: not written, because no place is given for those of a stream" in done.stdout
    assert metrics()["Frames Simulated"] == 5


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_run_leaves_a_whole_file_of_what_it_did(here: Path, name: str, status: int) -> None:
    Path("long.wav").write_bytes(simple(list(range(1000)) * 2000))
    words = ("LOOPBACK", "--runners", "fasmir", "--machine", "numpy", "--input-file", "long.wav")
    running = start(*words, "--output-wav", "out.wav")
    try:
        assert running.stdout is not None
        assert any(b"input period" in line for line in running.stdout)
        while not any(path.stat().st_size > 10_000 for path in here.glob(".out.wav.*")):
            assert running.poll() is None
        running.send_signal(getattr(signal, name))
        _, told = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == status
    found = re.search(rb"^femtodrive: frames ([0-9,]+) of 125,000, ", told)
    assert found is not None, told
    done = int(found[1].replace(b",", b""))
    with wave.open("out.wav") as file:
        assert file.getnframes() == 16 * done
        samples = np.frombuffer(file.readframes(16 * done), "<i2")
    assert samples.tolist() == (list(range(1000)) * 2000)[: 16 * done]
    assert metrics()["Frames Simulated"] == done
    assert sorted(path.name for path in here.iterdir()) == ["long.wav", "model_datas", "out.wav"]


def test_memory_does_not_grow_with_the_audio(here: Path) -> None:
    peaks = []
    for frames in (100, 112_500):
        with wave.open("in.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(1000)
            file.writeframes(np.arange(16 * frames, dtype=np.uint16).tobytes())
        words = ("LOOPBACK", "--runners", "fasmir", "--input-file", "in.wav", "--output-wav", "out.wav")
        running = start(*words, script=("-c", PEAK))
        _, told = running.communicate(timeout=120)
        assert running.returncode == 0, told
        peaks.append(int(told))
        assert Path("out.wav").read_bytes() == Path("in.wav").read_bytes()
    assert peaks[1] <= min(300, peaks[0] + 10)


def test_progress_of_a_stream_is_shown_on_the_terminal_alone(here: Path) -> None:
    slow = "import time; c = iter(range(10 ** 9)); time.monotonic = lambda: float(next(c))"
    script = f"import sys\nfrom femtodriver.cli import main\n{slow}\nsys.exit(main())"
    Path("in.wav").write_bytes(simple(list(range(16 * 9))))
    ours, theirs = os.openpty()
    words = ("LOOPBACK", "--runners", "fqir", "--input-file", "in.wav", "--output-file", "-")
    running = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    out, _ = running.communicate(timeout=60)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # the other end is closed
        os.close(ours)
    assert out == np.arange(16 * 9, dtype="<i2").tobytes()
    assert b"frame 5 of 9" in shown


def test_a_closed_standard_output_is_refused(here: Path) -> None:
    command = [sys.executable, "-m", "femtodriver", "LOOPBACK", "--runners", "fqir", "--output-file", "-"]
    run = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, check=False)
    assert run.returncode == 2
    assert run.stderr.endswith(b"output_file: standard output must be a pipe or a file, which it is not here.\n")
