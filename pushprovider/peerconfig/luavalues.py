"""The values of a Lua file, as far as they can be known without running it."""

from __future__ import annotations

from typing import Any

from pushprovider.peerconfig.luatokens import Token, unquoted
from pushprovider.peerconfig.result import BadConfig

#: Words that begin a block of code.
BLOCKS, _CLOSE = {"if", "for", "while", "function", "repeat", "do"}, {"end", "until"}
#: By how tightly they bind. Comparisons are only passed over: their value is UNKNOWN.
_SUMS = ("+", "-", "..", "and", "or", "==", "~=", "<", ">", "<=", ">=")
_PRODUCTS = ("*", "/", "^", "%")
_DEEPEST = 50
_LARGEST = 10**15


class Unknown:
    """A value that only running the file would tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Values:
    """Reads expressions; `notes` say what code was passed over."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._locals: dict[str, Any] = {}
        self._tokens: list[Token] = []
        self._at = 0
        self._depth = 0

    def _block(self, word: str, line: int) -> None:
        """Pass over a block of code, whose first word was read, to its end."""
        self._passed_over(word, line)
        depth = 1
        heads = 1 if word in ("for", "while") else 0  # their `do` has no end of its own
        while depth and self._at < len(self._tokens):
            text = self._next()[1]
            if text == "do" and heads:
                heads -= 1
            elif text in BLOCKS:
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
