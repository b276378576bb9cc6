"""Each matrix gets the form that takes the fewest bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.compiler.backend.encode_weights import encode_weights
from femtodriver.compiler.fmir.ir import Mac, Matrix, Post, View
from femtodriver.compiler.fmir.weight_groups import kept_groups, mask_bytes
from femtodriver.compiler.passes.pack_weights import pack_weights
from femtodriver.isa import Form
from tests.compiler.fmir_samples import SIZE, buffer, network
from tests.compiler.pass_bench import IN, SPU, Golden, compare


def test_pack_weights(golden: Golden) -> None:
    """Of two equal products one is of pruned weights: only its groups that are not zero are stored."""
    numbers = np.random.default_rng(0)
    full = numbers.integers(1, 100, (SIZE, 32))
    pruned = full * np.repeat(numbers.random((SIZE, 4)) < 0.3, 8, axis=1)
    ops = [
        Mac(View(f"out{k}", 0, 32), ((f"m{k}", View("in0", 0, SIZE)),), post=Post(-6, clip="saturate", bits=16))
        for k in range(2)
    ]
    matrices = [Matrix("m0", full, 8), Matrix("m1", pruned, 8)]
    before = network([IN, *(buffer(f"out{k}", 32) for k in range(2))], ops, matrices)
    compare(golden, "pack_weights", pack_weights, before)


@pytest.mark.parametrize(("kept", "form"), [(1.0, "DENSE"), (0.3, "MASKED"), (0.1, "MASKED"), (0.004, "NESTED")])
def test_the_fewest_bytes_win_unless_they_are_read_more_slowly(kept: float, form: str) -> None:
    numbers = np.random.default_rng(1)
    groups = numbers.random((96, 8)) < kept
    weights = (numbers.integers(1, 100, (96, 64)) * np.repeat(groups, 8, axis=1)).astype(np.int64)
    matrix = Matrix("m0", weights, 8)
    mac = Mac(View("out0", 0, 64), (("m0", View("in0", 0, 96)),), post=Post(-6, clip="saturate", bits=16))
    after = pack_weights(network([buffer("in0", 96), buffer("out0", 64)], [mac], [matrix]), SPU)
    assert after.matrices["m0"].form.name == form
    assert kept_groups(after.matrices["m0"]).tolist() == groups.tolist()


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([4, 8, 16]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.003, 0.03, 0.1, 0.3, 0.7, 0.95, 1.0]),
    st.integers(0, 99),
)
def test_the_form_takes_the_fewest_words(bits: int, columns: int, rows: int, kept: float, seed: int) -> None:
    """As they are stored; of equal forms the simplest; a nested mask has fewer bytes than a flat one has words.

    Halves take three quarters of the others at the most.
    """
    numbers = np.random.default_rng(seed)
    pencil = 4 * (1 + seed % 2)
    groups = np.repeat(numbers.random((columns, -(-rows // pencil))) < kept, pencil, axis=1)[:, :rows]
    matrix = Matrix("m0", (numbers.integers(1, 8, (columns, rows)) * groups).astype(np.int64), bits)
    mac = Mac(View("out0", 0, rows), (("m0", View("in0", 0, columns)),), post=Post(clip="saturate", bits=16))
    after = pack_weights(network([buffer("in0", columns), buffer("out0", rows)], [mac], [matrix]), SPU)
    flat = mask_bytes(matrix.halves, Form.MASKED)
    forms = [form for form in Form if form is not Form.NESTED or np.count_nonzero(flat) <= -(-len(flat) // 8)]
    sizes = {form: sum(map(len, encode_weights(replace(matrix, form=form)))) for form in forms}
    if 4 * sizes[Form.HALVES] > 3 * min(size for form, size in sizes.items() if form is not Form.HALVES):
        del sizes[Form.HALVES]
    assert after.matrices["m0"].form is min(sizes, key=lambda form: (sizes[form], form))
