"""Operations changed and taken apart."""

from __future__ import annotations

import numpy as np

from femtodriver.compiler.fmir.ir import Mac, Matrix, View
from femtodriver.compiler.fmir.rewriting import free_name, product_rows


def test_mac_rows_of_a_spread_bias() -> None:
    matrices = {"m0": Matrix("m0", np.arange(64).reshape(4, 16), 8)}
    whole = Mac(View("out0", 0, 16), (("m0", View("in0", 0, 4)),), View("const0", 2, 16, 0))
    part = product_rows(whole, 8, 16, matrices)
    assert part.bias == View("const0", 2, 8, 0)
    assert matrices[part.parts[0][0]].weights.tolist() == np.arange(64).reshape(4, 16)[:, 8:].tolist()


def test_a_free_name() -> None:
    assert free_name("m0.new", {"m0"}) == "m0.new"
    assert free_name("m0", {"m0", "m0.1"}) == "m0.2"
