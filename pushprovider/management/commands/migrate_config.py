"""`manage.py migrate_config FILE`: what a peer's configuration comes to, as lines for .env.

It is run before there are settings, so it uses none (see manage.py).
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pushprovider.peerconfig import files
from pushprovider.peerconfig.result import BadConfig


class Command(BaseCommand):
    """Lines on standard output, comments on standard error; a bad file is one line and exit 1."""

    help = (
        "Prints the .env lines that the configuration of up (config.json), Prosody "
        "(prosody.cfg.lua) or ejabberd (ejabberd.yml) comes to. Secrets are among them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--host", default="", help="which of several hosts with the module")

    def handle(self, *_args: Any, file: Path, host: str, **_options: Any) -> None:
        """Print, or raise CommandError with one line."""
        try:
            migrated = files.migrate(file, host)
        except BadConfig as bad:
            raise CommandError(f"{file}: {bad}") from None
        for note in migrated.notes:
            self.stderr.write(f"# {note}")
        for line in migrated.lines():
            self.stdout.write(line)
