"""Transactions that write, and the turns that SQLite's processes take at its one write lock.

SQLite lets a second writer try again after sleeps that grow to 100 ms, so a process that commits
without a pause starves the other one for a second. A lock file, tried every millisecond at most,
shares the store fairly. It is a courtesy, not the safety: that is SQLite's own lock, and a process
that gets no turn in time goes on without it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from pushprovider.doorbell import Ringer
from pushprovider.postgresql.session import ARRIVING, CHANNEL, ENDING

#: Seconds between two tries, and in all; then SQLite's own waiting begins.
_FIRST, _LONGEST, _PATIENCE = 0.0002, 0.001, 0.5


@contextmanager
def writing(*, synced: bool = True) -> Iterator[None]:
    """A transaction that writes: committed when the block ends, rolled back when it raises.

    Not `synced`: no process that dies undoes it, but a power cut may. SQLite's other writers do not
    wait for the disk meanwhile, and the next synced commit takes it along. PostgreSQL's writers
    do not wait for each other's, so there it makes no difference.
    """
    with _turn(), nullcontext() if synced else _unsynced(), transaction.atomic(durable=True):
        yield


@contextmanager
def _unsynced() -> Iterator[None]:
    """Let SQLite sync at checkpoints only, for one transaction of this connection."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [before] = cursor.execute("PRAGMA synchronous").fetchone()
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA synchronous={before}")


# The delivery loop looks for ids above the greatest that it has seen, so a message must never be
# seen before one with a smaller id. SQLite has one writer at a time. PostgreSQL hands out an id at
# once and shows the row at the commit, so a transaction could come to light later than another
# with greater ids, and its messages would be passed over until their device shows life again. So
# whoever inserts messages holds a lock from before the first id until after the commit: it is
# freed only when the rows can be seen. The group commit keeps that short.
_ARRIVING = "SELECT pg_advisory_xact_lock(%s, %s), pg_notify(%s, '')"


def arriving() -> None:
    """Call it in a transaction before it inserts messages: they keep their order, and when they
    are committed the doorbell rings."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_ARRIVING, [*ARRIVING, CHANNEL])
    else:
        transaction.on_commit(_ringer().ring)


# Who may push is read first and the message stored later. On PostgreSQL an endpoint could end in
# between, and the message would be stored and delivered all the same. So whoever reads it shares a
# lock until its commit, and whoever ends an endpoint has that lock alone: either the message is
# there to be dropped, or its sender is refused.
_SHARE = "SELECT pg_advisory_xact_lock_shared(%s, %s)"
_ALONE = "SELECT pg_advisory_xact_lock(%s, %s)"


def ending() -> None:
    """Call it first in a transaction that ends endpoints: nobody stores a message meanwhile.

    First, because those who are waited for may want the rows that this transaction has changed.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_ALONE, ENDING)


def relying() -> None:
    """Call it in a transaction before it reads which endpoints are alive: none ends meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_SHARE, ENDING)


def rely_on(query: str, params: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Return a query's rows as relying() does, in one trip to the server."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Two statements, so that the second sees what was committed before the lock was had.
            cursor.execute(f"{_SHARE}; {query}", [*ENDING, *params])
            cursor.nextset()
        else:
            cursor.execute(query, params)
        return list(cursor.fetchall())


@cache
def _ringer() -> Ringer:
    return Ringer()


@contextmanager
def _turn() -> Iterator[None]:
    file = _file(os.getpid(), str(settings.RUN_DIR)) if connection.vendor == "sqlite" else None
    if file is None:
        yield
        return
    _wait_for(file)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _wait_for(file: int) -> None:
    pause, until = _FIRST, time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)


@cache
def _file(_pid: int, folder: str) -> int | None:
    """Return the lock file's descriptor, one for each process; None if it cannot be made."""
    try:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(Path(folder) / "store.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
