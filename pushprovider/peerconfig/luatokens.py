"""The words of a Lua file."""

from __future__ import annotations

import re

from pushprovider.peerconfig.result import BadConfig

_LONG = r"\[(?P<{0}>=*)\[.*?\](?P={0})\]"
_TOKEN = re.compile(
    "|".join(
        [
            r"(?P<space>\s+|--" + _LONG.format("l1") + r"|--(?!\[=*\[)[^\n]*)",
            r"(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|" + _LONG.format("l2") + ")",
            r"(?P<endless>(?:--)?\[=*\[)",  # a long string or comment without its end
            r"(?P<number>0[xX][0-9a-fA-F]{1,15}|(?:\d{1,15}\.?\d{0,15}|\.\d{1,15})"
            r"(?:[eE][+-]?\d{1,2})?)",
            r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)",
            r"(?P<mark>\.\.\.?|[=~<>]=|::|[-+*/%^#=<>(){}\[\];:,.&|~])",
        ]
    ),
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(z\s*|x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]{1,6}\}|\d{1,3}|\r?\n|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
#: A configuration has few of them; a hostile one shall not take long.
_MOST_TOKENS = 200_000

Token = tuple[str, str, int]  # kind, text, line


def tokens(text: str) -> list[Token]:
    """Return the tokens of a file. Raises BadConfig where it is no Lua."""
    found: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup == "endless" or len(found) > _MOST_TOKENS:
            raise BadConfig(f"line {line} is not Prosody's language.")
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0], line))
        line += match[0].count("\n")
        position = match.end()
    return found


def unquoted(text: str) -> str:
    """Return what a string literal says. Escapes of bytes are UTF-8 together."""
    if text[0] == "[":
        inner = text[text.index("[", 1) + 1 : -(text.index("[", 1) + 1)]
        return inner.removeprefix("\n")
    raw = _ESCAPE.sub(_unescape, text[1:-1]).encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace")


def _unescape(match: re.Match[str]) -> str:
    said = match[1]
    if said[0] == "z":
        return ""
    if said[0] == "u" and len(said) > 1:
        code = int(said[2:-1], 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    if said[0] == "x" and len(said) == 3:
        return _byte(int(said[1:], 16))
    if said.isdecimal():
        return _byte(int(said) & 0xFF)
    return _LETTERS.get(said, "\n" if said[-1] == "\n" else said)


def _byte(value: int) -> str:
    """Return a byte as the character that "surrogateescape" writes as that byte."""
    return chr(value) if value < 128 else chr(0xDC00 + value)
