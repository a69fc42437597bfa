"""The one kind of file that Prosody's internal storage writes for an endpoint: a flat Lua table.

    return {
            ["exp"] = 4102444867;
            ["sub"] = "juliet@example.org/phone";
    };

Such a file is a program, and Prosody runs it. We read only this form: names in brackets, strings,
numbers. A table within the table, a call, a comment: not such a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Bytes of a file; the longest JID with every byte escaped has 12 kB.
LONGEST = 65_536

_TOKEN = re.compile(
    rb"""[ \t\r\n]*(?:
        (?P<string>"(?:[^"\\\r\n]|\\.)*")
      | (?P<number>-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?)(?![0-9A-Za-z_.])
      | (?P<word>return)(?![0-9A-Za-z_])
      | (?P<sign>[{}\[\]=;])
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\([0-9]{1,3}|.)", re.DOTALL)
_PLAIN = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
    b"\\": b"\\", b'"': b'"', b"'": b"'", b"\n": b"\n",
}  # fmt: skip

Value = str | int | float


class NotATable(ValueError):
    """The file is something else, or only half of one."""


def read(octets: bytes) -> dict[str, Value]:
    """Return the table's fields. Raises NotATable. Time and memory grow with the length only."""
    if len(octets) > LONGEST:
        raise NotATable("too long")
    tokens = _tokens(octets)
    _expect(tokens, b"return", b"{")
    found: dict[str, Value] = {}
    while True:
        kind, text = next(tokens)
        if text == b"}" and kind == "sign":
            break
        if (kind, text) != ("sign", b"["):
            raise NotATable("cut off" if kind == "end" else "not a field")
        kind, text = next(tokens)
        name = _value(kind, text)
        _expect(tokens, b"]", b"=")
        value = _value(*next(tokens))
        _expect(tokens, b";")
        if kind != "string" or name in found:
            raise NotATable("not a name, or one twice")
        found[str(name)] = value
    kind, text = next(tokens)
    if (kind, text) == ("sign", b";"):
        kind, text = next(tokens)
    if kind != "end":
        raise NotATable("something follows the table")
    return found


def _tokens(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield kind and text of each token; the last one is the end, once."""
    at = 0
    while True:
        found = _TOKEN.match(octets, at)
        if found is None:
            raise NotATable("not Lua data")
        kind = str(found.lastgroup)
        yield kind, found[kind]
        if kind == "end":
            raise NotATable("cut off")
        at = found.end()


def _expect(tokens: Iterator[tuple[str, bytes]], *texts: bytes) -> None:
    for wanted in texts:
        kind, text = next(tokens)
        if text != wanted or kind == "string":
            raise NotATable("cut off, or not a flat table")


def _value(kind: str, text: bytes) -> Value:
    if kind == "number":
        # Lua 5.1 has one kind of number: 1e9 is a whole one, too.
        return int(text) if re.fullmatch(rb"-?[0-9]+", text) else float(text)
    if kind != "string":
        raise NotATable("not a string or a number")
    try:
        return _ESCAPE.sub(_unescape, text[1:-1]).decode("utf-8")
    except UnicodeDecodeError:
        raise NotATable("not UTF-8") from None


def _unescape(found: re.Match[bytes]) -> bytes:
    text = found[1]
    if text.isdigit():
        if int(text) > 255:
            raise NotATable("not an escape")
        return bytes([int(text)])
    if text not in _PLAIN:
        raise NotATable("not an escape")
    return _PLAIN[text]
