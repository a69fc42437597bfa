"""Who issued an endpoint, and what its token says. No Django: the settings need it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The formats of the servers that this one replaces."""

    UP = "up"
    PROSODY_PASETO = "prosody-paseto"
    PROSODY_JWT = "prosody-jwt"
    PROSODY_STORAGE = "prosody-storage"
    EJABBERD = "ejabberd"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that needs no row says. `expires_at` in milliseconds since 1970."""

    kind: Kind
    account: str
    resource: str
    application: str
    instance: str
    expires_at: int

    @property
    def device(self) -> str:
        """The full JID."""
        return f"{self.account}/{self.resource}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A token of a kind that names a row: import_prosody may have taken it over.

    `address`: what stood before it, where that is known; it must be the imported URL's.
    """

    key: bytes
    address: str = ""


#: A token that is not of our own form.
Old = Claims | Stored
