"""Part files: what is read, and what is refused with which reason."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from femtodriver.errors import UsageError
from femtodriver.part import Part, load_part, part_names


def write(path: Path, **changes: object) -> Path:
    """A part file: ``spu001`` with some entries changed, or left out where the value is None."""
    part = load_part("spu001")
    entries: dict[str, object] = {entry.name: getattr(part, entry.name) for entry in fields(Part)}
    del entries["sha256"]
    entries.update(changes)
    lines = (f"{name} = {value!r}" for name, value in entries.items() if value is not None)
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_file_of_the_users_is_read(tmp_path: Path) -> None:
    own = load_part(write(tmp_path / "own.toml", name="own", im_words=100, clock_hz=5))
    assert own == replace(load_part(), name="own", im_words=100, clock_hz=5.0, sha256=own.sha256)
    assert len(own.sha256) == 64
    assert own.sha256 != load_part().sha256


def test_sizes_follow_from_the_entries() -> None:
    part = load_part("spu001")
    assert part.dm_words == 65536
    assert part.dm_bytes == 524288
    assert part.link_word_s == pytest.approx(320e-9)  # 64 bits by 4 lines at 50 MHz


@pytest.mark.parametrize("name", part_names())
def test_the_parts_that_we_ship_are_legal_and_named_like_their_files(name: str) -> None:
    assert load_part(name).name == name, f"src/femtodriver/part/parts/{name}.toml must be named as its part"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cores": 17}, "cores must be at most 16, not 17, because instructions have 4 bits for the number of a core."),
        (
            {"dm_banks": 10},
            "dm_banks must be at most 8, not 10, because the memory map of program files has 8 data banks per core.",
        ),
        (
            {"dm_bank_words": 8193},
            "dm_bank_words must be at most 8192, not 8193, because the memory map of program files has 65,536 bytes "
            "for a data bank.",
        ),
        (
            {"tm_bank_words": 2049},
            "tm_bank_words must be at most 2048, not 2049, because instructions have 11 bits for a row of a table "
            "bank.",
        ),
        (
            {"im_words": 8192},
            "im_words must be at most 4096, not 8192, because the memory map of program files has 32,768 bytes for the "
            "instruction memory of a core.",
        ),
        (
            {"threads": 65},
            "threads must be at most 64, not 65, because instructions have 6 bits for the number of a thread.",
        ),
        (
            {"acc_rows": 129},
            "acc_rows must be at most 128, not 129, because instructions have 7 bits for an accumulator row.",
        ),
        (
            {"message_latency": 1 << 63},
            "message_latency must be at most 2147483647, not 9223372036854775808, because simulators count the cycles "
            "and words of a frame in 64 bits.",
        ),
        (
            {"voltage_v": 1e300},
            "voltage_v must be at most 5, not 1e+300, because it is the voltage of the core's transistors.",
        ),
        ({"lanes": 4}, "lanes must be 8, not 4, because weights are stored in groups of that size."),
        ({"link_kind": "sure"}, "link_kind must be one of measured, computed, assumed, not 'sure'."),
        ({"dm_banks": 3}, "dm_banks must be even, not 3, because banks work in pairs."),
        (
            {"tm_banks": 2},
            "tm_banks must be 4, not 2, because the compiler spreads the copies of a table over that many.",
        ),
        ({"cores": 0}, "cores must be a positive number, not 0."),
        ({"cores": 1.5}, "cores must be a whole number, not 1.5."),
        ({"name": 5}, "name must be text, not 5."),
        ({"cores": None}, "entry 'cores' is missing; copy it from a shipped part file."),
    ],
)
def test_what_is_refused_and_why(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    path = write(tmp_path / "own.toml", **changes)
    with pytest.raises(UsageError) as refused:
        load_part(path)
    assert str(refused.value) == f"{path}: {sentence}"


def test_an_entry_that_no_part_has_is_refused_with_those_that_it_could_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"own\.toml: unknown entry 'coers'; the entries are name, cores, "):
        load_part(write(tmp_path / "own.toml", coers=2))


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"cores = \xff")
    with pytest.raises(UsageError, match="must be TOML"):
        load_part(path)
    path.write_text("cores =", "utf-8")
    with pytest.raises(UsageError, match="must be TOML"):
        load_part(path)


def test_a_file_that_is_not_there_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: the file must exist"):
        load_part(tmp_path / "none.toml")
    known = ", ".join(part_names())
    with pytest.raises(UsageError, match=rf"must be one of {known}, or a path to a \.toml file, not 'spu2'"):
        load_part("spu2")
