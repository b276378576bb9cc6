"""The rows of the boards: what follows from them, and that every row can be used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import devices_doc
import pytest

from femtodriver.device.addresses import lab_address
from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.boards import (
    BOARDS,
    DEFAULT_HARDWARE,
    address_help,
    board_like,
    hardware_help,
    timeout_help,
)
from femtodriver.device.link_request import LinkRequest, make_link
from femtodriver.device.spu_runner import make_runner
from femtodriver.device.transport import Transport
from femtodriver.device.virtual.rule_violations import KINDS
from femtodriver.errors import UsageError
from tests.device.networks import compiled

DOCUMENT = Path(__file__).parents[2] / "docs" / "devices.md"
ROOM = Path(__file__).parents[2] / "src" / "femtodriver" / "device"


@pytest.mark.parametrize("option", BOARDS)
def test_every_board_has_a_link(option: str) -> None:
    row = BOARDS[option]
    address = None if not row.address else "127.0.0.1:1" if "HOST" in row.address else "S1"
    link = make_link(row, LinkRequest(hardware=option, address=address))
    assert isinstance(link, Transport)
    assert not link.is_open
    assert link.is_fake == row.fake
    like = board_like(row.platform.name, row.fake, row.program_pll)
    assert (like.platform, like.fake, like.program_pll) == (row.platform, row.fake, row.program_pll)


def test_the_tables_of_the_document_follow_from_the_code() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert devices_doc.refreshed(text) == text, "renew it with: python tools/devices_doc.py"
    assert all(f"<!-- table: {name} -->" in text for name in devices_doc.TABLES)
    assert all(f"| `{option}` |" in text for option in BOARDS)


def test_the_document_tells_every_kind_of_violation() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in text] == []


def test_help_texts_name_every_board() -> None:
    for option, row in BOARDS.items():
        assert option in hardware_help()
        assert (option in address_help()) is bool(row.address)
    assert f"default {DEFAULT_HARDWARE}" in hardware_help()
    assert timeout_help() == "seconds to wait for each answer (default 20; redis 600)"


def test_help_texts_load_nothing_heavy() -> None:
    code = "import sys, femtodriver.device.boards\nprint([name for name in ('numpy', 'yaml') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_asks_for_a_platform_by_name() -> None:
    for path in ROOM.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "platform ==" not in text, path.name
        assert "platform.name ==" not in text or path.name == "boards.py", path.name
        assert "hardware ==" not in text, path.name


@pytest.mark.parametrize("option", ["zynq", "fpgazynq"])
def test_no_address_of_our_own_is_ever_dialled(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FS_HWTS_ZYNQ", raising=False)
    told = f"hardware {option}: must have an address, and none was given. Say where the board is with --address HOST"
    with pytest.raises(UsageError, match=told.replace(".", r"\.")):
        BoardSettings(hardware=option).check_reachable()
    runner = make_runner(compiled("identity"), option)
    with pytest.raises(UsageError, match=told.replace(".", r"\.")):
        runner.reset()
    runner.finish()
    BoardSettings(hardware=option, address="127.0.0.1").check_reachable()
    for other in ("evk2", "redis", "fakezynq"):
        BoardSettings(hardware=other).check_reachable()


def test_the_lab_is_for_those_who_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lab_address({}) is None
    assert lab_address({"FS_HWTS_ZYNQ": ""}) is None
    assert lab_address({"FS_HWTS_ZYNQ": "1"}) == "192.168.1.145"
    assert lab_address({"FS_HWTS_ZYNQ": "1", "FS_HW_CFG": "spu1p2v1.dat"}) == "192.168.1.64"
    monkeypatch.setenv("FS_HWTS_ZYNQ", "1")
    monkeypatch.delenv("FS_HW_CFG", raising=False)
    assert BoardSettings(hardware="zynq").reached_at == "192.168.1.145"
    assert BoardSettings(hardware="zynq", address="127.0.0.1").reached_at == "127.0.0.1"
