"""What goes wrong: parts are killed, stopped and started again, one failure after the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator

from tests.real.provider import Provider
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer
from tests.soak.ledger import Ledger

#: Seconds a part may take to come back; the machine may be busy with other things.
PATIENCE = 60


class Faults:
    """Does each failure and its repair, and writes both into the ledger."""

    def __init__(self, ledger: Ledger, server: XmppServer, provider: Provider, seed: str) -> None:
        self._ledger = ledger
        self._server = server
        self._provider = provider
        self._random = random.Random(seed)

    async def run(self, least: float = 2, most: float = 6) -> None:
        """One failure after the other until cancelled; every kind comes in every round."""
        while True:
            for fault in self._round():
                await asyncio.sleep(self._random.uniform(least, most))
                repaired = asyncio.create_task(self.happen(fault))
                try:
                    await asyncio.shield(repaired)
                finally:  # also when cancelled: a failure is always repaired
                    await repaired

    def _round(self) -> Iterator[str]:
        """Return all kinds in random order; the cheap and sharp ones come more often."""
        kinds = ["kill component", "kill daphne"] * 3 + ["stop component", "stop daphne"]
        kinds += ["kill server", "stop server", "kill everything", "kill both processes"]
        kinds += ["kill component as it starts"]
        self._random.shuffle(kinds)
        yield from kinds

    async def happen(self, what: str) -> None:
        """Let one failure happen, and return when it is repaired."""
        does: dict[str, Callable[[], object]] = {
            "kill component": self._provider.kill_component,
            "kill component as it starts": self._provider.kill_component,
            "stop component": self._provider.stop_component,
            "kill daphne": self._provider.kill_http,
            "stop daphne": self._provider.stop_http,
            "kill server": self._server.kill,
            "stop server": self._server.stop,
            "kill both processes": self._kill_both,
            "kill everything": self._kill_all,
        }
        connected = self._provider.times_connected()
        moment = self._random.uniform(0, 1.5)
        with self._ledger.failing(what, "senders" if "daphne" in what else "everybody"):
            await asyncio.to_thread(does[what])
            if moment < 0.4:  # it stays away for a while
                await asyncio.sleep(2 * moment)
            if "server" in what or "everything" in what:
                await asyncio.to_thread(self._server.start)
            if "component" in what or "both" in what or "everything" in what:
                self._provider.component.spawn()
                connected = 0
            if "as it starts" in what:
                await asyncio.sleep(moment)
                await asyncio.to_thread(self._provider.kill_component)
                self._provider.component.spawn()
            if "daphne" in what or "both" in what or "everything" in what:
                await asyncio.to_thread(self._provider.start_http)
            await eventually(
                lambda: self._provider.times_connected() > connected or "daphne" in what,
                PATIENCE,
                f"the component connects after {what}",
                self._provider.log_text,
            )

    def _kill_both(self) -> None:
        self._provider.kill_http()
        self._provider.kill_component()

    def _kill_all(self) -> None:
        self._server.kill()
        self._kill_both()
