"""What an installation of ours consists of, as a CycloneDX document: the packages of constraints.txt that users get.

    python tools/bill_of_materials.py > open-femtodriver.cdx.json

Versions and the graph of dependencies come from constraints.txt, names of ours and of the extras from pyproject.toml.
Packages that we always need have the scope "required", those of extras "optional"; what only our tests, documents and
builds need is left out. Where Pythons or systems get different versions of a package, each is there with its condition.
The same files give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from femtodriver.diagnosis.diagnose import FOR_DEVELOPERS
from femtodriver.errors import ProgramError
from femtodriver.files.plain_toml import load_toml

ROOT = Path(__file__).resolve().parents[1]
OURS = "open-femtodriver"
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.M)
# Linked into the libraries of the native loop (see ALONE in hatch_build.py), in whatever version the compiler brings.
GCC_RUNTIME = ("libstdc++ and libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1")


@dataclass(frozen=True)
class Pin:
    """A line of constraints.txt. ``marker``: the condition, "" for none; ``parents``: who asks for the package."""

    name: str
    version: str
    marker: str
    parents: frozenset[str]

    @property
    def purl(self) -> PackageURL:
        """How package indexes name it."""
        return PackageURL("pypi", name=self.name, version=self.version)


def bill_of_materials(source: Path, made_at: int) -> str:
    """The document for the sources in a folder, as JSON. ``made_at``: seconds since 1970."""
    constraints = (source / "constraints.txt").read_text("utf-8")
    project = load_toml((source / "pyproject.toml").read_bytes(), "pyproject.toml", ProgramError)["project"]
    version = _VERSION.findall((source / "src" / "femtodriver" / "__init__.py").read_text("utf-8"))[0]
    pins = sorted(read_pins(constraints), key=lambda pin: (pin.name, pin.version))
    made = datetime.fromtimestamp(made_at, timezone.utc)
    document: str = JsonV1Dot6(_bom(version, project, pins, constraints, made)).output_as_string(indent=2)
    return f"{document}\n"


def check_schema(document: str) -> None:
    """ValueError where the document is none of CycloneDX 1.6, as its schema has it."""
    trouble = JsonStrictValidator(SchemaVersion.V1_6).validate_str(document)
    if trouble is not None:
        raise ValueError(f"bill of materials: must follow the schema of CycloneDX 1.6: {trouble}")


def read_pins(constraints: str) -> Iterator[Pin]:
    """The lines of a constraints file that uv wrote with ``--annotation-style line``."""
    for line in constraints.splitlines():
        if line.strip() and not line.startswith("#"):
            text, _, parents = line.partition("# via ")
            wanted = Requirement(text.strip())
            (specifier,) = wanted.specifier
            names = frozenset(_name(parent) for parent in parents.split(","))
            yield Pin(canonicalize_name(wanted.name), specifier.version, str(wanted.marker or ""), names)


def scopes(project: Mapping[str, Any], pins: Iterable[Pin]) -> dict[str, ComponentScope]:
    """The scope of each package that users get, by its name."""
    pins = list(pins)
    needed, optional = _direct(project)
    found = dict.fromkeys(_below(optional, pins), ComponentScope.OPTIONAL)
    return found | dict.fromkeys(_below(needed, pins), ComponentScope.REQUIRED)


def _direct(project: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """What we ask for ourselves: what is always needed, and what extras for users need."""
    extras = project["optional-dependencies"].items()
    optional = {_name(entry) for extra, entries in extras if extra not in FOR_DEVELOPERS for entry in entries}
    return set(map(_name, project["dependencies"])), optional


def _below(names: Iterable[str], pins: list[Pin]) -> set[str]:
    """These packages, and all that they bring."""
    found = set(names)
    waiting = [*found]
    while waiting:
        parent = waiting.pop()
        brought = {pin.name for pin in pins if parent in pin.parents} - found
        found |= brought
        waiting += brought
    return found


def _bom(version: str, project: Mapping[str, Any], pins: list[Pin], constraints: str, made: datetime) -> Bom:
    known = scopes(project, pins)
    ours = Component(
        name=OURS,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=OURS,
        purl=PackageURL("pypi", name=OURS, version=version),
        description=project["description"],
        licenses=[LicenseExpression(project["license"])],
    )
    parts = {pin: _component(pin, known[pin.name]) for pin in pins if pin.name in known}
    runtime = _gcc_runtime()
    digest = hashlib.sha256(f"{version}\n{constraints}".encode()).hexdigest()
    bom = Bom(components=[*parts.values(), runtime], serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest))
    bom.metadata.component = ours
    bom.metadata.timestamp = made
    direct = set.union(*_direct(project))
    bom.register_dependency(ours, [runtime, *(part for pin, part in parts.items() if pin.name in direct)])
    for pin, part in parts.items():
        bom.register_dependency(part, [other for child, other in parts.items() if pin.name in child.parents])
    return bom


def _component(pin: Pin, scope: ComponentScope) -> Component:
    condition = [Property(name=f"{OURS}:condition", value=pin.marker)] if pin.marker else []
    return Component(
        name=pin.name,
        version=pin.version,
        bom_ref=str(pin.purl),
        purl=pin.purl,
        scope=scope,
        properties=condition,
    )


def _gcc_runtime() -> Component:
    name, licence = GCC_RUNTIME
    return Component(
        name=name,
        bom_ref="gcc-runtime",
        scope=ComponentScope.OPTIONAL,
        description="Linked statically into the native loop of wheels for Linux, as the compiler brings them.",
        licenses=[LicenseExpression(licence)],
    )


def _name(requirement: str) -> str:
    """The name of a package in a requirement, or in a remark such as "NAME (pyproject.toml)"."""
    return canonicalize_name(re.split(r"[<>=~!\[;( ]", requirement.strip())[0])


if __name__ == "__main__":
    sys.stdout.write(bill_of_materials(ROOT, int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
