"""How many values of random models are the judge's; the suite tries a few dozen models, this as many as you like.

    python -m tests.tflite.measure_agreement FIRST END [tflite|xnnpack]

Seeds FIRST to END - 1; with ``xnnpack``, every tensor is an output, because only these can be seen.
"""

from __future__ import annotations

import sys
from typing import cast

from tests.tflite.compared_runs import compared
from tests.tflite.litert_judge import Kernels
from tests.tflite.random_models import random_model


def main(first: int, end: int, kernels: Kernels) -> None:
    models = values = operators = 0
    wrong: list[str] = []
    for seed in range(first, end):
        model = random_model(seed, all_outputs=kernels == "xnnpack" or seed % 3 == 0)
        found = compared(model.data, list(model.frames), kernels)
        models, values, operators = models + 1, values + found.values, operators + len(model.operators)
        wrong += [f"seed {seed}: {place}" for place in found.wrong]
    print("\n".join(wrong))
    print(f"{models:,} models of {operators:,} operators, {values:,} values of tensors, {len(wrong)} tensors differ")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), cast(Kernels, (*sys.argv[3:], "tflite")[0]))
