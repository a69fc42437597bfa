"""`manage.py demo`: see it work, on loopback, with nothing configured."""

from __future__ import annotations

import asyncio
import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pushprovider.demo.children import DemoFailed
from pushprovider.demo.show import Show


class Command(BaseCommand):
    """Options and exit code; the play itself is pushprovider/demo/show.py."""

    help = "Starts a private Prosody, both processes and a simulated phone, and pushes to it."
    requires_system_checks: list[str] = []  # the processes it starts have theirs

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="end after the first delivery")
        parser.add_argument("--http-port", type=int, default=0, help="default: any free port")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the demo; exit code 1 and a clear line when something failed."""
        logging.getLogger("slixmpp").setLevel(logging.ERROR)
        try:
            show = Show(self._say, options["http_port"])
            asyncio.run(show.run(once=options["once"]))
        except DemoFailed as failure:
            self.stderr.write(f"The demo failed: {failure}")
            raise SystemExit(1) from None
        except (asyncio.CancelledError, KeyboardInterrupt):
            self.stderr.write("Stopped before the demo was done.")
            raise SystemExit(130) from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
