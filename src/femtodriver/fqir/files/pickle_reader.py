"""Our own restricted pickle machine: about forty opcodes that build plain values, records and stubs.

It imports nothing and calls nothing that a file names; ``allowed_constructors`` interprets the few callables that graph
files use. It does not recurse, and meaning is only read after STOP, so aliases through the memo open no gap
between check and use.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable

from femtodriver.errors import ModelError
from femtodriver.fqir.files.allowed_constructors import build, call, new_record
from femtodriver.fqir.files.allowed_names import GLOBALS
from femtodriver.fqir.files.load_limits import MAX_OPCODES, Budget
from femtodriver.fqir.files.passive_records import RECORD_SET, Marker, Record, RecordSet
from femtodriver.safe_text import describe, quote

_STOP = 0x2E
_PROTOCOLS = (2, 3, 4, 5)
_MAX_GLOBAL_LINE = 128
_MAX_INT_BYTES = 16
# A text takes up to four times its bytes in the file if one character is rare enough: short ones are counted
# against the budget, longer ones are array payloads (code points up to 255) and must look like it.
_SHORT_TEXT = 1 << 8
_LONG_TEXT = 1 << 20
_LATIN1_IN_UTF8 = bytes(range(0xC4))

_I32 = struct.Struct("<i").unpack_from
_U32 = struct.Struct("<I").unpack_from
_U64 = struct.Struct("<Q").unpack_from
_U16 = struct.Struct("<H").unpack_from
_F64 = struct.Struct(">d").unpack_from


class PickleMachine:
    """Runs the pickles in ``data`` within ``budget``."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data = data
        self._budget = budget
        self._handlers: list[Callable[[int], int]] = [self._refuse] * 256
        for code, method in _METHODS.items():
            self._handlers[code] = getattr(self, method)
        self._reset()

    def _reset(self) -> None:
        self._stack: list[object] = []
        self._outer: list[list[object]] = []
        self._memo: dict[int, object] = {}
        self._executed = 0

    @property
    def size(self) -> int:
        """Bytes of the whole stream."""
        return len(self._data)

    def load(self, start: int = 0) -> tuple[object, int]:
        """The value of the pickle that begins at ``start``, and the position after its STOP.

        Raises ModelError for anything but a well-formed pickle of protocol 2 to 5 with allowed content.
        """
        self._reset()
        head = self._data[start : start + 2]
        if len(head) < 2 or head[0] != 0x80 or head[1] not in _PROTOCOLS:
            raise ModelError("the pickle must start with protocol 2, 3, 4 or 5; save the graph with torch.save.")
        try:
            end = self._run(start + 2)
        except (IndexError, struct.error):
            raise ModelError("the pickle must be complete, but it ends early or uses an empty stack.") from None
        self._budget.opcodes -= self._executed
        if self._outer or len(self._stack) != 1:
            raise ModelError(f"the pickle must leave one value, not {len(self._stack)}, and no open mark.")
        return self._stack.pop(), end

    def _run(self, position: int) -> int:
        data, handlers = self._data, self._handlers
        for self._executed in range(self._budget.opcodes):  # noqa: B020  (the count is needed by _put)
            code = data[position]
            if code == _STOP:
                return position + 1
            position = handlers[code](position + 1)
        raise ModelError(f"the pickle must have at most {MAX_OPCODES} opcodes; the graph is too large or hostile.")

    def _refuse(self, position: int) -> int:
        code = self._data[position - 1]
        raise ModelError(
            f"the pickle must only use the opcodes of graph files, not 0x{code:02x} (byte {position - 1})."
        )

    # ---- values ----------------------------------------------------------------------------------------------

    def _none(self, position: int) -> int:
        self._stack.append(None)
        return position

    def _true(self, position: int) -> int:
        self._stack.append(True)
        return position

    def _false(self, position: int) -> int:
        self._stack.append(False)
        return position

    def _int32(self, position: int) -> int:
        self._stack.append(_I32(self._data, position)[0])
        return position + 4

    def _int8(self, position: int) -> int:
        self._stack.append(self._data[position])
        return position + 1

    def _int16(self, position: int) -> int:
        self._stack.append(_U16(self._data, position)[0])
        return position + 2

    def _long(self, position: int) -> int:
        raw, position = self._take(position + 1, self._data[position])
        if len(raw) > _MAX_INT_BYTES:
            raise ModelError(f"a whole number must have at most {_MAX_INT_BYTES} bytes, not {len(raw)}.")
        self._stack.append(int.from_bytes(raw, "little", signed=True))
        return position

    def _float(self, position: int) -> int:
        self._stack.append(_F64(self._data, position)[0])
        return position + 8

    # ---- text and bytes --------------------------------------------------------------------------------------

    def _take(self, position: int, length: int) -> tuple[bytes, int]:
        end = position + length
        if end > len(self._data):
            raise ModelError(f"a length must fit the rest of the file, not be {length} bytes.")
        return self._data[position:end], end

    def _push_text(self, position: int, length: int) -> int:
        raw, end = self._take(position, length)
        if length > _LONG_TEXT and not raw.isascii() and raw.translate(None, _LATIN1_IN_UTF8):
            raise ModelError(f"a text of more than {_LONG_TEXT} bytes must be Latin-1 (an array), not wider.")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ModelError("every text must be valid UTF-8; the file is damaged.") from None
        if length > _SHORT_TEXT:
            self._budget.widen(sys.getsizeof(text) - length)
        self._stack.append(text)
        return end

    def _text8(self, position: int) -> int:
        return self._push_text(position + 1, self._data[position])

    def _text32(self, position: int) -> int:
        return self._push_text(position + 4, _U32(self._data, position)[0])

    def _text64(self, position: int) -> int:
        return self._push_text(position + 8, _U64(self._data, position)[0])

    def _push_bytes(self, position: int, length: int) -> int:
        raw, end = self._take(position, length)
        self._stack.append(raw)
        return end

    def _bytes8(self, position: int) -> int:
        return self._push_bytes(position + 1, self._data[position])

    def _bytes32(self, position: int) -> int:
        return self._push_bytes(position + 4, _U32(self._data, position)[0])

    def _bytes64(self, position: int) -> int:
        return self._push_bytes(position + 8, _U64(self._data, position)[0])

    def _frame(self, position: int) -> int:
        if _U64(self._data, position)[0] > len(self._data) - position - 8:
            raise ModelError("a frame length must fit the rest of the file; the file is damaged.")
        return position + 8

    # ---- containers ------------------------------------------------------------------------------------------

    def _mark(self, position: int) -> int:
        self._outer.append(self._stack)
        self._stack = []
        return position

    def _pop_mark(self) -> list[object]:
        items = self._stack
        self._stack = self._outer.pop()
        return items

    def _empty_tuple(self, position: int) -> int:
        self._stack.append(())
        return position

    def _tuple(self, position: int) -> int:
        items = self._pop_mark()
        self._stack.append(tuple(items))
        return position

    def _tuple1(self, position: int) -> int:
        self._stack[-1] = (self._stack[-1],)
        return position

    def _tuple2(self, position: int) -> int:
        second = self._stack.pop()
        self._stack[-1] = (self._stack[-1], second)
        return position

    def _tuple3(self, position: int) -> int:
        third, second = self._stack.pop(), self._stack.pop()
        self._stack[-1] = (self._stack[-1], second, third)
        return position

    def _empty_list(self, position: int) -> int:
        self._stack.append([])
        return position

    def _append(self, position: int) -> int:
        item = self._stack.pop()
        self._list_on_top().append(item)
        return position

    def _appends(self, position: int) -> int:
        items = self._pop_mark()
        self._list_on_top().extend(items)
        return position

    def _list_on_top(self) -> list[object]:
        target = self._stack[-1]
        if type(target) is list:
            return target
        raise ModelError(f"only a list may be appended to, not {describe(target)}.")

    def _empty_dict(self, position: int) -> int:
        self._stack.append({})
        return position

    def _set_item(self, position: int) -> int:
        value, key = self._stack.pop(), self._stack.pop()
        self._put_items((key,), (value,))
        return position

    def _set_items(self, position: int) -> int:
        items = self._pop_mark()
        if len(items) % 2:
            raise ModelError("dict items must come in pairs of key and value; the file is damaged.")
        self._put_items(items[::2], items[1::2])
        return position

    def _put_items(self, keys: list[object] | tuple[object], values: list[object] | tuple[object]) -> None:
        target = self._stack[-1]
        if type(target) is not dict:
            raise ModelError(f"items may only be set in a dict, not in {describe(target)}.")
        for key, value in zip(keys, values, strict=True):
            if type(key) is not str:
                raise ModelError(f"dict keys must be text, not {describe(key)}.")
            target[key] = value

    def _empty_set(self, position: int) -> int:
        self._stack.append(RECORD_SET)
        return position

    def _add_items(self, position: int) -> int:
        items = self._pop_mark()
        if not isinstance(self._stack[-1], RecordSet):
            raise ModelError(f"items may only be added to a set, not to {describe(self._stack[-1])}.")
        for item in items:
            if type(item) is not Record:
                raise ModelError(f"set elements must be graph records, not {describe(item)}.")
        return position

    # ---- memo ------------------------------------------------------------------------------------------------

    def _put(self, slot: int) -> None:
        if slot > self._executed:
            raise ModelError(f"a memo slot must not exceed the number of opcodes ({self._executed}), as {slot} does.")
        self._memo[slot] = self._stack[-1]

    def _put8(self, position: int) -> int:
        self._put(self._data[position])
        return position + 1

    def _put32(self, position: int) -> int:
        self._put(_U32(self._data, position)[0])
        return position + 4

    def _memoize(self, position: int) -> int:
        self._memo[len(self._memo)] = self._stack[-1]
        return position

    def _get(self, slot: int) -> None:
        try:
            self._stack.append(self._memo[slot])
        except KeyError:
            raise ModelError(f"memo slot {slot} must be written before it is read; the file is damaged.") from None

    def _get8(self, position: int) -> int:
        self._get(self._data[position])
        return position + 1

    def _get32(self, position: int) -> int:
        self._get(_U32(self._data, position)[0])
        return position + 4

    # ---- objects ---------------------------------------------------------------------------------------------

    def _global(self, position: int) -> int:
        module, position = self._line(position)
        name, position = self._line(position)
        self._push_global(module, name)
        return position

    def _line(self, position: int) -> tuple[str, int]:
        end = self._data.find(b"\n", position, position + _MAX_GLOBAL_LINE)
        if end < 0:
            raise ModelError(f"module and class names must be lines of at most {_MAX_GLOBAL_LINE} bytes.")
        return self._data[position:end].decode("ascii", "backslashreplace"), end + 1

    def _stack_global(self, position: int) -> int:
        name, module = self._stack.pop(), self._stack.pop()
        if type(module) is not str or type(name) is not str:
            raise ModelError(f"module and class names must be text, not {describe(module)} and {describe(name)}.")
        self._push_global(module, name)
        return position

    def _push_global(self, module: str, name: str) -> None:
        marker = GLOBALS.get((module, name))
        if marker is None:
            raise ModelError(
                f"the pickle must only name classes of graph files, not {quote(name)} of {quote(module)}; "
                "a file that names other code is refused."
            )
        self._stack.append(marker)

    def _new_object(self, position: int) -> int:
        arguments = self._stack.pop()
        self._stack[-1] = new_record(self._stack[-1], arguments)
        return position

    def _reduce(self, position: int) -> int:
        arguments = self._stack.pop()
        function = self._stack[-1]
        if not isinstance(function, Marker) or function.role != "call" or type(arguments) is not tuple:
            raise ModelError(f"only the constructors of graph files may be called, not {describe(function)}.")
        self._stack[-1] = call(function, arguments, self._budget)
        return position

    def _build(self, position: int) -> int:
        state = self._stack.pop()
        build(self._stack[-1], state, self._budget)
        return position


_METHODS: dict[int, str] = {
    0x28: "_mark",
    0x29: "_empty_tuple",
    0x42: "_bytes32",
    0x43: "_bytes8",
    0x47: "_float",
    0x4A: "_int32",
    0x4B: "_int8",
    0x4D: "_int16",
    0x4E: "_none",
    0x52: "_reduce",
    0x58: "_text32",
    0x5D: "_empty_list",
    0x61: "_append",
    0x62: "_build",
    0x63: "_global",
    0x65: "_appends",
    0x68: "_get8",
    0x6A: "_get32",
    0x71: "_put8",
    0x72: "_put32",
    0x73: "_set_item",
    0x74: "_tuple",
    0x75: "_set_items",
    0x7D: "_empty_dict",
    0x81: "_new_object",
    0x85: "_tuple1",
    0x86: "_tuple2",
    0x87: "_tuple3",
    0x88: "_true",
    0x89: "_false",
    0x8A: "_long",
    0x8C: "_text8",
    0x8D: "_text64",
    0x8E: "_bytes64",
    0x8F: "_empty_set",
    0x90: "_add_items",
    0x93: "_stack_global",
    0x94: "_memoize",
    0x95: "_frame",
    0x96: "_bytes64",
}
