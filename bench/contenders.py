"""Who competes: Pushprovider in one or several settings, and mod_unified_push."""

from __future__ import annotations

import sys
from copy import copy
from pathlib import Path
from typing import Protocol

from tests.real.ports import LOOPBACK
from tests.real.prosody import Prosody
from tests.real.provider import Provider

#: Of nothing there is so much that it would be what is measured.
SETTINGS = {
    "PUSH_RATE_PER_ENDPOINT": "off",
    "PUSH_RATE_PER_ACCOUNT": "off",
    "MAX_STORED_PER_ENDPOINT": "1000000",
    "MAX_STORED_PER_ACCOUNT": "1000000",
}
_SYNC = {"FULL": "upconfig.settings", "NORMAL": "bench.settings_normal"}


class Contender(Protocol):
    """What gets pushes over HTTP and brings them to phones through the Prosody of all."""

    name: str
    component_jid: str

    def start(self) -> None:
        """Return when it is ready for registrations."""

    def close(self) -> None:
        """Stop what it has started."""

    def processes(self) -> dict[str, int]:
        """Return its processes besides Prosody: names and ids."""

    def waiting(self) -> int:
        """Return how many messages it still has to settle."""

    def log_text(self) -> str:
        """Return the end of what it has logged."""


class Product:
    """Both processes of Pushprovider, over a store of their own."""

    def __init__(self, folder: Path, prosody: Prosody, jid: str, server: str, sync: str) -> None:
        self.name = f"{server} {sync}"
        self.component_jid = jid
        folder.mkdir()
        own = copy(prosody)  # the same server, seen by another component
        own.component_jid = jid
        settings = {**SETTINGS, "DJANGO_SETTINGS_MODULE": _SYNC[sync]}
        self.provider = Provider(folder, own, settings=settings)
        if server == "uvicorn":
            self.provider.http.argv = [
                *[sys.executable, "-m", "uvicorn", "--host", LOOPBACK],
                *["--port", str(self.provider.port), "--no-access-log", "--log-level", "warning"],
                *["--lifespan", "off", "upconfig.asgi:application"],
            ]

    def start(self) -> None:
        """Return when it is ready for registrations."""
        self.provider.start()

    def close(self) -> None:
        """Stop both processes."""
        self.provider.close()

    def processes(self) -> dict[str, int]:
        """Return both processes."""
        return {"http": self.provider.http.pid, "component": self.provider.component.pid}

    def waiting(self) -> int:
        """Return how many messages are queued or sent, by a look into the store."""
        query = "SELECT COUNT(*) FROM pushprovider_message WHERE state <= 1"
        return int(self.provider.store.rows(query)[0][0])

    def log_text(self) -> str:
        """Return the end of both logs."""
        return self.provider.log_text()


class Peer:
    """mod_unified_push: inside Prosody, so it has no process and keeps nothing."""

    def __init__(self, prosody: Prosody, jid: str, backend: str) -> None:
        self._prosody = prosody
        self.name = f"mod_unified_push {backend}"
        self.component_jid = jid

    def start(self) -> None:
        """It starts with Prosody."""

    def close(self) -> None:
        """It stops with Prosody."""

    def processes(self) -> dict[str, int]:
        """It is inside Prosody."""
        return {}

    def waiting(self) -> int:
        """What it answered 201 was acknowledged before."""
        return 0

    def log_text(self) -> str:
        """It logs into Prosody's."""
        return self._prosody.log_text()
