"""The request that push views get: Django's, but made of only what they read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core.handlers.asgi import ASGIRequest


class PushRequest(ASGIRequest):
    """A Django request whose body was read before.

    META holds the headers alone, and there is neither a query nor a form: to gather all that takes
    as long as to check a token.
    """

    def __init__(self, scope: dict[str, Any], body: bytes) -> None:
        self.scope = scope
        self.method = scope["method"]
        self.path = self.path_info = scope["path"]
        meta: dict[str, str] = {}
        for octets, value in scope["headers"]:
            name, text = meta_name(octets), value.decode("latin-1")
            if name:
                meta[name] = f"{meta[name]},{text}" if name in meta else text
        self.META = meta
        self._body = body


@lru_cache(maxsize=256)
def meta_name(octets: bytes) -> str:
    """Return a header's name as META has it; "" for one that is not taken.

    Django takes none with an underscore: it could be mistaken for the one with a hyphen.
    """
    name = octets.decode("latin-1").upper()
    if "_" in name:
        return ""
    plain = name.replace("-", "_")
    return plain if plain in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{plain}"
