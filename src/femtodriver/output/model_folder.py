"""What a model's folder holds, and how it is written.

::

    <output_dir>/<name>/
    ├── meta_from_femtodriver/     metadata.yaml and the memory images (meta_from_zipfile, ... for other sources)
    ├── io_records/
    │   ├── setup.yaml, setup_hex.yaml, setup_hex.txt     the traffic that loads the program
    │   ├── apb_records/0PROG_A, 0PROG_D                  the same for an SD card
    │   ├── <name>.femto
    │   └── all.yaml, all_hex.yaml, all_hex.txt           the traffic of a run on a board
    ├── comparison/                                       after a comparison, see ``comparison_files``
    ├── outputs/                                          after a run, see ``output_files``
    ├── iospec.yaml                                       the I/O specification
    ├── metrics.yaml, metrics.txt                         after a simulation
    ├── partial.yaml                                      after a run that was stopped: how far it came, and why
    └── femtocrux_report.json, or .txt                    what the vendor's simulator told, as it came

``reference_tree`` has what ``--tree 1.3`` changes, ``reference_tree_2x`` what ``--tree 2.6`` does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from femtodriver import __version__
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import AnyPath, make_directory, read_file, remove_file, write_file
from femtodriver.files.plain_yaml import load_yaml
from femtodriver.metrics import document_text, document_yaml
from femtodriver.metrics.read_document import METRICS_YAML
from femtodriver.model.build_model import Built
from femtodriver.model.load_model import FEMTO_META, OWN_META, ZIP_META
from femtodriver.options.value_kinds import TREE_13, TREE_26
from femtodriver.output.atomic_folder import replace_tree
from femtodriver.output.comparison_files import FOLDER as COMPARISON
from femtodriver.output.comparison_files import write_comparison, write_traffic
from femtodriver.output.file_names import safe_name
from femtodriver.output.output_files import FOLDER as OUTPUTS
from femtodriver.output.output_files import write_outputs
from femtodriver.output.reference_tree import write_beside, write_pickles
from femtodriver.output.reference_tree_2x import (
    RUN_FILES,
    newer_program_names,
    write_newer_program,
    write_newer_run,
)
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.write_recordings import PROGRAM_RECORDING, write_io_records
from femtodriver.program.femto.femto_from_program import femto_from_compiled
from femtodriver.program.femto.write_user_data import write_user_data
from femtodriver.runners.execution import Execution

IO_RECORDS = "io_records"
METRICS_TEXT = "metrics.txt"
PARTIAL_YAML = "partial.yaml"
IOSPEC_YAML = "iospec.yaml"
# Entries of a model's folder that a new compilation replaces or, if it does not make them, makes untrue.
VENDOR_REPORTS = ("femtocrux_report.json", "femtocrux_report.txt")
RESULTS = frozenset(
    {IO_RECORDS, IOSPEC_YAML, METRICS_YAML, METRICS_TEXT, PARTIAL_YAML, COMPARISON, OUTPUTS, *VENDOR_REPORTS}
)
OWN_METAS = frozenset({OWN_META, ZIP_META, FEMTO_META})
FOREIGN_CLOCK_MHZ = 100
_log = logging.getLogger(__name__)


def model_folder(output_dir: AnyPath, name: str) -> Path:
    """The folder of the model of that name."""
    return Path(output_dir) / safe_name(name)


def write_all(
    output_dir: AnyPath, built: Built, execution: Execution | None = None, doc: Mapping[str, Any] | None = None
) -> None:
    """Replaces the model's folder in one step: images, program files, and what a run and its metrics add.

    Images from another source stay if they are of the same program, which shows in the same ``.femto``.
    """
    femto = femto_bytes(built)
    _log.debug("writing %s", model_folder(output_dir, built.folder))
    replaced = {built.source.meta_name, *RESULTS}
    if not _is_file_with(femto_path(output_dir, built), femto):
        replaced.update(OWN_METAS)
    if built.tree == TREE_26:
        replaced.update(newer_program_names(built).values(), RUN_FILES)

    def into(folder: Path) -> None:
        _write_program(folder, built, femto)
        if execution is not None:
            _write_run(folder, built, execution, doc)
        if doc is not None:
            write_metrics(folder, doc)

    replace_tree(model_folder(output_dir, built.folder), replaced, into)
    if execution is not None and built.tree == TREE_13:
        write_beside(execution)


def _write_program(folder: Path, built: Built, femto: bytes) -> None:
    built.data.write_to_files(folder / built.source.meta_name)
    _write_records(folder / IO_RECORDS, built, femto)
    built.iospec.write_spec_to_file(folder / IOSPEC_YAML)
    if built.tree == TREE_26:
        write_newer_program(folder, built, femto)


def _write_run(folder: Path, built: Built, execution: Execution, doc: Mapping[str, Any] | None) -> None:
    """What a run gave, but for its metrics."""
    if execution.recordings:
        write_traffic(folder / IO_RECORDS, execution.recordings)
    if execution.compared:
        write_comparison(folder / COMPARISON, execution)
        if built.tree == TREE_13:
            write_pickles(folder / built.source.meta_name, execution)
    if execution.keeps_outputs:
        write_outputs(folder / OUTPUTS, execution)
    if execution.vendor_report:
        write_vendor_report(folder, execution.vendor_report)
    if execution.partial is not None:
        write_file(folder / PARTIAL_YAML, document_yaml(execution.partial.document).encode("utf-8"))
    if built.tree == TREE_26:
        write_newer_run(folder, execution, doc)


def write_results(output_dir: AnyPath, execution: Execution) -> None:
    """Adds what a run gave to a model's folder that is there already; each folder below it is replaced in one step."""
    folder = model_folder(output_dir, execution.model.folder)
    if execution.recordings:
        write_traffic(folder / IO_RECORDS, execution.recordings)
    if execution.compared:
        target = folder / COMPARISON
        replace_tree(target, _everything(target), lambda place: write_comparison(place, execution))
        if execution.model.tree == TREE_13:
            write_pickles(folder / execution.model.source.meta_name, execution)
            write_beside(execution)
    if execution.keeps_outputs:
        target = folder / OUTPUTS
        replace_tree(target, _everything(target), lambda place: write_outputs(place, execution))
    if execution.vendor_report:
        write_vendor_report(folder, execution.vendor_report)
    if execution.model.tree == TREE_26:
        write_newer_run(folder, execution, None)


