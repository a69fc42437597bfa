"""A consistent copy of the store, made while everything runs.

The copy appears under its name only when it is whole and on the disk, readable by its owner only.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from pushprovider.postgresql import dump


class BackupFailed(Exception):
    """There is no backup; the text says why."""


def sqlite(source: Path, target: Path) -> int:
    """Copy an SQLite database by its own backup interface; return the copy's size in bytes.

    Readers and the writer go on meanwhile. What was committed before the start is in the copy.
    Raises BackupFailed.
    """
    if _is_same(target, source):
        raise BackupFailed("that is the database itself")
    try:
        with _whole(target) as unfinished:
            _copy(source, unfinished)
            return unfinished.stat().st_size
    except sqlite3.Error as error:
        raise BackupFailed(str(error)) from error


def _is_same(target: Path, source: Path) -> bool:
    with suppress(OSError):  # one of them is not there, or cannot be: its turn comes
        return target.samefile(source)
    return False


def _copy(source: Path, unfinished: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(unfinished)) as copy,
    ):
        live.backup(copy)  # in one step: a writer would make it begin again
        # One file, without a log beside it; opening it as the store brings WAL back.
        copy.execute("PRAGMA journal_mode=DELETE")
        [verdict] = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise BackupFailed(f"the copy is damaged, and so may the database be: {verdict}")


def postgresql(database: dict[str, Any], target: Path) -> int:
    """Have pg_dump write its custom format; return the size in bytes. Raises BackupFailed."""
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupFailed("pg_dump is not here (Debian: postgresql-client); run it where it is")
    try:
        words, secret = dump.place(database)
    except dump.Unspeakable as option:
        why = f"pg_dump can be told {option} on its command line only, where others could read it"
        raise BackupFailed(why) from None
    with _whole(target) as unfinished:
        command = [program, "--format=custom", f"--file={unfinished}", "--no-password"]
        done = subprocess.run(
            [*command, f"--dbname={words}"],
            env=os.environ | secret,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BackupFailed(" ".join(done.stderr.split())[:300] or "pg_dump failed")
        return unfinished.stat().st_size


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Give a new file beside the target, 0600; give it the target's name once it is on the disk."""
    if not target.name:
        raise BackupFailed("that is no name of a file")
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield unfinished
        _sync(unfinished)
        unfinished.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise BackupFailed(f"{error.strerror}: {target}") from error
    finally:
        for leftover in (unfinished, Path(f"{unfinished}-journal")):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
