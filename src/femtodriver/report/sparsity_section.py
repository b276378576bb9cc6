"""What pruned weights and zero activations save: multiplications that are stored, skipped and executed."""

from __future__ import annotations

from femtodriver.metrics.text_cells import count_text, percent_text
from femtodriver.profile.profile_rows import ProfileRow
from femtodriver.report.layers_section import MOST_ROWS, shown_label
from femtodriver.report.page_blocks import LONG, FigureTable, PageBlock, Section, Share, StackedBar
from femtodriver.report.report_facts import ReportFacts


def sparsity_section(facts: ReportFacts) -> Section:
    """All multiplications of the matrices by what became of them, and the densities of each layer."""
    macs = facts.doc["macs"]
    if not macs["dense"]:
        return Section("sparsity", "Sparsity", "No matrix was multiplied.", ())
    run = macs["executed"] / macs["dense"]
    lead = (
        f"{count_text(macs['executed'])} of {count_text(macs['dense'])} multiplications of a frame are executed "
        f"({percent_text(run)}). What is skipped costs neither a cycle nor the read of a weight."
    )
    return Section("sparsity", "Sparsity", lead, (_whole(facts), *_layers(facts)))


def _whole(facts: ReportFacts) -> StackedBar:
    macs = facts.doc["macs"]
    named = (
        ("executed", "executed", 0),
        ("skipped_weight", "skipped: the weight is pruned", 1),
        ("skipped_activation", "skipped: the activation is zero", 2),
    )
    parts = tuple(
        Share(
            text,
            macs[key] / macs["dense"],
            f"{count_text(macs[key])} ({percent_text(macs[key] / macs['dense'])})",
            place,
        )
        for key, text, place in named
        if macs[key]
    )
    sources = ("macs.executed", "macs.skipped_weight", "macs.skipped_activation", "macs.dense")
    return StackedBar("Multiplications of a frame, all layers together", parts, sources=sources)


def _layers(facts: ReportFacts) -> tuple[PageBlock, ...]:
    rows = [row for row in facts.profile.rows if row.macs_dense][:MOST_ROWS]
    head = ("layer", "dense", "stored", "executed", "weights kept", "activations not zero")
    cells = tuple(_cells(facts, row) for row in rows)
    sources = ("layers[].macs", "layers[].activation_density")
    caption = "Multiplications of a frame, layer by layer"
    return (FigureTable(caption, head, cells, folded=len(cells) > LONG, sources=sources),)


def _cells(facts: ReportFacts, row: ProfileRow) -> tuple[str, ...]:
    counts = (row.macs_dense, row.macs_stored, row.macs_executed)
    return (
        shown_label(row),
        *(count_text(facts.profile.per_frame(count)) for count in counts),
        percent_text(row.weight_density),
        percent_text(row.activation_density),
    )
