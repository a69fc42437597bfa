"""A Prosody configuration file, read and never run: options with literal values, by host.

It is Lua, so anything may be in there. What is read: literals of every kind, tables, arithmetic
and `..` on them, names given by `local`, and Prosody's own words (VirtualHost, Component,
Include). The value of anything else is UNKNOWN; blocks of code are passed over, with a note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pushprovider.peerconfig.luatokens import tokens
from pushprovider.peerconfig.luavalues import BLOCKS, UNKNOWN, Values
from pushprovider.peerconfig.result import BadConfig


@dataclass
class Host:
    """A section: its kind ("", "VirtualHost" or "Component"), name, module and options."""

    kind: str
    name: str
    module: str = ""
    options: dict[str, Any] = field(default_factory=dict)


Include = Callable[[str], list[str]]


class Reader(Values):
    """Reads one file, and what it includes, into `hosts`; `notes` are for the operator."""

    def __init__(self, include: Include) -> None:
        super().__init__()
        self.hosts: list[Host] = [Host("", "*")]
        self._include = include

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
        elif text in BLOCKS:
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
