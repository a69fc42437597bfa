"""What a configuration comes to: lines for .env, and notes for the operator."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pushprovider.legacy import keys

_PLAIN = re.compile(r"[A-Za-z0-9_./:@,*+=~-]*", re.ASCII)
#: Settings whose value is a list: a comma separates.
_LISTS = frozenset(
    {
        "LEGACY_UP_SECRETS",
        "LEGACY_PROSODY_JWT_SECRETS",
        "LEGACY_EJABBERD_KEYS",
        "REGISTRATION_ACL",
    }
)


class BadConfig(Exception):
    """The file cannot be used. The message is one line for the operator."""


@dataclass
class Migrated:
    """Settings by name, a list as a list; what could not be carried over, or needs a human."""

    settings: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def set(self, name: str, *values: str) -> None:
        """Set or extend a setting, unless .env cannot hold the value: then there is a note."""
        for value in values:
            if wrong := _unwritable(name, value):
                self.notes.append(f"{name} is left out: the value {wrong}.")
            elif value not in self.settings.setdefault(name, []):
                self.settings[name].append(value)

    def note(self, text: str) -> None:
        """Say something that the settings cannot say; the same thing once."""
        if text not in self.notes:
            self.notes.append(text)

    def lines(self) -> list[str]:
        """Return the lines for .env."""
        return [
            f"{name}={_quoted(','.join(values))}"
            for name, values in self.settings.items()
            if values
        ]


def _unwritable(name: str, value: str) -> str:
    if not value or value != value.strip():
        return "is empty, or begins or ends with white space"
    if not value.isprintable():
        return "has control characters"
    if name in _LISTS and "," in value:
        return "has a comma, which separates values there"
    if name in keys.READERS:  # the start would end with it
        try:
            keys.read(name, (value,))
        except keys.WrongKey as wrong:
            return f"is none that is honoured: {str(wrong).rstrip('.')}"
    return ""


def _quoted(value: str) -> str:
    """Write a value as django-environ reads it back, and systemd, too."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
