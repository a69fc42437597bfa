"""What the web process does about its store as it starts: it makes none, and says what is wrong.

It serves whatever the store's state: PostgreSQL may come up later, `migrate` may still run.
Senders get 503 meanwhile, and /readyz says so.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from django.conf import settings

from pushprovider.database import StoreTrouble
from pushprovider.schema import misfit
from pushprovider.sidethread import aside

log = logging.getLogger(__name__)

#: Seconds until the next look at a store that cannot be opened.
PAUSE = 30.0


def watch_the_store() -> None:
    """Have daphne's reactor look as soon as it runs: the start waits for no database."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    tasks: list[asyncio.Future[None]] = []  # the loop itself keeps only a weak reference

    def begun() -> None:
        open_what_is_there(settings.DATABASES["default"])
        tasks.append(asyncio.ensure_future(tell_misfit()))

    reactor.callWhenRunning(begun)


def open_what_is_there(database: dict[str, Any]) -> None:
    """Change Django's entry so that SQLite makes no file: an empty one hides what is wrong."""
    name = str(database["NAME"])
    if not database["ENGINE"].endswith("sqlite3") or name.startswith((":memory:", "file:")):
        return
    place = {"database": f"{Path(name).absolute().as_uri()}?mode=rw"}  # Django opens it as a URI
    database["OPTIONS"] = database["OPTIONS"] | place


async def tell_misfit() -> None:
    """Say once if the database is not migrated, or a newer version's; wait for one to be there."""
    while True:
        try:
            words = await aside(misfit)
            break
        except (StoreTrouble, OSError):  # in the log already; no descriptor left for the files
            await asyncio.sleep(PAUSE)
    if words:
        log.error("%s", words)
