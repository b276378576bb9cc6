"""The bill of materials says what users get, in which versions, and who asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib is not installed; pip install '.[test]' brings it")
from bill_of_materials import OURS, bill_of_materials, check_schema, read_pins

from femtodriver import __version__

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = """\
# made by uv
numpy==1.0 ; python_full_version < '3.11'  # via soundlib, open-femtodriver (pyproject.toml)
numpy==2.0 ; python_full_version >= '3.11'  # via soundlib, open-femtodriver (pyproject.toml)
SoundLib==3.1             # via open-femtodriver (pyproject.toml)
helper==4.0               # via soundlib
pytest==9.0               # via open-femtodriver (pyproject.toml)
uv==1.0                   # via open-femtodriver (pyproject.toml:install)
"""
PROJECT = """\
[project]
description = "A toolchain."
license = "Apache-2.0"
dependencies = ["numpy>=1"]
optional-dependencies = { audio = ["soundlib[all]>=3; sys_platform == 'linux'"], test = ["pytest>=8", "soundlib"] }
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small project."""
    (tmp_path / "src" / "femtodriver").mkdir(parents=True)
    (tmp_path / "src" / "femtodriver" / "__init__.py").write_text('__version__ = "7.8"\n')
    (tmp_path / "constraints.txt").write_text(CONSTRAINTS)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def components(document: dict[str, Any]) -> dict[str, str]:
    return {f"{one['name']} {one.get('version')}": one["scope"] for one in document["components"]}


def test_what_users_get_is_there_and_what_developers_need_is_not(source: Path) -> None:
    document = json.loads(bill_of_materials(source, 0))
    assert components(document) == {
        "numpy 1.0": "required",
        "numpy 2.0": "required",
        "soundlib 3.1": "optional",
        "helper 4.0": "optional",
        "libstdc++ and libgcc None": "optional",
    }
    ours = document["metadata"]["component"]
    assert (ours["name"], ours["version"], ours["purl"]) == (OURS, "7.8", "pkg:pypi/open-femtodriver@7.8")
    assert ours["licenses"] == [{"expression": "Apache-2.0"}]
    conditions = {one["version"]: one["properties"] for one in document["components"] if one["name"] == "numpy"}
    assert conditions["1.0"] == [{"name": "open-femtodriver:condition", "value": 'python_full_version < "3.11"'}]


def test_the_graph_says_who_asks_for_what(source: Path) -> None:
    rows = json.loads(bill_of_materials(source, 0))["dependencies"]
    graph = {row["ref"]: set(row.get("dependsOn", ())) for row in rows}
    both = {"pkg:pypi/numpy@1.0", "pkg:pypi/numpy@2.0"}
    assert graph[OURS] == {"gcc-runtime", "pkg:pypi/soundlib@3.1", *both}
    assert graph["pkg:pypi/soundlib@3.1"] == {"pkg:pypi/helper@4.0", *both}


def test_the_same_files_give_the_same_bytes(source: Path) -> None:
    first = bill_of_materials(source, 1_700_000_000)
    assert bill_of_materials(source, 1_700_000_000) == first
    assert json.loads(first)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    (source / "constraints.txt").write_text(CONSTRAINTS.replace("4.0", "4.1"))
    assert json.loads(bill_of_materials(source, 0))["serialNumber"] != json.loads(first)["serialNumber"]


def test_ours_names_what_is_always_installed() -> None:
    document = bill_of_materials(ROOT, 0)
    found = json.loads(document)
    assert found["metadata"]["component"]["version"] == __version__
    needed = {one["name"] for one in found["components"] if one["scope"] == "required"}
    assert {"numpy", "pyyaml", "rich"} <= needed
    assert "hypothesis" not in {one["name"] for one in found["components"]}
    pins = {pin.name for pin in read_pins((ROOT / "constraints.txt").read_text("utf-8"))}
    assert needed < pins


def test_it_follows_the_schema(source: Path) -> None:
    pytest.importorskip("fqdn", reason="cyclonedx-python-lib[json-validation] is not installed; make release does it")
    document = bill_of_materials(source, 0)
    check_schema(document)
    with pytest.raises(ValueError, match="must follow the schema of CycloneDX"):
        check_schema(document.replace('"optional"', '"perhaps"'))
