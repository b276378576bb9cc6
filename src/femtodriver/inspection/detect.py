"""What kind of file it is, by its content if possible, else by its name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from femtodriver.errors import UsageError
from femtodriver.files.file_access import read_file, shown_path
from femtodriver.files.plain_yaml import load_yaml
from femtodriver.inspection.archives import inspect_files, inspect_image
from femtodriver.inspection.containers import inspect_femto
from femtodriver.inspection.findings import Findings, Report
from femtodriver.inspection.networks import inspect_network
from femtodriver.inspection.programs import program_facts
from femtodriver.inspection.specifications_of_io import inspect_iospec
from femtodriver.inspection.tflite_models import inspect_tflite
from femtodriver.inspection.traffic import inspect_apb, inspect_recording
from femtodriver.iospec.spec_yaml import SECTIONS
from femtodriver.model.load_model import META_NAMES
from femtodriver.model.network_formats import NETWORK_ENDINGS, NETWORK_FORMATS
from femtodriver.program.archive import MAX_ARCHIVE, read_directory, read_zip
from femtodriver.program.bus.read_recordings import MAX_RECORDING
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto import layout_a, layout_b
from femtodriver.program.images import METADATA_FILE, parse_image_name
from femtodriver.pytorch.module_reference import names_python
from femtodriver.tflite.tflite_format import IDENTIFIER, MAX_FILE_BYTES, TFLITE_ENDING

MOST_BYTES = max(MAX_ARCHIVE, MAX_RECORDING)
_PAIR = re.compile(r"(.+)_([AD])")
_HEX_TEXT = re.compile(rb"(?:[0-9a-fA-F]{1,16}\r?\n){1,64}")
_FORMS = (
    "a .femto, a memory-image zip or the folder of a compiled model, a hex image, 0PROG_A or 0PROG_D or their folder, "
    f"a recording or an I/O specification (.yaml), or a network ({NETWORK_ENDINGS})"
)


def inspect_file(path: str | os.PathLike[str]) -> Report:
    """What the file or folder holds, and all problems that were found on the way.

    Raises UsageError for a file of an unknown kind, ProgramError for one that is not there or cannot be read at all.
    """
    place = Path(path)
    if names_python(path):
        raise UsageError(
            f"{shown_path(place)}: must be {_FORMS}, not code: nothing is run to inspect it. Convert it first "
            "(femtodrive FILE.py:NAME --calibrate FILE), and inspect the folder or the .femto that this writes."
        )
    if place.is_dir():
        return _folder(place)
    ending = place.suffix.lower()
    if ending in NETWORK_FORMATS and ending != TFLITE_ENDING:  # these are shown in their own terms
        findings = Findings(str(place), "network", _size(place))
        inspect_network(findings, place)
        return findings.report()
    return _file(place, read_file(place, MAX_FILE_BYTES if ending == TFLITE_ENDING else MOST_BYTES))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _file(path: Path, content: bytes) -> Report:
    findings = Findings(str(path), _kind(path, content), len(content))
    if findings.kind == "femto":
        inspect_femto(findings, content)
    elif findings.kind == "zip":
        with findings.collecting():
            inspect_files(findings, read_zip(content, findings.where))
    elif findings.kind == "apb":
        inspect_apb(findings, _pair(findings, path))
    elif findings.kind == "tflite":
        inspect_tflite(findings, content)
    elif findings.kind == "yaml":
        _yaml(findings, content)
    else:
        inspect_image(findings, path.name, content)
    return findings.report()


def _kind(path: Path, content: bytes) -> str:
    if content.startswith((layout_a.MAGIC, layout_b.MAGIC)) or path.suffix.lower() == ".femto":
        return "femto"
    if content[4:8] == IDENTIFIER or path.suffix.lower() == TFLITE_ENDING:
        return "tflite"
    if content.startswith(b"PK") or path.suffix.lower() == ".zip":
        return "zip"
    if path.suffix.lower() in (".yaml", ".yml"):
        return "yaml"
    if parse_image_name(path.name) is not None:
        return "image"
    if _PAIR.fullmatch(path.name):
        return "apb"
    if not content or _HEX_TEXT.match(content):
        return "image"
    raise UsageError(f"{path}: must be {_FORMS}.")


def _yaml(findings: Findings, content: bytes) -> None:
    """A recording, an I/O specification, or metadata on their own."""
    findings.kind = "recording"
    with findings.collecting():
        top = load_yaml(content, findings.where, max_bytes=MAX_RECORDING)
        if isinstance(top, dict) and "inst_counts" in top:
            findings.kind = "metadata"
            program_facts(findings, CompiledData(top, {}), None)
            return
        if isinstance(top, dict) and top and set(top) <= set(SECTIONS):
            findings.kind = "iospec"
            inspect_iospec(findings, content)
            return
        inspect_recording(findings)


def _pair(findings: Findings, path: Path) -> dict[str, tuple[bytes, bytes]]:
    """The file and its other half."""
    found = _PAIR.fullmatch(path.name)
    if found is None:
        return {}
    halves = []
    for letter in "AD":
        other = path.with_name(f"{found.group(1)}_{letter}")
        with findings.collecting():
            halves.append(read_file(other, MOST_BYTES))
    return {found.group(1): (halves[0], halves[1])} if len(halves) == 2 else {}


def _folder(path: Path) -> Report:
    for inner in (path, *(path / name for name in META_NAMES)):
        if (inner / METADATA_FILE).is_file():
            findings = Findings(str(inner), "directory")
            with findings.collecting():
                inspect_files(findings, read_directory(inner))
            return findings.report()
    for inner in (path, path / "apb_records", path / "io_records" / "apb_records"):
        names = sorted({found.group(1) for entry in _names(inner) if (found := _PAIR.fullmatch(entry))})
        if names:
            findings = Findings(str(inner), "apb")
            pairs = {}
            for name in names:
                pairs.update(_pair(findings, inner / f"{name}_A"))
            inspect_apb(findings, pairs)
            return findings.report()
    raise UsageError(f"{path}: must be {_FORMS}; this folder has neither {METADATA_FILE} nor 0PROG_A.")


def _names(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.iterdir() if entry.is_file()]
    except OSError:
        return []
