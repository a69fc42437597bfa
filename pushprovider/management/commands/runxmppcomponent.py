"""`manage.py runxmppcomponent`: options, signals and exit code of the component process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from pushprovider import notify
from pushprovider.database import first_line
from pushprovider.garbage import collect_less
from pushprovider.postgresql.patience import be_quick
from pushprovider.schema import misfit
from pushprovider.store.moving import is_closed
from pushprovider.xmpp.service import Service
from upconfig.env import refuse

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """What must be right before the service starts; the service is pushprovider/xmpp/service.py."""

    help = "Connect to the XMPP server as a component: register devices, deliver their messages."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Serve until SIGTERM or SIGINT; exit code 78 and one line if the settings are wrong."""
        be_quick()
        check_migrations()
        if is_closed():
            refuse("DATABASE_URL: this SQLite file was moved to PostgreSQL (manage.py move_store)")
        check_run_dir()
        collect_less()
        run(serve())


def check_migrations() -> None:
    """End with one clear line if the database is not there, not migrated, or a newer version's.

    A PostgreSQL that is not up yet is waited for: at boot everything starts at once.
    """
    told = False
    while (words := _misfit()) is None:
        if not told:
            log.warning("DATABASE_URL: the server does not answer; trying again")
            told = True
        time.sleep(1)
    if words:
        refuse(words)


def _misfit() -> str | None:
    """Return what is wrong with its tables; None if the database's server is not up."""
    try:
        return misfit()
    except DatabaseError as error:
        words = str(error)
        # What the server itself has said is FATAL: no such database, a wrong password.
        answered = "FATAL" in words and "the database system is" not in words
        if connection.vendor == "postgresql" and not answered:
            return None
        refuse(f"DATABASE_URL: the database cannot be opened: {first_line(error)}")
    finally:
        connection.close()


def check_run_dir() -> None:
    """End with one clear line if RUN_DIR cannot be made or written."""
    folder = Path(settings.RUN_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"RUN_DIR cannot be used: {error.strerror}")
    if not os.access(folder, os.W_OK | os.X_OK):
        refuse("RUN_DIR cannot be used: it is not writable")


def run(service: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop, which takes less time for each stanza; on asyncio's loop without it."""
    try:
        import uvloop
    except ImportError:  # no wheel for this machine: slower, otherwise the same
        asyncio.run(service)
    else:
        uvloop.run(service)


async def serve() -> None:
    """Run the service until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    alive = asyncio.create_task(notify.keep_alive())
    notify.ready()  # a server that is down is no reason to try again: the process does, by itself
    try:
        while True:
            service = Service()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, service.stop)
            if not await service.run():
                return
    finally:
        notify.stopping()
        alive.cancel()
