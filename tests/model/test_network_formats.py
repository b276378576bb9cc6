"""The table of network formats: every row has a reader, and is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.cli.main_options import build_parser
from femtodriver.errors import ModelError, UsageError
from femtodriver.inspection import inspect_file
from femtodriver.model.load_model import load_source
from femtodriver.model.network_formats import NETWORK_FORMATS
from femtodriver.tflite.rescaling import TFLITE, XNNPACK
from tests.options.stored_tflite import small_model

PAGE = Path(__file__).resolve().parents[2] / "docs" / "inspect.md"


@pytest.mark.parametrize("ending", NETWORK_FORMATS)
def test_every_format_can_be_read_and_refuses_what_it_does_not_understand(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{ending.upper()}"
    path.write_bytes(b"no network at all")
    with pytest.raises(ModelError, match="net"):
        NETWORK_FORMATS[ending].reader(path)
    with pytest.raises(ModelError, match="net"):
        load_source(path)
    report = inspect_file(path)
    assert report.kind in ("network", ending[1:])
    assert not report.sound


@pytest.mark.parametrize("ending", NETWORK_FORMATS)
def test_every_format_is_documented(ending: str) -> None:
    kinds = tuple(f"| `{kind}` | `." for kind in ("network", ending[1:]))
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(kinds)]
    assert any(f"`{ending}`" in row for row in rows), "docs/inspect.md must name the ending in its table of kinds"
    assert ending in build_parser().format_help()


def test_an_ending_that_is_none_of_ours_is_refused_with_all_that_are(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"must be LOOPBACK, a file that ends in .*not a file that ends in '\.odd'"
    ) as odd:
        load_source(tmp_path / "net.odd")
    assert all(ending in str(odd.value) for ending in NETWORK_FORMATS)


def test_rounding_is_chosen_for_formats_that_have_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(small_model())
    assert NETWORK_FORMATS[".tflite"].requantize == (TFLITE, XNNPACK)
    modes = []
    for given in (None, TFLITE, XNNPACK):
        source = load_source(path, requantize=given)
        assert source.network is not None
        modes.append((source.requantize, [node.constants.get("mode") for node in source.network.frame.nodes]))
    assert [mode for mode, _ in modes] == [TFLITE, TFLITE, XNNPACK]
    assert modes[0][1] == modes[1][1]
    assert ("double" in modes[1][1], "single" in modes[2][1]) == (True, True)
    with pytest.raises(UsageError, match=r"requantize: the model must be a file that ends in \.tflite, not LOOPBACK"):
        load_source("LOOPBACK", requantize=TFLITE)
