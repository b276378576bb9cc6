"""Encryption through the facade: what is written, what runs, what is refused; and no key anywhere."""

from __future__ import annotations

import io
import json
import logging
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import CompiledData, Femtodriver, FemtoFile
from femtodriver.errors import FemtoError, ProgramError, UsageError
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.program.encryption.program_cipher import decrypt_program
from femtodriver.program.encryption.word_cipher import WordCipher

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
KEYS = {0: "0f1e2d3c4b5a69788796a5b4c3d2e1f7", 7: "c0ffee" * 10 + "abcd"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with keyrings in a folder beside it; no settings from outside."""
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT"):
        monkeypatch.delenv(name, raising=False)
    for name, keys in (
        ("keys", KEYS),
        ("wrong", {index: key[::-1] for index, key in KEYS.items()}),
        ("seven", {7: KEYS[7]}),
    ):
        path = tmp_path / "secret" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f'{index} = "{key}"\n' for index, key in keys.items()))
        path.chmod(0o600)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def ring(name: str = "keys") -> str:
    return f"../secret/{name}.toml"


def driver(**options: Any) -> Femtodriver:
    return Femtodriver(keyring=ring(), **options)


def agree(fd: Femtodriver) -> bool:
    inputs = fd.generate_audio_inputs(n_frames=3)
    return bool(fd.compare(inputs, "fqir,fmir,fasmir")["pass"])


def outputs(fd: Femtodriver) -> dict[str, np.ndarray]:
    result, _ = fd.simulate(fd.generate_audio_inputs(n_frames=3, seed=5))
    return dict(result["outputs"]["fasmir"])


def test_with_a_keyring_everything_written_is_encrypted() -> None:
    with driver() as fd:
        meta_dir, femto, _ = fd.compile(SPOTTER)
        assert agree(fd)
        metadata = yaml.safe_load(Path(meta_dir, "metadata.yaml").read_text())
        assert (metadata["encrypted"], metadata["encryption_key_index"]) == (True, 0)
        assert fd.compiled_data is not None
        assert fd.compiled_data.metadata["encrypted"] is True
        file = FemtoFile.import_file(femto)
        assert file.spu.key_index == 0
        salt = metadata["encryption_key_salt"]
        assert json.loads(file.model.user_data)["encryption"]["salt"] == f"{salt:016x}"
        registers = Path("model_datas/keyword_spotter/io_records/apb_records/0PROG_D").read_text().split()[:5]
        assert registers == ["00000000", *(f"{salt >> 16 * part & 0xFFFF:08x}" for part in range(4))]
        again = decrypt_program(CompiledData.read_from_files(meta_dir), Keyring.load(ring()))
        plain = Femtodriver().load_model(SPOTTER)
        assert plain[1] is not None
    with Femtodriver() as fd:
        fd.compile(SPOTTER, output_dir="plain")
        assert fd.compiled_data is not None
        assert fd.compiled_data.metadata == again.metadata
        for core, memories in fd.compiled_data.mems_per_core.items():
            for memory in memories:
                assert np.array_equal(fd.compiled_data.image(core, memory), again.image(core, memory))


@pytest.mark.parametrize("form", ["femto", "zip", "folder"])
def test_every_form_runs_with_its_key_and_stays_as_it_is(form: str) -> None:
    with driver(encryption_key_index=7) as fd:
        _, femto, _ = fd.compile(SPOTTER, output_dir="first")
        wanted = outputs(fd)
        assert fd.compiled_data is not None
        fd.compiled_data.to_zip_file("program.zip")
        stored = fd.compiled_data
    model = {"femto": femto, "zip": "program.zip", "folder": "first/keyword_spotter"}[form]
    with driver() as fd:
        fd.compile(model, model_name="again", output_dir="second")
        found = outputs(fd)
        assert all(np.array_equal(found[name], rows) for name, rows in wanted.items())
        assert fd.compiled_data is not None
        assert fd.compiled_data.metadata["encryption_key_salt"] == stored.metadata["encryption_key_salt"]
        assert np.array_equal(fd.compiled_data.image(0, "IM"), stored.image(0, "IM"))
    if form == "femto":
        assert Path("second/again/io_records/again.femto").read_bytes() == Path(femto).read_bytes()


@pytest.mark.parametrize("model", ["femto", "folder"])
def test_without_the_key_it_converts_and_does_not_run(model: str) -> None:
    _, femto, _ = driver(encryption_key_index=7).compile("LOOPBACK", output_dir="first")
    path = femto if model == "femto" else "first/LOOPBACK"
    (Path("../secret") / "zero.toml").write_text(f'0 = "{KEYS[0]}"')
    for fd in (Femtodriver(), Femtodriver(keyring=ring("zero"))):
        fd.compile(path, output_dir="second")
        inputs = fd.generate_audio_inputs()
        for method, arguments in (("simulate", (inputs, 0.016)), ("create_runner", ("fasmir",))):
            with pytest.raises(ProgramError, match=r"is encrypted, so its key \(index 7\) must be in a keyring"):
                getattr(fd, method)(*arguments)
        with pytest.raises(ProgramError, match="give its file with --keyring"):
            fd.run(path, runners="fasmir", output_dir="third")
    assert not Path("third").exists()


def test_a_wrong_key_is_detected_before_anything_is_written() -> None:
    _, femto, _ = driver().compile("LOOPBACK", output_dir="first")
    for call in ("compile", "run"):
        with pytest.raises(ProgramError, match=r"LOOPBACK\.femto: encryption: key 0 .* the program is not run"):
            getattr(Femtodriver(keyring=ring("wrong")), call)(femto, output_dir="second")
    assert not Path("second").exists()


@pytest.mark.slow
def test_a_flipped_bit_anywhere_in_the_container_is_detected() -> None:
    """Pages, vectors, user data: a flipped bit never runs and never gives other outputs."""
    _, femto, _ = driver().compile("LOOPBACK", output_dir="first")
    content = Path(femto).read_bytes()
    used = np.flatnonzero(np.frombuffer(content, np.uint8) != 0xFF)  # the rest is filler
    rng = np.random.default_rng(1)
    fd = driver()
    fd.compile(femto, output_dir="second")
    wanted = outputs(fd)
    refused = 0
    for place in rng.choice(used, 100, replace=False).tolist():
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        Path("changed.femto").write_bytes(changed)
        try:
            fd.compile("changed.femto", output_dir="third")
            found = outputs(fd)
        except FemtoError:
            refused += 1
            continue
        # Only names, versions and filler are left over, and they change nothing.
        assert all(np.array_equal(found[name], rows) for name, rows in wanted.items())
    assert refused >= 60


def test_noencrypt_writes_plain_programs() -> None:
    with driver() as fd:
        _, femto, _ = fd.compile("LOOPBACK", noencrypt=True, output_dir="first")
        assert FemtoFile.import_file(femto).spu.key_index == 32
        _, secret, _ = fd.compile("LOOPBACK", output_dir="second")
        _, again, _ = fd.compile(secret, noencrypt=True, output_dir="third")
        assert FemtoFile.import_file(again).spu.key_index == 32
        assert Femtodriver().compile(again, output_dir="fourth")
        plain, opened = FemtoFile.import_file(femto), FemtoFile.import_file(again)
        assert plain.banks.keys() == opened.banks.keys()
        assert all(np.array_equal(plain.banks[place], opened.banks[place]) for place in plain.banks)
        assert "encryption" not in json.loads(opened.model.user_data)
    with pytest.raises(ProgramError, match="Without it, leave out --noencrypt"):
        Femtodriver().compile(secret, noencrypt=True)


def test_a_plain_container_becomes_an_encrypted_one() -> None:
    _, femto, _ = Femtodriver().compile("LOOPBACK", output_dir="first")
    with driver() as fd:
        _, secret, _ = fd.compile(femto, output_dir="second")
        assert FemtoFile.import_file(secret).spu.key_index == 0
        assert FemtoFile.import_file(secret).model.name == "LOOPBACK"
        outputs(fd)


def test_index_and_salt_come_from_argument_environment_or_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(**options: Any) -> tuple[int, int]:
        with driver(**options) as fd:
            fd.compile("LOOPBACK")
            assert fd.compiled_data is not None
            found = fd.compiled_data.metadata
            return found["encryption_key_index"], found["encryption_key_salt"]

    first, second = compiled(), compiled()
    assert first[0] == second[0] == 0
    assert first[1] != second[1]
    monkeypatch.setenv("FS_ENCRYPTION_KEY_IDX", "7")
    monkeypatch.setenv("FS_ENCRYPTION_SALT", "00ff00ff00ff00ff")
    assert compiled() == (7, 0x00FF00FF00FF00FF)
    assert compiled(encryption_key_index=0, encryption_salt=5) == (0, 5)
    monkeypatch.setenv("FS_ENCRYPTION_KEY_IDX", "")
    assert Femtodriver(keyring=ring("seven")).compile("LOOPBACK")
    assert FemtoFile.import_file("model_datas/LOOPBACK/io_records/LOOPBACK.femto").spu.key_index == 7


def test_the_same_salt_gives_the_same_bytes() -> None:
    for folder in ("first", "second"):
        driver(encryption_salt=3).compile("LOOPBACK", output_dir=folder)
    files = sorted(path.relative_to("first") for path in Path("first").rglob("*") if path.is_file())
    assert len(files) > 8
    for path in files:
        assert Path("first", path).read_bytes() == Path("second", path).read_bytes()


def test_the_keyring_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FS_KEYRING", ring())
    _, femto, _ = Femtodriver().compile("LOOPBACK")
    assert FemtoFile.import_file(femto).spu.key_index == 0
    assert Femtodriver(keyring=Keyring({9: bytes(16)})).compile("LOOPBACK")
    assert FemtoFile.import_file(femto).spu.key_index == 9


@pytest.mark.parametrize(
    ("options", "environment", "sentence"),
    [
        ({"keyring": None, "encryption_key_index": 3}, {}, "must come with a keyring; give its file with --keyring"),
        ({"encryption_key_index": 3}, {}, r"must be one of .*keys\.toml \(0, 7\), not 3"),
        ({"encryption_key_index": 32}, {}, r"encryption_key_index: must be in 0\.\.\.31, not 32"),
        ({"encryption_key_index": "x"}, {}, r"must be in 0\.\.\.31, not 'x'"),
        ({"encryption_salt": 1 << 64}, {}, "encryption_salt: must be a number in 0"),
        ({"keyring": "gone.toml"}, {}, r"gone\.toml: the file must exist"),
        ({}, {"FS_ENCRYPTION_KEY_IDX": "x"}, r"FS_ENCRYPTION_KEY_IDX: must be a decimal number in 0\.\.\.31, not 'x'"),
        ({}, {"FS_ENCRYPTION_KEY_IDX": "32"}, r"must be a decimal number in 0\.\.\.31, not '32'"),
        ({}, {"FS_ENCRYPTION_KEY_IDX": "5"}, "not 5"),
        ({}, {"FS_ENCRYPTION_SALT": "1" * 17}, "must be a hexadecimal number below"),
        ({}, {"FS_KEYRING": "gone.toml", "no keyring": ""}, r"gone\.toml: the file must exist"),
    ],
)
def test_wrong_settings_are_refused(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], environment: dict[str, str], sentence: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    keyring = {} if "no keyring" in environment else {"keyring": ring()}
    with pytest.raises(UsageError, match=sentence):
        Femtodriver(**{**keyring, **options}).compile("LOOPBACK")
    assert list(Path().iterdir()) == []


def test_an_encrypted_program_keeps_its_key() -> None:
    _, femto, _ = driver().compile("LOOPBACK")
    with pytest.raises(UsageError, match=r"must be 0, by which .* is encrypted already"):
        driver(encryption_key_index=7).compile(femto)


@pytest.mark.parametrize(
    "changes", [{"encrypted": False}, {"encryption": None}, {"encryption": {"scheme": "open-spu-cipher/2"}}]
)
def test_programs_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    meta_dir, _, _ = driver().compile("LOOPBACK")
    path = Path(meta_dir, "metadata.yaml")
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))
    with pytest.raises(ProgramError, match="must say encrypted: true and name our scheme"):
        driver().compile("model_datas/LOOPBACK", output_dir="second")


def traces(key: str) -> list[bytes]:
    """A key in every form in which it could slip out, and what is derived from it."""
    raw = bytes.fromhex(key)
    derived = [bytes(getattr(WordCipher(raw, 0), name).key) for name in ("_words", "_tags")]
    found = []
    for secret in (raw, *derived):
        for order in (
            secret,
            secret[::-1],
            *(np.frombuffer(secret, f"<u{size}").byteswap().tobytes() for size in (4, 8)),
        ):
            found += [order, order[:8], order.hex().encode(), order.hex().upper().encode(), order.hex().encode()[:16]]
            found += [str(int.from_bytes(order, "little")).encode(), repr(order).encode()]
    return found


@pytest.mark.slow
def test_no_key_is_ever_written_logged_or_shown(
    place: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from femtodriver.cli import main

    caplog.set_level(logging.DEBUG)
    words = ["--keyring", ring(), "--debug", "--dump-ir", "stages"]
    statuses = [
        main([str(SPOTTER), *words, "--runners", "fqir,fasmir", "--encryption-key-index", str(index)]) for index in KEYS
    ]
    femto = "model_datas/keyword_spotter/io_records/keyword_spotter.femto"
    statuses += [main([femto, *words, "--runners", "fasmir", "--output-dir", "again"])]
    statuses += [
        main([femto, "--keyring", ring("wrong"), "--debug"]),
        main(["inspect", femto]),
        main(["inspect", ring()]),
    ]
    statuses += [main(["disasm", femto, "--keyring", ring(), "--json"])]
    assert statuses == [0, 0, 0, 1, 0, 2, 0]
    CompiledData.read_from_files("model_datas/keyword_spotter/meta_from_femtodriver").to_zip_file("p.zip")
    told = "".join(capfd.readouterr()) + caplog.text
    contents = {"what was shown": told.encode()}
    for path in place.rglob("*"):
        if path.is_file() and path.parent != place / "secret":
            contents[str(path)] = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(contents[str(place / "here" / "p.zip")])) as archive:
        contents.update({f"p.zip: {name}": archive.read(name) for name in archive.namelist()})
    assert len(contents) > 20
    for key in KEYS.values():
        for trace in traces(key):
            assert [name for name, content in contents.items() if trace in content] == []
    assert traces(KEYS[0])[0] == bytes.fromhex(KEYS[0])
    assert os.path.getsize(femto) > 1000
