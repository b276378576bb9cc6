"""``femtodrive inspect`` and ``femtodrive disasm``, and that their names do not get in the way."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from femtodriver.cli import main
from femtodriver.cli.main_options import EXAMPLES, build_parser
from femtodriver.cli.subcommands import SUBCOMMANDS, listing

Out = pytest.CaptureFixture[str]
FEMTO = "model_datas/LOOPBACK/io_records/LOOPBACK.femto"
# Modules of ours that a help text may load: the options, the boards and the runners by name.
MOST_MODULES = 38


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def keys(here: Path) -> str:
    path = here / "keys.toml"
    path.write_text(f'3 = "{"5a" * 16}"\n')
    path.chmod(0o600)
    return path.name


@pytest.mark.usefixtures("here")
def test_inspect_in_both_forms(capsys: Out) -> None:
    assert main(["LOOPBACK"]) == 0
    capsys.readouterr()
    assert main(["inspect", FEMTO]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[:5] == [
        FEMTO,
        "  kind       femto",
        f"  bytes      {Path(FEMTO).stat().st_size}",
        "  origin     open-spu",
        "  encrypted  no",
    ]
    assert main(["inspect", "--json", FEMTO]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["kind"], document["encrypted"], document["sound"]) == (1, "femto", False, True)


@pytest.mark.usefixtures("here")
def test_a_damaged_file_gives_1_and_is_still_shown(capsys: Out) -> None:
    Path("x.femto").write_bytes(b"f3mt0\x01\x00\x01")
    assert main(["inspect", "x.femto"]) == 1
    out, err = capsys.readouterr()
    assert (out.splitlines()[-1].startswith("  error: offset "), err) == (True, "")
    assert main(["inspect", "x.femto", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["sound"] is False


@pytest.mark.usefixtures("here")
def test_disasm_in_both_forms(capsys: Out) -> None:
    assert main(["LOOPBACK"]) == 0
    capsys.readouterr()
    for model in (FEMTO, "model_datas/LOOPBACK"):
        assert main(["disasm", model]) == 0
        assert "recv length=4" in capsys.readouterr().out
    assert main(["disasm", "--json", FEMTO]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cores"][0]["instructions"][0]["text"] == "recv length=4"


@pytest.mark.usefixtures("here")
def test_encrypted_programs(capsys: Out, keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["LOOPBACK", "--keyring", keys, "--runners", "fqir,fasmir"]) == 0
    out = capsys.readouterr().out
    assert "fqir = fasmir, 8 frames, bit-exact" in out
    assert "bytes, encrypted with key 3)" in out
    assert main(["inspect", FEMTO]) == 0
    assert "encrypted  yes" in capsys.readouterr().out
    for words in (["disasm", FEMTO], [FEMTO, "--runners", "fasmir"]):
        assert main(words) == 1
        assert f"{FEMTO}: is encrypted, so its key (index 3) must be in a keyring" in capsys.readouterr().err
        assert main([*words, "--keyring", keys]) == 0
    monkeypatch.setenv("FS_KEYRING", keys)
    assert main(["disasm", FEMTO]) == 0
    capsys.readouterr()
    assert main([FEMTO, "--runners", "fasmir", "--output_dir", "again", "--noencrypt"]) == 0
    assert "encrypted with" not in capsys.readouterr().out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["inspect"], 2, "the following arguments are required: FILE"),
        (["disasm"], 2, "the following arguments are required: FILE"),
        (
            ["evaluate", "LOOPBACK", "--inputs", "a.wav", "b.wav"],
            2,
            "unrecognized arguments: b.wav; put names with spaces, and patterns such as '*.wav', in quotes; ",
        ),
        (
            ["run", "LOOPBACK"],
            2,
            "unrecognized arguments: LOOPBACK; the model is the first word, and the only one; put names with spaces, ",
        ),
        (["inspect", "a", "--json", "--b"], 2, "unrecognized arguments: --b; femtodrive inspect --help says more."),
        (["inspect", "gone.femto"], 1, "gone.femto: the file must exist"),
        (["disasm", "gone.femto"], 1, "gone.femto: the file must exist"),
        (["disasm", "LOOPBACK"], 2, "LOOPBACK: must be a compiled program (.femto, .zip or a folder), not a network"),
        (["LOOPBACK", "--encryption-key-index", "3"], 2, "must come with a keyring; give its file with --keyring"),
        (["LOOPBACK", "--encryption-key-index", "x"], 2, "--encryption-key-index: must be in 0...31, not 'x'"),
        (["LOOPBACK", "--keyring", "gone.toml"], 2, "keyring: gone.toml: the file must exist"),
    ],
)
def test_wrong_words(capsys: Out, words: list[str], status: int, sentence: str) -> None:
    assert main(words) == status
    err = capsys.readouterr().err
    assert sentence in err
    assert err.splitlines()[-1].startswith("femtodrive")
    assert "Traceback" not in err


@pytest.mark.usefixtures("here")
def test_debug_works_with_subcommands(capsys: Out) -> None:
    assert main(["inspect", "--debug", "gone.zip"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_a_model_may_be_called_as_a_subcommand(capsys: Out) -> None:
    assert main(["LOOPBACK"]) == 0
    os.rename("model_datas/LOOPBACK", "inspect")
    capsys.readouterr()
    assert main(["./inspect"]) == 0
    assert capsys.readouterr().out.startswith("inspect: compiled program, 7 instruction words")
    assert main(["inspect", "inspect"]) == 0
    assert "directory" in capsys.readouterr().out
    assert main(["--n-frames", "2", "inspect"]) == 0  # only the first word counts
    assert capsys.readouterr().out.startswith("inspect: compiled program")


def test_every_subcommand_is_in_the_help(capsys: Out) -> None:
    assert {"inspect", "disasm"} <= set(SUBCOMMANDS)
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert listing() in text
    for name, row in SUBCOMMANDS.items():
        assert main([name, "--help"]) == 0
        assert f"usage: femtodrive {name}" in capsys.readouterr().out
        assert row.name == name


def test_help_loads_few_modules_and_nothing_heavy(here: Path) -> None:
    """How long it takes follows from that; ``benchmarks/startup.py`` measures it."""
    for words in (["--help"], ["inspect", "--help"], ["disasm", "--help"]):
        script = f"import sys; from femtodriver.cli import main; main({words!r})\n"
        script += "ours = [name for name in sys.modules if name.startswith('femtodriver')]\n"
        script += "heavy = [name for name in ('numpy', 'yaml', 'femtodriver.driver') if name in sys.modules]\n"
        script += f"print(heavy, len(ours) <= {MOST_MODULES})"
        done = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[] True"


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_the_reader_may_stop_reading(here: Path) -> None:
    assert main(["LOOPBACK"]) == 0
    command = f"{sys.executable} -m femtodriver inspect --json {FEMTO} | head -1"
    done = subprocess.run(command, shell=True, cwd=here, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


COMMANDS = {"": (build_parser(), EXAMPLES), **{n: (r.parser(), r.command.examples) for n, r in SUBCOMMANDS.items()}}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_that_the_command_takes(name: str) -> None:
    parser, examples = COMMANDS[name]
    assert (parser.epilog or "").split("\n\nexamples\n")[1].splitlines() == [f"  {line}" for line in examples]
    for example in examples:
        program, *words = shlex.split(example.partition("   (")[0].partition(" > ")[0])
        assert program == "femtodrive"
        taken = COMMANDS.get(words[0], COMMANDS[""])[0]
        taken.parse_args(words if taken is COMMANDS[""][0] else words[1:])
    assert any(example.startswith(f"femtodrive {name}".rstrip()) for example in examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_into_a_line_of_120(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert [line for line in COMMANDS[name][0].format_help().splitlines() if len(line) > 120] == []
