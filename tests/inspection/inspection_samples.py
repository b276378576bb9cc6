"""Files to look at: programs of ours and foreign ones, in every form, whole and damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from femtodriver import CompiledData, Femtodriver
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.program.femto.femto_from_program import femto_from_compiled

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SPOTTER = EXAMPLES / "keyword_spotter" / "keyword_spotter.pt"
KEYRING = Keyring({2: bytes(range(16))})


def compiled(folder: Path, model: object = "LOOPBACK", keyring: Keyring | None = None) -> dict[str, Path]:
    """A compiled model in every form: {"femto", "zip", "directory", "folder", "records": path}."""
    with Femtodriver(keyring=keyring) as fd:
        meta_dir, femto, _ = fd.compile(model, model_name="model", output_dir=str(folder / "out"))
        assert fd.compiled_data is not None
        fd.compiled_data.to_zip_file(folder / "model.zip")
    whole = folder / "out" / "model"
    return {
        "femto": Path(femto),
        "zip": folder / "model.zip",
        "directory": Path(meta_dir),
        "folder": whole,
        "records": whole / "io_records",
    }


def without_digest(folder: Path) -> None:
    """Takes the digest out of the metadata of a program's folder, so that its images may be changed."""
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    del metadata["femtodriver"]["digest"]
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata, sort_keys=False))


def foreign() -> CompiledData:
    """A program as the vendor's archives are: encrypted words, nothing said about encryption."""
    rng = np.random.default_rng(0)

    def image(count: int) -> list[np.ndarray]:
        return [rng.integers(0, 1 << 64, count, dtype=np.uint64)]

    record: dict[str, Any] = {"core": 0, "len_64b_words": 4, "dtype": "V_D", "precision": "DBL"}
    return CompiledData(
        {
            "data_bank_sizes": {0: {0: 70, 1: 3}, 1: {0: 1}},
            "table_bank_sizes": {0: {0: 5}, 1: {0: 0}},
            "inst_counts": {0: 40, 1: 9},
            "inputs": {"a\x1b[31m": {**record, "pc_val": 3}},
            "outputs": {"b": {**record, "mailbox_id": 1}},
        },
        {
            0: {"DM": image(8195), "TM": image(5), "SB": image(4), "PB": image(4), "IM": image(40)},
            1: {"DM": image(1), "IM": image(9)},
        },
    )


def foreign_femto(layout: str) -> bytes:
    return femto_from_compiled(
        foreign(), name="clara", producer="1.0", clock_mhz=180, model_type="AINR", model_version="1.2", layout=layout
    )
