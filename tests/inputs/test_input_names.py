"""Inputs under other names."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.errors import InputError
from femtodriver.inputs import InputSpec, check_frame, check_inputs
from femtodriver.inputs.input_names import by_own_names

AUDIO = InputSpec("serving_default_input_audio:0", 2, 8, other_names=("input_audio",))
OTHER = InputSpec("x", 1, 8, other_names=("input_audio", "y", "x"))


def test_an_input_may_be_given_under_its_other_name() -> None:
    rows = np.array([[1, 2], [3, 4]])
    for name in (AUDIO.name, "input_audio"):
        assert check_inputs({name: rows}, [AUDIO])[AUDIO.name].tolist() == rows.tolist()
        assert check_frame({name: rows[1]}, [AUDIO])[AUDIO.name].tolist() == [3, 4]
    assert by_own_names([{"input_audio": 1}, {"input_audio": 2}], [AUDIO]) == [{AUDIO.name: 1}, {AUDIO.name: 2}]


def test_a_name_of_two_inputs_and_both_names_of_one_are_no_names() -> None:
    with pytest.raises(InputError, match='"serving_default_input_audio:0", which is missing'):
        check_inputs({"input_audio": [[1, 2]], "y": [[1]]}, [AUDIO, OTHER])
    with pytest.raises(InputError, match='must be inputs of the network, not "input_audio"'):
        check_inputs({"input_audio": [[1, 2]], AUDIO.name: [[1, 2]]}, [AUDIO])


def test_what_is_no_mapping_is_left_alone() -> None:
    assert by_own_names(3, [AUDIO]) == 3
    assert by_own_names({"a": 1}, [InputSpec("a", 1, 8)]) == {"a": 1}
