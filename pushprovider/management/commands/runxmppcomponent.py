"""`manage.py runxmppcomponent`: options, signals and exit code of the component process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pushprovider.xmpp.service import Service
from upconfig.env import refuse


class Command(BaseCommand):
    help = "Connect to the XMPP server as a component: register devices, deliver their messages."

    def handle(self, *_args: Any, **_options: Any) -> None:
        check_migrations()
        check_run_dir()
        run(serve())


def check_migrations() -> None:
    """End with one clear line if the database is not there, or not migrated."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        refuse(f"DATABASE_URL: the database cannot be opened: {str(error).splitlines()[0]}")
    finally:
        connection.close()
    if missing:
        refuse(f"the database lacks {len(missing)} migrations. Run: manage.py migrate")


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
    service = Service()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()
