"""Prosody's files: the one form that it writes, and nothing that merely runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pushprovider.legacy import luatable
from pushprovider.legacy.luatable import NotATable

GOOD = b"""return {
\t["application"] = "WjYs97edTQZ0gCcdlljv8qZu56Rv+nlSsmc0YZI4qUo=";
\t["exp"] = 4102444867;
\t["sub"] = "j\\195\\188rgen@example.org/Ger\\195\\164t \\"1\\" & <\\195\\188> \\'x\\' \\\\n";
};
"""


def test_it_works() -> None:
    assert luatable.read(GOOD) == {
        "application": "WjYs97edTQZ0gCcdlljv8qZu56Rv+nlSsmc0YZI4qUo=",
        "exp": 4102444867,
        "sub": "jürgen@example.org/Gerät \"1\" & <ü> 'x' \\n",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1e9", 1e9),
        (b"4102444867.5", 4102444867.5),
        (b"-7", -7),
        (b'"\\009\\n\\t\\065\\0651"', "\t\n\tAA1"),
        (b'""', ""),
        ('"ü"'.encode(), "ü"),
    ],
)
def test_strings_and_numbers(text: bytes, value: object) -> None:
    assert luatable.read(b'return { ["x"] = %s; };' % text) == {"x": value}
    assert luatable.read(b'return{["x"]=%s;}' % text) == {"x": value}


HOSTILE = [
    b"",
    b"return",
    b"return {",
    b"return { }; }",
    b'return { ["x"] = 1 }',
    b'return { ["x"] = 1; ',
    b'return { ["x"] = "cut',
    b'return { ["x"] = "cut\\',
    b'return { ["x"] = 1; }; os.exit(1)',
    b'os.execute("rm -rf /") return { };',
    b'return { ["x"] = os.time(); };',
    b'return { ["x"] = (function() while true do end end)(); };',
    b'return { ["x"] = { ["y"] = 1; }; };',
    b'return { ["x"] = "a" .. "b"; };',
    b'return { ["x"] = "a"; ["x"] = "b"; };',
    b'return { ["x"] = [[long]]; };',
    b'return { ["x"] = nil; };',
    b'return { ["x"] = true; };',
    b"return { x = 1; };",
    b"return { [1] = 1; };",
    b"return { 1, 2 };",
    b'return { --[[ c ]] ["x"] = 1; };',
    b'-- c\nreturn { ["x"] = 1; };',
    b'return { ["x"] = 0x10; };',
    b'return { ["x"] = 1e9999; };',
    b'return { ["x"] = 1/0; };',
    b'return { ["x"] = ' + b"9" * 30_000 + b"; };",
    b'return { ["x"] = "\\256"; };',
    b'return { ["x"] = "\\x41"; };',
    b'return { ["x"] = "\\z  a"; };',
    b'return { ["x"] = "\\u{41}"; };',
    b'return { ["x"] = "caf\xe9"; };',
    b'return { ["x"] = "\\255"; };',
    b'return { ["x"] = "two\nlines"; };',
    b"\x1bLua\x51\x00",
    b"\xef\xbb\xbf" + GOOD,
    GOOD.decode().encode("utf-16"),
    GOOD + GOOD,
    b"returns { };",
    b"return " + b"{" * 60_000,
    b'return { ["x"] = ' + b"{" * 60_000,
    b'return { ["' + b"\\" * 60_001 + b'"] = 1; };',
    b" " * 70_000,
    b'return { ["x"] = "' + b"a" * 70_000 + b'"; };',
    b"return { " + b'["x"] = 1; ' * 5000 + b"};",
]


@pytest.mark.parametrize("octets", HOSTILE, ids=lambda octets: repr(octets[:40]))
def test_anything_else_is_no_table(octets: bytes) -> None:
    began = time.process_time()
    with pytest.raises(NotATable):
        luatable.read(octets)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("length", range(len(GOOD) - 2))
def test_half_a_file_is_no_table(length: int) -> None:
    with pytest.raises(NotATable):
        luatable.read(GOOD[:length])


@given(st.dictionaries(st.text(max_size=9), st.text() | st.integers(0, 10**15), max_size=6))
def test_it_reads_what_prosody_writes(table: dict[str, str | int]) -> None:
    assert luatable.read(written(table)) == table


@given(st.binary(max_size=200))
@example(b"return {")
def test_it_never_fails_otherwise(octets: bytes) -> None:
    for tried in (octets, b"return {" + octets, b'return { ["x"] = ' + octets):
        with contextlib.suppress(NotATable):
            luatable.read(tried)


def written(table: Mapping[str, object]) -> bytes:
    """Write as util.serialization does."""
    lines = [f"\t[{quoted(name)}] = {quoted(value)};\n" for name, value in table.items()]
    return ("return {\n" + "".join(lines) + "};\n").encode("latin-1")


def quoted(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = [
        chr(octet) if 32 <= octet < 127 and chr(octet) not in "\"'\\" else f"\\{octet:03d}"
        for octet in str(value).encode()
    ]
    return '"' + "".join(escaped) + '"'
