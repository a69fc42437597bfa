"""`manage.py move_store`: from SQLite to PostgreSQL."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from pushprovider.database import first_line
from pushprovider.management.commands.runxmppcomponent import check_migrations
from pushprovider.standby import ActiveLock
from pushprovider.store import moving
from pushprovider.store.moving import CannotMove


class Command(BaseCommand):
    """Options and exit code; the move itself is pushprovider/store/moving.py."""

    help = (
        "Copies everything from SQLite (DATABASE_URL) to an empty PostgreSQL database, then "
        "closes the SQLite file. Stop both processes first. It can be run again if it fails."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--to", metavar="URL", help="postgres://USER:PASSWORD@HOST/NAME")
        what.add_argument("--reopen", action="store_true", help="make the SQLite file usable again")
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Move; exit code 1 and a clear line if it cannot be done."""
        if options["reopen"]:
            moving.reopen()
            self.stdout.write("The SQLite file can be used again.")
            return
        check_migrations()
        lock = ActiveLock()
        if not lock.try_now():
            raise CommandError("runxmppcomponent is running. Stop both processes first.")
        try:
            self._move(options["to"], lock.maybe_sent(), dry_run=options["dry_run"])
        except CannotMove as reason:
            raise CommandError(str(reason)) from None
        except (DatabaseError, psycopg.Error) as error:
            words = f"{type(error).__name__}: {first_line(error)}. Nothing was moved."
            raise CommandError(words) from None
        finally:
            asyncio.run(lock.release(clean=False))

    def _move(self, url: str, claimed: int, *, dry_run: bool) -> None:
        moving.open_new(url)
        if dry_run:
            moving.count(self._say)
            self._say("Nothing was changed (--dry-run).")
            return
        moving.move(claimed, self._say)
        self._say(
            "Moved and checked. Now set DATABASE_URL to the new database and start both "
            "processes. The SQLite file is closed; keep it until you have seen all work."
        )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
