"""Who competes: Pushprovider in one or several settings, mod_unified_push, and the ceiling."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.child import Child
from bench.stores import OwnStore
from tests.real.ports import LOOPBACK, answers, free_port
from tests.real.process import ManagedProcess
from tests.real.prosody import Prosody
from tests.real.provider import PROJECT, Provider

#: Of nothing there is so much that it would be what is measured.
SETTINGS = {
    "PUSH_RATE_PER_ENDPOINT": "off",
    "PUSH_RATE_PER_ACCOUNT": "off",
    "MAX_STORED_PER_ENDPOINT": "1000000",
    "MAX_STORED_PER_ACCOUNT": "1000000",
}
#: MAX_IN_FLIGHT_PER_DEVICE, as it is by default.
WINDOW = 16
_SYNC = {"FULL": "upconfig.settings", "NORMAL": "bench.settings_normal"}


class Contender(Protocol):
    """What gets pushes over HTTP and brings them to phones through the Prosody of all."""

    name: str
    component_jid: str
    #: Where it listens, if that is more than its endpoints say.
    ports: list[int]
    #: How long the last pushes of a turn may take to arrive before they count as lost.
    arrive_seconds: float

    def start(self) -> None:
        """Return when it is ready for registrations."""

    def close(self) -> None:
        """Stop what it has started."""

    def processes(self) -> dict[str, list[int]]:
        """Return its processes besides Prosody: names and ids."""

    def pusher(self, load: Child) -> Child:
        """Return who pushes to it: the load of all, or what it brings itself."""

    def waiting(self) -> int:
        """Return how many messages it still has to settle."""

    def log_text(self) -> str:
        """Return the end of what it has logged."""


@dataclass(frozen=True)
class Edition:
    """How Pushprovider is run."""

    server: str = "daphne"  # or uvicorn
    sync: str = "FULL"  # or NORMAL; SQLite only
    processes: int = 1  # of the HTTP server
    store: str = "sqlite"

    @property
    def name(self) -> str:
        """Return what it is called in tables."""
        words = [self.server, self.sync if self.store == "sqlite" else self.store]
        return " ".join([*words, *([f"x{self.processes}"] if self.processes > 1 else [])])


class Product:
    """The processes of Pushprovider, over a store of their own. `fill` gets the store first."""

    arrive_seconds = 60.0

    def __init__(
        self,
        folder: Path,
        prosody: Prosody,
        jid: str,
        edition: Edition,
        *,
        name: str = "",
        fill: Callable[[Path], None] | None = None,
    ) -> None:
        self.name = name or edition.name
        self.component_jid = jid
        folder.mkdir()
        own = copy(prosody)  # the same server, seen by another component
        own.component_jid = jid
        settings = {**SETTINGS, "DJANGO_SETTINGS_MODULE": _SYNC[edition.sync]}
        self.folder = folder
        self._own = OwnStore(edition.store, folder, fill)
        self.provider = Provider(folder, own, store=self._own.store, settings=settings)
        self.ports = [self.provider.port, *(free_port() for _ in range(edition.processes - 1))]
        self._https = [self._http(folder, edition.server, port) for port in self.ports]

    def _http(self, folder: Path, server: str, port: int) -> ManagedProcess:
        commands = {
            "daphne": ["daphne", "-v", "0", "-b", LOOPBACK, "-p", str(port)],
            # A sender's idle connection stays open as long as daphne's and Prosody's.
            "uvicorn": [
                *["uvicorn", "--host", LOOPBACK, "--port", str(port), "--lifespan", "off"],
                *["--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "120"],
            ],
        }
        command = [sys.executable, "-m", *commands[server], "upconfig.asgi:application"]
        log = folder / f"{server}-{port}.log"
        return ManagedProcess(server, command, self.provider.env, PROJECT, log)

    def start(self) -> None:
        """Return when it is ready for registrations."""
        self.provider.migrate()
        self._own.fill()
        self.start_processes()

    def start_processes(self) -> dict[str, float]:
        """Start them one after the other; return how long each took until it was ready (s)."""
        begin = time.monotonic()
        for http, port in zip(self._https, self.ports, strict=True):
            http.start(lambda port=port: answers(port), seconds=60)  # type: ignore[misc]
        assert self.provider.healthy(), self.log_text()
        between = time.monotonic()
        self.provider.component.start(self.provider.connected, seconds=60)
        return {"http": between - begin, "component": time.monotonic() - between}

    def stop_processes(self) -> None:
        """Stop them in good order."""
        for http in self._https:
            http.terminate()
        self.provider.stop_component()

    def close(self) -> None:
        """Stop all processes."""
        for http in self._https:
            http.kill()
        self.provider.close()
        self._own.close()

    def processes(self) -> dict[str, list[int]]:
        """Return all processes."""
        return {
            "http": [http.pid for http in self._https],
            "component": [self.provider.component.pid],
            **self._own.processes(),
        }

    def pusher(self, load: Child) -> Child:
        """It takes POSTs."""
        return load

    def waiting(self) -> int:
        """Return how many of the newest messages are queued or sent, by a look into the store."""
        return self._own.waiting()

    def log_text(self) -> str:
        """Return the end of all logs."""
        https = (http.log_text() for http in self._https)
        return "\n".join([*https, self.provider.component.log_text()])


class Peer:
    """mod_unified_push: inside Prosody, so it has no process and keeps nothing."""

    arrive_seconds = 2.0  # what it has answered 201 has arrived, or never will

    def __init__(self, prosody: Prosody, jid: str, backend: str) -> None:
        self._prosody = prosody
        self.name = f"mod_unified_push {backend}"
        self.component_jid = jid
        self.ports: list[int] = []

    def start(self) -> None:
        """It starts with Prosody."""

    def close(self) -> None:
        """It stops with Prosody."""

    def processes(self) -> dict[str, list[int]]:
        """It is inside Prosody."""
        return {}

    def pusher(self, load: Child) -> Child:
        """It takes POSTs."""
        return load

    def waiting(self) -> int:
        """What it answered 201 was acknowledged before."""
        return 0

    def log_text(self) -> str:
        """It logs into Prosody's."""
        return self._prosody.log_text()


class Ceiling:
    """A bare component (ceiling.py): what the same Prosody and phones can do at most."""

    name = "ceiling"
    arrive_seconds = 5.0

    def __init__(self, prosody: Prosody, jid: str) -> None:
        self._prosody = prosody
        self.component_jid = jid
        self.ports: list[int] = []
        self._child = Child("bench.ceiling")

    def start(self) -> None:
        """Connect."""
        self._child.__enter__()
        server = self._prosody
        hello: dict[str, Any] = {"jid": self.component_jid, "port": server.component_port}
        self._child.ask(**hello, secret=server.component_secret)

    def close(self) -> None:
        """Disconnect."""
        if self._child.running:
            self._child.__exit__(None, None, None)

    def processes(self) -> dict[str, list[int]]:
        """It stands where the product's component does."""
        return {"component": [self._child.pid]}

    def pusher(self, load: Child) -> Child:
        """It takes no POSTs: it pushes by itself."""
        del load
        return self._child

    def waiting(self) -> int:
        """It has waited for every result already."""
        return 0

    def log_text(self) -> str:
        """It says nothing."""
        return ""
