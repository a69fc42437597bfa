"""`manage.py import_prosody`: take over the live endpoints of Prosody's mod_unified_push."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from pushprovider.database import first_line
from pushprovider.fields import now_ms
from pushprovider.legacy import importing, prosody_store
from pushprovider.legacy.importing import Report
from pushprovider.store.imports import Fate

#: Seconds between two lines of progress.
PATIENCE = 2.0


class Command(BaseCommand):
    """Options, progress and report; the work is pushprovider/legacy/importing.py."""

    help = (
        "Take over the live endpoints of Prosody's mod_unified_push (backend storage). Only reads "
        "there, and may be run again. docs/legacy.md has the whole move."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "--data-path", type=Path, metavar="DIR", help="Prosody's data_path (internal storage)"
        )
        source.add_argument(
            "--sqlite", type=Path, metavar="FILE", help="the SQLite file of Prosody's SQL storage"
        )
        source.add_argument(
            "--csv",
            type=Path,
            metavar="FILE",
            help="the table `prosody`, exported as host,user,key,type,value",
        )
        parser.add_argument("--host", metavar="H", help="only this host of Prosody's")
        parser.add_argument(
            "--url",
            type=_address,
            metavar="URL",
            help="what stood before the token in the old URLs, such as "
            "https://example.org:5281/push; without it they are taken to begin with "
            "PUBLIC_URL/push",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")
        parser.add_argument(
            "--paseto-keys",
            action="store_true",
            help="print the store's PASETO keys, which are secret, as LEGACY_PROSODY_PASETO_KEYS",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Take over, then report; exit code 1 and one line if the source or the store fails."""
        address = options["url"] or f"{settings.PUBLIC_URL}/push/"
        self._next = time.monotonic() + PATIENCE
        try:
            report = importing.run(
                _rows(options),
                address,
                now_ms(),
                dry_run=options["dry_run"],
                progress=self._progress,
            )
        except prosody_store.Unreadable as why:
            raise CommandError(str(why)) from None
        except DatabaseError as error:
            raise CommandError(
                f"The store cannot be written: {first_line(error)} "
                "Run manage.py migrate, then this again."
            ) from None
        self._say(report, **options)

    def _progress(self, report: Report) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PATIENCE
            taken = report.fates[Fate.TAKEN]
            self.stderr.write(f"{report.rows} rows read, {taken} endpoints taken over ...")

    def _say(self, report: Report, *, dry_run: bool, paseto_keys: bool, **_options: Any) -> None:
        write = self.stdout.write
        write(f"Rows read: {report.rows}." + (" Nothing is written (dry run)." if dry_run else ""))
        for fate in Fate:
            write(f"{fate.value.capitalize()}: {report.fates[fate]}.")
        for reason, number in sorted(report.skipped.items()):
            write(f"Skipped, {reason}: {number}.")
        for line in report.malformed:
            write(f"  {line}")
        if report.not_allowed:
            write(
                f"Of users that REGISTRATION_ACL does not let in: {report.not_allowed}. "
                "Their endpoints answer 404 until it does."
            )
        if report.paseto_keys and paseto_keys:
            write(f"LEGACY_PROSODY_PASETO_KEYS={','.join(report.paseto_keys)}")
        elif report.paseto_keys:
            write(f"PASETO keys seen: {len(report.paseto_keys)}; --paseto-keys prints them.")


def _rows(options: dict[str, Any]) -> Any:
    if options["data_path"] is not None:
        return prosody_store.files(Path(options["data_path"]), options["host"])
    if options["sqlite"] is not None:
        return prosody_store.sqlite(Path(options["sqlite"]), options["host"])
    return prosody_store.table(Path(options["csv"]), options["host"])


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or not text.isascii() or set(text) & set("?#@ \t\r\n") or len(text) > 900:
        raise ArgumentTypeError("must be a URL such as https://example.org:5281/push")
    return text.rstrip("/") + "/"
