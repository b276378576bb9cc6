"""The restricted pickle machine: equal to CPython's on plain values, refusing the rest (see test_attacks)."""

from __future__ import annotations

import contextlib
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_limits import MAX_OPCODES, Budget
from femtodriver.fqir.files.passive_records import RECORD_SET, ArrayStub, Record
from femtodriver.fqir.files.pickle_reader import PickleMachine
from tests.fqir.graph_wire import (
    NODE,
    Raw,
    array,
    bare,
    dtype,
    enc,
    get,
    name,
    new,
    put,
    record,
    reduce,
)


def loaded(data: bytes) -> Any:
    value, end = PickleMachine(data, Budget(len(data))).load()
    assert end == len(data)
    return value


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 127), (1 << 127) - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(plain, st.integers(2, 5))
def test_plain_values_come_out_as_they_went_in(value: Any, protocol: int) -> None:
    found = loaded(pickle.dumps(value, protocol))
    assert found == value
    assert repr(found) == repr(value)  # 1, 1.0 and True are equal, but not the same


@settings(max_examples=50, deadline=None)
@given(st.binary(), st.integers(2, 5))
def test_byte_strings_come_out_as_they_went_in(value: bytes, protocol: int) -> None:
    assert loaded(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_large_values_use_the_wide_opcodes(protocol: int) -> None:
    value = ["a" * 70_000, list(range(3000)), {str(index): -index for index in range(3000)}, b"\xff" * 70_000]
    assert loaded(pickle.dumps(value, protocol)) == value


def test_bytearrays_are_bytes() -> None:
    assert loaded(pickle.dumps(bytearray(b"abc"), 5)) == b"abc"


def test_ordered_dicts_are_dicts() -> None:
    for protocol in (2, 4):
        found = loaded(pickle.dumps(OrderedDict(b=1, a=2), protocol))
        assert type(found) is dict
        assert list(found) == ["b", "a"]


def test_shared_and_cyclic_lists_stay_so() -> None:
    value: list[Any] = [[], None]
    value[1] = value[0]
    value.append(value)
    found = loaded(pickle.dumps(value, 4))
    assert found[0] is found[1]
    assert found[2] is found


def test_the_machine_goes_on_after_stop() -> None:
    data = bare(1) + bare("two") + bare([3])
    machine = PickleMachine(data, Budget(len(data)))
    position, found = 0, []
    while position < machine.size:
        value, position = machine.load(position)
        found.append(value)
    assert found == [1, "two", [3]]


def test_the_memo_does_not_outlive_its_pickle() -> None:
    data = bare(Raw(b"N" + put(0))) + bare(get(0))
    machine = PickleMachine(data, Budget(len(data)))
    _, position = machine.load()
    with pytest.raises(ModelError, match="before it is read"):
        machine.load(position)


def test_opcodes_are_counted_over_all_pickles_of_a_stream() -> None:
    data = bare(Raw(b"(" + b"N" * (MAX_OPCODES // 2) + b"t")) * 2
    machine = PickleMachine(data, Budget(len(data)))
    _, position = machine.load()
    with pytest.raises(ModelError, match="opcodes"):
        machine.load(position)


def test_records_are_inert() -> None:
    found = loaded(bare(record(NODE, {"name": "n", "anything": [1]})))
    assert isinstance(found, Record)
    assert (found.marker.kind, found.state) == ("node", {"name": "n", "anything": [1]})


def test_objects_may_refer_to_each_other_before_they_have_a_state() -> None:
    state = {"children": reduce(("builtins", "set"), [get(0)])}
    found = loaded(bare(Raw(new(NODE) + put(0) + enc(state) + b"b")))
    assert found.state == {"children": RECORD_SET}


def test_arrays_are_not_decoded_yet() -> None:
    found = loaded(bare(array(b"\1\0\0\0\2\0\0\0", (1, 2), True)))
    assert isinstance(found, ArrayStub)
    assert (found.shape, found.fortran, found.payload) == ((1, 2), True, b"\1\0\0\0\2\0\0\0")


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("code", ["b1", "i1", "<i2", ">i4", "<i8", "u1", ">u8", "<f2", ">f4", "<f8"])
def test_numpy_scalars_are_plain_numbers(code: str, protocol: int) -> None:
    value = np.array(1 if code == "b1" else 119).astype(code)[()]
    found = loaded(pickle.dumps(value, protocol))
    assert found == value
    assert type(found) is type(value.item())


def test_a_dtype_state_of_version_4_needs_empty_metadata() -> None:
    state = (4, "<", None, None, None, -1, -1, 0, None)
    assert loaded(bare(array(bytes(16), of=dtype(state=state)))).dtype.order == "<"


def test_a_value_may_be_a_type_but_not_be_called() -> None:
    assert loaded(bare(name("__builtin__", "long"))).role == "type"
    with pytest.raises(ModelError, match="may be called"):
        loaded(bare(reduce(("__builtin__", "long"))))


class Evil:
    def __reduce__(self) -> Any:
        return print, ("executed",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickled_call_is_refused(protocol: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match='must only name classes of graph files, not "print"'):
        loaded(pickle.dumps(Evil(), protocol))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("protocol", [0, 1])
def test_protocols_0_and_1_are_refused(protocol: int) -> None:
    with pytest.raises(ModelError, match="protocol 2, 3, 4 or 5"):
        loaded(pickle.dumps([1], protocol))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_opcodes_end_in_a_value_or_a_refusal(code: bytes) -> None:
    data = b"\x80\x04" + code
    with contextlib.suppress(ModelError):
        PickleMachine(data, Budget(len(data))).load()
