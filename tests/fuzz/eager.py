"""manage.py with a component that comes back at once, so that a test need not wait for it."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from pushprovider import backoff

backoff.FIRST = backoff.LAST = 0.05

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "upconfig.settings"
    execute_from_command_line(sys.argv)
