"""All passes over FMIR in the order in which they run. A new pass is a module of this folder and a line here.

Those that run after placement come last.
"""

from __future__ import annotations

from femtodriver.compiler.passes import (
    circular_lines,
    clip_at_zero,
    drop_dead,
    fold_copies,
    fold_moves,
    fold_selections,
    fuse_interpolation,
    fuse_products,
    merge_elementwise,
    pack_operations,
    pack_weights,
    split_rows,
    sum_in_lanes,
)
from femtodriver.compiler.passes.compiler_pass import Pass

PASSES: tuple[Pass, ...] = (
    fuse_interpolation.PASS,
    drop_dead.PASS,
    fold_copies.PASS,
    fold_selections.PASS,
    sum_in_lanes.PASS,
    clip_at_zero.PASS,
    merge_elementwise.PASS,
    fuse_products.PASS,
    fold_moves.PASS,
    pack_operations.PASS,
    split_rows.PASS,
    pack_weights.PASS,
    circular_lines.PASS,
)
