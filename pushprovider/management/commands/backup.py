"""`manage.py backup FILE`: a consistent copy of the store, while everything runs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from pushprovider import backup
from pushprovider.admin import display
from pushprovider.fields import now_ms
from pushprovider.store import status
from pushprovider.store.writing import writing


class Command(BaseCommand):
    """Options and exit code; the work is pushprovider/backup.py."""

    help = "Copy the database into FILE, consistently, while both processes run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("file", nargs="?", help="the copy; one of this name is replaced")
        which.add_argument(
            "--done", action="store_true", help="a backup was just made by other means: note it"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Copy, then note when, for the Health page; exit code 1 and one line if it failed."""
        if options["done"]:
            self._note("by other means")
            return
        target = Path(options["file"])
        try:
            octets = self._copy(target)
        except backup.BackupFailed as failure:
            raise CommandError(f"No backup was made: {failure}") from None
        self.stdout.write(f"{target}: {display.size(octets)}")
        self._note("manage.py backup")

    def _copy(self, target: Path) -> int:
        if connection.vendor == "sqlite":
            return backup.sqlite(Path(str(connection.settings_dict["NAME"])), target)
        return backup.postgresql(connection.settings_dict, target)

    def _note(self, how: str) -> None:
        try:
            with writing():
                status.tell(status.BACKUP, how, now_ms())
        except DatabaseError as error:
            raise CommandError(f"The database could not take a note of it: {error}") from None
