"""`manage.py doctor`: does it work, and if not, what is wrong and how to fix it."""

from __future__ import annotations

import contextlib
import json
import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from pushprovider.admin.checks import Check
from pushprovider.doctor import findings, local
from pushprovider.doctor.examination import FAMILIES, examine
from pushprovider.fields import now_ms
from pushprovider.postgresql.patience import be_quick
from upconfig.env import Reader

_MARK = {"ok": "ok     ", "warning": "warning", "bad": "BAD    "}


class Command(BaseCommand):
    """Options, output and exit code; the checks are pushprovider/doctor/."""

    help = "Checks everything from settings to a whole delivery. Exit code 1: something is wrong."
    requires_system_checks: list[str] = []  # they are among the findings

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="for scripts")
        parser.add_argument("--only", choices=FAMILIES, default="", help="one family of checks")
        parser.add_argument(
            "--url",
            default="",
            help="another way in than PUBLIC_URL, such as http://127.0.0.1:8000: past the proxy",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Look, say, keep what was found for the Health page; exit with 1 if something is bad."""
        logging.getLogger("pushprovider").setLevel(logging.CRITICAL)
        be_quick()  # a store that hangs is a finding
        url = Reader.check_url("--url", options["url"]) if options["url"] else ""
        found = examine(url, options["only"])
        if not url and not options["only"] and local.is_usable(found):
            with contextlib.suppress(DatabaseError):
                findings.keep(found, now_ms())
        is_fine = not any(one.state == "bad" for one in found)
        if options["json"]:
            self.stdout.write(as_json(found, is_fine=is_fine))
        else:
            self._say(found)
        if not is_fine:
            raise SystemExit(1)

    def _say(self, found: list[Check]) -> None:
        self.stdout.write(f"Pushprovider at {settings.PUBLIC_URL}\n\n")
        for one in found:
            self.stdout.write(f"{_MARK[one.state]} {one.name}: {one.text} [{one.code}]")
            if one.fix:
                self.stdout.write(f"        How to fix: {one.fix}")
        wrong = sum(one.state == "bad" for one in found)
        doubtful = sum(one.state == "warning" for one in found)
        self.stdout.write(f"\n{wrong} wrong, {doubtful} worth a look, {len(found)} checks.")


def as_json(found: list[Check], *, is_fine: bool) -> str:
    """Return the findings for scripts."""
    rows = [
        {"name": one.name, "state": one.state, "code": one.code, "text": one.text, "fix": one.fix}
        for one in found
    ]
    return json.dumps({"ok": is_fine, "findings": rows}, indent=1)
