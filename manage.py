#!/usr/bin/env python
"""Django's command line for Pushprovider."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["migrate_config"]:  # it makes settings, so it must not need any
        from pushprovider.management.commands.migrate_config import Command

        Command().run_from_argv(sys.argv)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upconfig.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
