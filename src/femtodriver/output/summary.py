"""What is printed about a model: what was loaded, whether it fits, what it costs. Plain lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from femtodriver.device.evk2.usb_boards import EvkBoard, board_state
from femtodriver.files.file_access import AnyPath, shown_path
from femtodriver.inputs import InputSpec
from femtodriver.metrics import document_text
from femtodriver.metrics.read_document import METRICS_YAML
from femtodriver.model.build_model import Built
from femtodriver.options.value_kinds import TREE_13, TREE_26
from femtodriver.output import model_folder
from femtodriver.output.comparison_files import FOLDER as COMPARISON
from femtodriver.output.comparison_files import pictured
from femtodriver.output.output_files import FOLDER as OUTPUTS
from femtodriver.output.output_files import INPUTS, INTERNALS
from femtodriver.output.plots import NO_PLOTS, can_draw
from femtodriver.output.real_outputs import real_outputs_text
from femtodriver.output.reference_tree import names_beside
from femtodriver.output.reference_tree_2x import newer_program_names, newer_run_names
from femtodriver.runners.execution import Execution
from femtodriver.safe_text import plain_name

# The sections of metrics.txt that a terminal shows: time, and power with energy.
_SHORT_SECTIONS = slice(1, 3)


def model_text(built: Built) -> str:
    """What was loaded, and whether it fits."""
    return "\n".join(filter(None, (_loaded_text(built), _fit_text(built))))


def _loaded_text(built: Built) -> str:
    """Name, size, inputs and outputs."""
    head = f"{plain_name(built.source.name, 60)}: {_size_text(built)}"
    if built.description is None and built.source.network is None:
        return f"{head}\n  a program that is not for the open SPU; it can be converted, not simulated"
    rows = [("input", spec) for spec in built.inputs] + [("output", spec) for spec in built.outputs]
    width = max(len(plain_name(spec.name, 40)) for _, spec in rows)
    return "\n".join([head, *(_variable(kind, spec, width) for kind, spec in rows)])


def _fit_text(built: Built) -> str:
    """Whether the program fits, with the memory that each core uses of what it has; "" for a foreign program."""
    if built.part is None:
        return ""
    info = built.data.info()
    lines = [f"fits {built.part.name}:"]
    for core in range(built.part.cores):
        sizes = (
            ("data", 8 * sum(info.data_bank_sizes.get(core, {}).values()), built.part.dm_bytes),
            (
                "tables",
                2 * sum(info.table_bank_sizes.get(core, {}).values()),
                2 * built.part.tm_banks * built.part.tm_bank_words,
            ),
            ("instructions", 8 * info.inst_counts.get(core, 0), 8 * built.part.im_words),
        )
        used = ", ".join(f"{what} {_share(size, most)}" for what, size, most in sizes)
        lines.append(f"  core {core}: {used if core in info.inst_counts else 'not needed'}")
    return "\n".join(lines)


def metrics_text(doc: Mapping[str, Any]) -> str:
    """The heart of ``metrics.txt``: latency, deadline, power, energy."""
    sections: Sequence[str] = document_text(doc).split("\n\n")[_SHORT_SECTIONS]
    return "\n".join(sections)


def devices_text(boards: Sequence[EvkBoard], spu: str) -> str:
    """The EVK2 boards on USB, one line each: serial number, part, and what may be done with it.

    ``spu``: the part that was asked for, "all" for any.
    """
    if not boards:
        return f"no EVK2 board{'' if spu.lower() == 'all' else f' with {spu}'} is connected over USB"
    rows = [(f"serial {one.serial or 'unknown'}", one.product or "no product", board_state(one)) for one in boards]
    serial, product = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"evk2  {row[0]:<{serial}}  {row[1]:<{product}}  {row[2]}" for row in rows)


def run_texts(
    output_dir: AnyPath, built: Built, done: Execution | None, doc: Mapping[str, Any] | None, real: bool = False
) -> Iterator[str]:
    """What is printed after a run: what ran, what it costs, which files were written.

    ``real``: also which real numbers came out of the first runner.
    """
    if done is not None and not done.compared:
        yield "; ".join(f"{name} ran, {count} frames" for name, count in done.comparison.frames.items())
    if done is not None and done.partial is not None:
        yield f"partial: {done.partial.text}"
    if done is not None and real:
        yield from real_outputs_text(next(iter(done.comparison.outputs.values()), {}), built.outputs)
    if doc is not None:
        yield metrics_text(doc)
        if done is not None and any(done.comparison.internals.values()):
            yield "           (of the program that keeps the debug variables, which costs time and energy)"
    yield written_text(output_dir, built, done, doc)


def next_step_texts(built: Built) -> Iterator[str]:
    """How to run the program, after files were written and nothing was run; nothing if it cannot be simulated."""
    if built.plain is None or built.description is None:
        return
    if built.source.network is None:
        yield "nothing was run; --runners fasmir simulates and measures the program"
    else:
        yield "nothing was run; --runners fqir,fasmir checks the program against the network, and measures it"


def written_text(output_dir: AnyPath, built: Built, execution: Execution | None, doc: Mapping[str, Any] | None) -> str:
    """Which files were written, and which could not be drawn."""
    femto = model_folder.femto_path(output_dir, built)
    lines = [
        f"wrote {shown_path(model_folder.model_folder(output_dir, built.folder))}/",
        f"  {built.source.meta_name}/",
        f"  {model_folder.IO_RECORDS}/apb_records/0PROG_A, 0PROG_D",
        f"  {model_folder.IO_RECORDS}/{femto.name} ({femto.stat().st_size:,} bytes{_secrecy_text(built)})",
    ]
    lines.append(f"  {model_folder.IOSPEC_YAML}")
    if execution is not None and execution.recordings:
        lines.append(f"  {model_folder.IO_RECORDS}/all.yaml, all_hex.yaml, all_hex.txt")
    compared = execution is not None and execution.compared
    if compared:
        lines.append(f"  {COMPARISON}/")
    if execution is not None and execution.keeps_outputs:
        lone = (INTERNALS,) if execution.lone_internals else ()
        names = ", ".join((INPUTS, *lone, *(f"{name}.npz" for name in execution.comparison.outputs)))
        lines.append(f"  {OUTPUTS}/{names}")
    if built.tree == TREE_26:
        lines.append(f"  {', '.join(newer_program_names(built).values())}")
        lines += [f"  {name}" for name in newer_run_names(execution, doc)] if execution is not None else []
    if execution is not None and compared and built.tree == TREE_13:
        lines += [f"  {built.source.meta_name}/runner_*.pck", *(f"./{one}" for one in names_beside(execution))]
    if execution is not None and execution.vendor_report:
        lines.append(f"  {model_folder.vendor_report_name(execution.vendor_report)}")
    if doc is not None:
        lines.append(f"  {METRICS_YAML}, {model_folder.METRICS_TEXT}")
    if execution is not None and execution.partial is not None:
        lines.append(f"  {model_folder.PARTIAL_YAML}")
    if execution is not None and compared and pictured(execution.comparison) and not can_draw():
        lines.append(NO_PLOTS)
    return "\n".join(lines)


def _secrecy_text(built: Built) -> str:
    info = built.data.info()
    return f", encrypted with key {info.key_index}" if info.encrypted and built.description is not None else ""


def _size_text(built: Built) -> str:
    network = built.source.network
    if network is None:
        return f"compiled program, {sum(built.data.info().inst_counts.values()):,} instruction words"
    nodes = network.node_count
    return f"{nodes:,} node{'' if nodes == 1 else 's'}, {network.parameter_count:,} parameters"


def _variable(kind: str, spec: InputSpec, width: int) -> str:
    return f"  {kind:<7} {plain_name(spec.name, 40):<{width}}  {spec.length} x {spec.bits} bits"


def _share(size: int, most: int) -> str:
    return f"{size:,} of {most:,} bytes ({100 * size / most:.1f} %)"
