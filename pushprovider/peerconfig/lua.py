"""A Prosody configuration file, read and never run: options with literal values, by host.

It is Lua, so anything may be in there. What is read: literals of every kind, tables, arithmetic
and `..` on them, names given by `local`, and Prosody's own words (VirtualHost, Component,
Include). The value of anything else is UNKNOWN; blocks of code are passed over, with a note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pushprovider.peerconfig.luatokens import Token, tokens, unquoted
from pushprovider.peerconfig.result import BadConfig


class Unknown:
    """A value that only running the file would tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass
class Host:
    """A section: its kind ("", "VirtualHost" or "Component"), name, module and options."""

    kind: str
    name: str
    module: str = ""
    options: dict[str, Any] = field(default_factory=dict)


_OPEN, _CLOSE = {"if", "for", "while", "function", "repeat", "do"}, {"end", "until"}
#: By how tightly they bind. Comparisons are only passed over: their value is UNKNOWN.
_SUMS = ("+", "-", "..", "and", "or", "==", "~=", "<", ">", "<=", ">=")
_PRODUCTS = ("*", "/", "^", "%")
_DEEPEST = 50
_LARGEST = 10**15
Include = Callable[[str], list[str]]


class Reader:
    """Reads one file, and what it includes, into `hosts`; `notes` are for the operator."""

    def __init__(self, include: Include) -> None:
        self.hosts: list[Host] = [Host("", "*")]
        self.notes: list[str] = []
        self._include = include
        self._locals: dict[str, Any] = {}
        self._tokens: list[Token] = []
        self._at = 0
        self._depth = 0

    def read(self, text: str, depth: int = 0) -> None:
        """Read a file's text. Raises BadConfig."""
        if depth > 8:
            raise BadConfig("files include each other.")
        outer = self._tokens, self._at
        self._tokens, self._at = tokens(text), 0
        while self._at < len(self._tokens):
            self._statement(depth)
        self._tokens, self._at = outer

    # --- statements -------------------------------------------------------------------------

    def _statement(self, depth: int) -> None:
        kind, text, line = self._next()
        if text == ";":
            return
        if kind != "name":
            raise BadConfig(f"line {line}: an option was expected, not {text[:20]!r}.")
        if text == "local" and self._peek() != "function":
            name = self._next()[1]
            self._locals[name] = self._value() if self._take("=") else None
        elif text == "local":
            self._block(*self._next()[1:])
        elif text in _OPEN:
            self._block(text, line)
        elif text in ("VirtualHost", "Host", "Component"):
            self._section(text, line)
        elif text in ("Include", "include"):
            self._included(depth, line)
        elif self._take("="):
            self.hosts[-1].options[text] = self._value()
        elif self._kind() == "string" or self._peek() == "{":
            self.hosts[-1].options[text] = self._value()  # name "value", name { ... }
        else:
            self._skip(text, line)

    def _section(self, kind: str, line: int) -> None:
        name = self._argument()
        if not isinstance(name, str):
            raise BadConfig(f"line {line}: the name of a {kind} was expected.")
        self.hosts.append(Host("Component" if kind == "Component" else "VirtualHost", name.lower()))
        while self._kind() == "string" or self._peek() == "{":
            value = self._value()
            if isinstance(value, str):
                self.hosts[-1].module = value
            elif isinstance(value, dict):
                self.hosts[-1].options.update(
                    {name: one for name, one in value.items() if isinstance(name, str)}
                )

    def _argument(self) -> Any:
        """Return the argument of a call that is written `f "x"` or `f("x")`."""
        if not self._take("("):
            return self._value() if self._kind() == "string" else UNKNOWN
        value = self._value()
        self._take(")")
        return value

    def _included(self, depth: int, line: int) -> None:
        name = self._argument()
        if not isinstance(name, str):
            self.notes.append(f"line {line}: an Include that cannot be followed was left out.")
            return
        for text in self._include(name):
            self.read(text, depth + 1)

    def _skip(self, word: str, line: int) -> None:
        """Pass over a statement of one line, or of several as far as its brackets go."""
        self._passed_over(word, line)
        depth = 0
        while self._at < len(self._tokens) and (depth or self._tokens[self._at][2] == line):
            text = self._next()[1]
            depth += (text in ("(", "{", "[")) - (text in (")", "}", "]"))

    def _block(self, word: str, line: int) -> None:
        """Pass over a block of code, whose first word was read, to its end."""
        self._passed_over(word, line)
        depth = 1
        heads = 1 if word in ("for", "while") else 0  # their `do` has no end of its own
        while depth and self._at < len(self._tokens):
            text = self._next()[1]
            if text == "do" and heads:
                heads -= 1
            elif text in _OPEN:
                depth += 1
                heads += text in ("for", "while")
            elif text in _CLOSE:
                depth -= 1
        if word == "repeat":
            self._value()

    def _passed_over(self, word: str, line: int) -> None:
        self.notes.append(f"line {line}: Lua code is not run, so {word!r} was passed over.")

    # --- values -----------------------------------------------------------------------------

    def _value(self) -> Any:
        """Return the value of an expression."""
        value = self._product()
        while (operator := self._peek()) in _SUMS:
            self._at += 1
            value = _combined(operator, value, self._product())
        return value

    def _product(self) -> Any:
        value = self._term()
        while (operator := self._peek()) in _PRODUCTS:
            self._at += 1
            value = _combined(operator, value, self._term())
        return value

    def _term(self) -> Any:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadConfig("values are nested too deeply.")
        value = self._used(*self._operand())
        self._depth -= 1
        return value

    def _operand(self) -> tuple[Any, str]:
        """Return a value and the kind of its first token."""
        kind, text, line = self._next()
        value: Any = UNKNOWN
        if kind == "string":
            value = unquoted(text)
        elif kind == "number":
            value = _number(text)
        elif text == "{":
            value = self._table()
        elif text == "(":
            value = self._value()
            self._expect(")", line)
        elif text == "-":
            inner = self._term()
            value = -inner if isinstance(inner, int | float) else UNKNOWN
        elif text in ("not", "#"):
            self._term()
        elif text == "function":
            self._block(text, line)
        elif kind == "name":
            words = {"true": True, "false": False, "nil": None}
            value = words[text] if text in words else self._locals.get(text, UNKNOWN)
        else:
            raise BadConfig(f"line {line}: a value was expected, not {text[:20]!r}.")
        return value, kind

    def _used(self, value: Any, kind: str) -> Any:
        """Calls and look-ups behind a name make the value unknown."""
        while kind == "name" and (self._peek() in (".", ":", "(", "[") or self._kind() == "string"):
            value = UNKNOWN
            text = self._next()[1]
            if text in (".", ":"):
                self._next()
            elif text in ("(", "["):
                while not self._take({"(": ")", "[": "]"}[text]):
                    self._value()
                    self._take(",")
        return value

    def _table(self) -> dict[Any, Any]:
        """Return a table: list items by number from 1, as Lua has them."""
        line = self._tokens[self._at - 1][2]
        table: dict[Any, Any] = {}
        index = 1
        while not self._take("}"):
            if self._at >= len(self._tokens):
                raise BadConfig(f"line {line}: a table has no end.")
            if self._take("["):
                key = self._value()
                self._expect("]", line)
                self._expect("=", line)
                table[key if isinstance(key, str | int | float) else UNKNOWN] = self._value()
            elif self._kind() == "name" and self._peek(1) == "=":
                key = self._next()[1]
                self._next()
                table[key] = self._value()
            else:
                table[index] = self._value()
                index += 1
            if not self._take(","):
                self._take(";")
        return table

    # --- tokens -----------------------------------------------------------------------------

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise BadConfig("the file ends in the middle of something.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        if at >= len(self._tokens) or self._tokens[at][0] == "string":
            return ""
        return self._tokens[at][1]

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, text: str) -> bool:
        found = self._peek() == text
        self._at += found
        return found

    def _expect(self, text: str, line: int) -> None:
        if not self._take(text):
            raise BadConfig(f"line {line}: {text!r} is missing.")


def _number(text: str) -> int | float:
    if text[:2].lower() == "0x":
        return int(text, 16)
    return int(text) if text.isdecimal() else float(text)


def _combined(operator: str, left: Any, right: Any) -> Any:
    """Return `left operator right` for what configurations do, else UNKNOWN."""
    if operator == "..":
        both = [left, right]
        if all(isinstance(one, str | int) and not isinstance(one, bool) for one in both):
            return f"{left}{right}"
        return UNKNOWN
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (left, right)):
        return UNKNOWN
    value: float | None = None
    match operator:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            value = left * right
        case "/" if right:
            value = left / right
    return UNKNOWN if value is None or abs(value) > _LARGEST else value
