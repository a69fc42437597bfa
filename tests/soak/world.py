"""One soak from the first login to the last message: who takes part, and in which order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from tests.real.provider import Provider
from tests.real.store import Store
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer
from tests.soak import rows
from tests.soak.characters import Character
from tests.soak.faults import Faults
from tests.soak.ledger import Application, Ledger
from tests.soak.phones import SoakPhone
from tests.soak.senders import Senders

#: The quotas are small enough that some messages are evicted, and every one is accounted for.
SETTINGS: dict[str, object] = {
    "push_rate_per_endpoint": "off",
    "push_rate_per_account": "off",
    "max_stored_per_endpoint": 40,
    "max_stored_per_account": 90,
    "message_log_hours": 1000,
}
#: Seconds until the last waiting message must be gone once everybody is online.
DRAIN = 60.0


class World:
    """A server, the product, phones, senders, failures and the ledger of it all."""

    def __init__(
        self,
        server: XmppServer,
        folder: Path,
        *,
        seed: int,
        rate: float = 40,
        migrated: Store | None = None,
        **settings: object,
    ) -> None:
        self.server = server
        self.seed = seed
        chosen = SETTINGS | settings
        self.per_endpoint = int(str(chosen["max_stored_per_endpoint"]))
        self.per_account = int(str(chosen["max_stored_per_account"]))
        self.ledger = Ledger()
        self.provider = Provider(folder, server, migrated=migrated, settings=chosen)
        self.faults = Faults(self.ledger, server, self.provider, f"{seed} faults")
        self.phones: list[SoakPhone] = []
        self.senders = Senders(self.ledger, self.apps, f"{seed} senders", rate)
        self._days: list[Coroutine[Any, Any, None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def apps(self) -> list[Application]:
        """Return every application that senders know, removed or not."""
        return [app for phone in self.phones for app in phone.all_apps]

    async def populate(self, population: Iterable[tuple[Character, str, bool]]) -> None:
        """Make the accounts and phones; every phone registers two applications."""
        for number, (character, account, resumable) in enumerate(population):
            self.server.add_user(account, "secret")
            phone = SoakPhone(
                self.server,
                account,
                f"{character.__name__}{number}",
                ledger=self.ledger,
                seed=f"{self.seed} {number}",
                resumable=resumable,
            )
            self.phones.append(phone)
            for _ in "12":
                await phone.add_app()
            self._days.append(character(phone))

    def begin(self) -> None:
        """Everybody lives; the senders (the last task) post."""
        self._tasks = [asyncio.create_task(day) for day in (*self._days, self.senders.run())]
        self._days = []

    async def live(self, seconds: float, story: Coroutine[Any, Any, None]) -> None:
        """Let `story` (the failures) go on for so long, or until it ends; a dead task is loud."""
        tale = asyncio.create_task(story)
        await asyncio.wait(
            [tale, *self._tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in self._tasks:
            if task.done():
                task.result()
        await _end([tale])

    async def settle(self) -> float:
        """End the day, bring everybody online, wait until nothing waits. Return the seconds."""
        self.senders.stop()
        await self._tasks.pop()
        await _end(self._tasks)
        await self.senders.finish()
        begin = time.monotonic()
        await asyncio.gather(*(phone.get_honest() for phone in self.phones))
        await self._drained("everything that waited is settled")
        drained = time.monotonic() - begin
        live = [app for app in self.apps() if not app.removed]
        await asyncio.gather(*(self.senders.post(app, plain=True) for app in live))
        await self._drained("one more message reaches every application")
        return drained

    async def _drained(self, what: str) -> None:
        """Wait until no message waits, or complain: the audit then says which ones do."""
        store = self.provider.store
        with contextlib.suppress(AssertionError):
            await eventually(lambda: not rows.waiting(store), DRAIN, what)
            return
        for uid in rows.waiting(store):
            self.ledger.complain(f"{uid}: not yet, {DRAIN:g} s after the failures: {what}")

    async def close(self) -> None:
        """End everything that still runs, in any case."""
        await _end(self._tasks)
        for day in self._days:
            day.close()
        for phone in self.phones:
            await phone.go("logout")
        await self.senders.close()
        await asyncio.to_thread(self.provider.close)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel the tasks and raise what one of them died of."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    tasks.clear()
