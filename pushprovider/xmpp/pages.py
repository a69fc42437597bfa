"""What an ad-hoc command shows, and how it refuses; what every command is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

Fields = dict[str, str]


class Wrong(Exception):
    """What was asked for cannot be done; nothing was. A stanza error's condition and text."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a command: a form, or (at the end) a result, a note, or both."""

    xml: str = ""
    note: str = ""
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A node and what it does."""

    name: str
    begin: Callable[[str, int], Page]
    end: Callable[[str, Fields, int], Page]
    for_operators: bool = False


def day(ms: int) -> str:
    """Return a moment as people read it."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d %H:%M} UTC"
