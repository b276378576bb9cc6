from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver.errors import FemtoError, InputError, UsageError
from femtodriver.output.output_files import npz
from femtodriver.quantization.float_values import FloatValues

SIZES = {"%x.1": 2, "a/b": 3}


def stored(folder: Path, arrays: dict[str, object]) -> Path:
    path = folder / "float.npz"
    path.write_bytes(npz({name: np.asarray(values) for name, values in arrays.items()}))
    return path


def test_values_are_read_frame_by_frame_by_any_of_their_names(tmp_path: Path) -> None:
    path = stored(tmp_path, {"%x.1": [[1.5, 2], [3, 4]], "a%2Fb": np.arange(6).reshape(2, 3, 1)})
    with FloatValues(path, SIZES, {"lin": "%x.1"}) as values:
        assert set(values.names) == {"%x.1", "a/b"}
        assert values.frame("%x.1", 0).tolist() == [1.5, 2.0]
        assert values.frame("a/b", 1).tolist() == [3.0, 4.0, 5.0]


def test_a_layer_may_be_called_by_its_label(tmp_path: Path) -> None:
    with FloatValues(stored(tmp_path, {"lin": [[1, 2]]}), SIZES, {"lin": "%x.1"}) as values:
        assert list(values.names) == ["%x.1"]
        assert values.frame("%x.1", 0).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("arrays", "kind", "message"),
    [
        (
            {"y": [[1.0, 2.0]]},
            UsageError,
            'names must be those of values, or labels that one layer alone has (such as "lin"',
        ),
        ({"%x.1": [[1, 2]], "lin": [[1, 2]]}, UsageError, 'value "%x.1" must be there once, not by two names.'),
        ({"%x.1": [1.0, 2.0, 3.0]}, InputError, '"%x.1": must have the shape (frames, 2), not (3,).'),
        ({"%x.1": np.zeros((0, 2))}, InputError, "must have the shape (frames, 2), not (0, 2)."),
        ({"%x.1": [[1j, 2]]}, InputError, "must be real numbers, not complex128."),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, arrays: dict[str, object], kind: type[FemtoError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        FloatValues(stored(tmp_path, arrays), SIZES, {"lin": "%x.1"})
    assert message in str(caught.value)
    assert str(caught.value).startswith("float_values: ")


def test_a_float_model_that_ran_fewer_frames_is_refused(tmp_path: Path) -> None:
    with FloatValues(stored(tmp_path, {"%x.1": [[1, 2]]}), SIZES, {}) as values, pytest.raises(InputError) as caught:
        values.frame("%x.1", 1)
    assert "must have a row for each frame that runs, not 1. Run as many frames" in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e101])
def test_what_is_no_number_is_refused(tmp_path: Path, value: float) -> None:
    path = stored(tmp_path, {"%x.1": [[1e100, -1e100], [1, value]]})
    with FloatValues(path, SIZES, {}) as values:
        assert values.frame("%x.1", 0).tolist() == [1e100, -1e100]
        with pytest.raises(
            InputError, match=r'"%x\.1" must have finite numbers of at most 1e\+100, which those of frame 1'
        ):
            values.frame("%x.1", 1)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(InputError, match=r"numpy\.savez"):
        FloatValues(path, SIZES, {})
    with pytest.raises(InputError):
        FloatValues(tmp_path / "gone.npz", SIZES, {})
