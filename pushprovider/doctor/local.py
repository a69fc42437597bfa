"""This machine: who runs the doctor, RUN_DIR, the database, the disk."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from pushprovider.admin import checks
from pushprovider.admin.checks import Check
from pushprovider.database import first_line
from pushprovider.doctor.findings import bad

_UNUSABLE = {
    "database.missing",
    "database.unusable",
    "database.migrations",
    "database.newer",
}


def look() -> list[Check]:
    """Return what is wrong here; what needs the database is left out when it is not usable."""
    found = [*user(), *run_dir()]
    if missing := no_database():
        return [*found, missing]
    try:
        tables = checks.migrations()
    except DatabaseError as error:
        words = first_line(error)[:150]
        fix = "Does DATABASE_URL name the right database, and may this user open it?"
        return [*found, Check("Database", "bad", words, fix, "database.unusable")]
    found += [tables, checks.disk()]
    if tables.state == "bad":
        return found
    return [*found, checks.database(), checks.bell(), checks.backup()]


def is_usable(found: list[Check]) -> bool:
    """True if the checks that need the store can be made."""
    return not any(one.code in _UNUSABLE for one in found)


def database_file() -> Path | None:
    """Return SQLite's file."""
    if connection.vendor != "sqlite":
        return None
    path = Path(str(settings.DATABASES["default"]["NAME"]))
    return path if path.is_absolute() else None


def no_database() -> Check | None:
    """Return that the file is not there: SQLite would make an empty one, of the wrong owner."""
    path = database_file()
    if path is None or path.exists():
        return None
    return bad("Database", "database.missing", f"there is no file {path}")


def user() -> list[Check]:
    """Files that the doctor makes as somebody else would stand in the processes' way."""
    mine = os.geteuid()
    for place in (database_file(), Path(settings.RUN_DIR)):
        if place is not None and place.exists() and place.stat().st_uid != mine:
            owner = _name(place.stat().st_uid)
            words = f"{place} belongs to {owner}, and this is {_name(mine)}"
            return [bad("User", "user.other", words)]
    return []


def run_dir() -> list[Check]:
    """The processes meet there."""
    folder = Path(settings.RUN_DIR)
    if not folder.is_dir():
        return [bad("RUN_DIR", "rundir.missing", f"there is no folder {folder}")]
    if not os.access(folder, os.W_OK | os.X_OK):
        return [bad("RUN_DIR", "rundir.unwritable", f"{folder} cannot be written")]
    return []


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