def write_metadata(output_dir: AnyPath, built: Built) -> Path:
    """Replaces the folder of metadata and images alone; gives its path."""
    target = model_folder(output_dir, built.folder) / built.source.meta_name
    replace_tree(target, _everything(target), built.data.write_to_files)
    return target


def write_records(output_dir: AnyPath, built: Built) -> Path:
    """Replaces the folder of program files (recordings, ``0PROG_*``, ``.femto``) alone; gives its path."""
    femto = femto_bytes(built)
    target = model_folder(output_dir, built.folder) / IO_RECORDS
    replace_tree(target, _everything(target), lambda folder: _write_records(folder, built, femto))
    return target


def write_metrics(folder: Path, doc: Mapping[str, Any]) -> Path:
    """Writes ``metrics.yaml`` and ``metrics.txt``, each in one step; gives the path of the first."""
    make_directory(folder)
    write_file(folder / METRICS_TEXT, document_text(doc).encode("utf-8"))
    write_file(folder / METRICS_YAML, document_yaml(doc).encode("utf-8"))
    return folder / METRICS_YAML


def write_metrics_file(path: Path, metrics: str | Mapping[str, Any]) -> Path:
    """Writes metrics, a text as it is or any mapping, as YAML into a file; gives its path."""
    text = metrics if isinstance(metrics, str) else document_yaml(metrics)
    write_file(path, text.encode("utf-8", "backslashreplace"))
    return path


def write_vendor_report(folder: Path, report: str) -> Path:
    """Writes what the vendor's simulator told, as it came, in place of an earlier one; gives the path."""
    for name in VENDOR_REPORTS:
        remove_file(folder / name)
    written = folder / vendor_report_name(report)
    write_file(written, report.encode("utf-8"))
    return written


def vendor_report_name(report: str) -> str:
    """The name of the file for it: newer versions give JSON, older ones plain text."""
    as_json, as_text = VENDOR_REPORTS
    return as_json if report.lstrip().startswith("{") else as_text


def metrics_document(metrics: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The metrics document from YAML text or a mapping. UsageError for anything else."""
    content: object = metrics
    if isinstance(metrics, str):
        try:
            content = load_yaml(metrics.encode("utf-8"), "metrics")
        except ProgramError as error:
            raise UsageError(f"{error} Give what simulate returned.") from None
    if not isinstance(content, Mapping) or "schema" not in content:
        raise UsageError("metrics: must be the document that simulate returned, not something else.")
    return content


def femto_path(output_dir: AnyPath, built: Built) -> Path:
    """Where the ``.femto`` of a model stands."""
    return model_folder(output_dir, built.folder) / IO_RECORDS / f"{safe_name(built.source.name)}.femto"


def _everything(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()


def _is_file_with(path: Path, content: bytes) -> bool:
    try:
        return read_file(path, len(content)) == content
    except ProgramError:
        return False


def _write_records(folder: Path, built: Built, femto: bytes) -> None:
    index, salt = built.registers
    records = load_sequence(built.data, key_index=index, salt=salt)
    write_io_records(folder, {PROGRAM_RECORDING: records})
    write_file(folder / f"{safe_name(built.source.name)}.femto", femto)


def femto_bytes(built: Built) -> bytes:
    """The program as a ``.femto``; that of a model which came as a ``.femto`` stays as it was, to the byte."""
    if built.source.container is not None:
        return built.source.container
    femto = built.data.metadata.get("femto")
    origin: Mapping[str, Any] = femto if isinstance(femto, Mapping) else {}
    stored = built.data.metadata.get("userdata", b"")
    return femto_from_compiled(
        built.data,
        name=str(origin.get("name", built.source.name)),
        producer=str(origin.get("producer", f"open-fd {__version__}")),
        clock_mhz=_clock_mhz(built, origin),
        model_type=built.label.kind or str(origin.get("type", "custom")),
        model_version=built.label.version or str(origin.get("version", "1.0.0")),
        key_index=built.registers[0],
        userdata=write_user_data(built.data) or (stored if isinstance(stored, bytes) else b""),
    )


def _clock_mhz(built: Built, origin: Mapping[str, Any]) -> int:
    stored = origin.get("clock_mhz")
    if isinstance(stored, int):
        return stored
    return round(built.part.clock_hz / 1e6) if built.part else FOREIGN_CLOCK_MHZ
