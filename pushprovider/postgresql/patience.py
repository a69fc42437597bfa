"""How long the serving processes wait for PostgreSQL: a server that hangs costs a 503, no hang.

Management commands are not limited: a migration may take its time.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

#: Seconds after which the server gives up waiting for a lock, and a statement.
LOCK, STATEMENT = 2.0, 3.0
#: Seconds after which we give up on a server that says nothing at all: many senders wait for five.
SILENCE = 4.0

#: Seconds after which the server ends a transaction whose owner has gone silent: its locks would
#: keep everybody else from saving.
IDLE = 5.0

_LIMITS = """
    SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),
           set_config('idle_in_transaction_session_timeout', %s, false)
"""


def be_quick() -> None:
    """Limit this process's connections that are opened from now on; nothing to do for SQLite."""
    connection_created.connect(_limit, dispatch_uid="be_quick")


def _limit(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if connection.vendor != "postgresql":
        return
    _limit_silence(connection)
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS, [f"{each * 1000:.0f}" for each in (LOCK, STATEMENT, IDLE)])


def _limit_silence(connection: BaseDatabaseWrapper) -> None:
    """Let every wait for the server's answer end, and the connection with it.

    libpq itself waits for ever, and TCP's own limits do not see a server that is stopped.
    """
    raw: Any = connection.connection
    wait = raw.wait

    def limited(*args: Any, **options: Any) -> Any:
        until = time.monotonic() + SILENCE
        try:
            return wait(*args, **{"timeout": SILENCE} | options)
        except psycopg.OperationalError:
            if time.monotonic() >= until:
                # It is still busy with the old question. Closed by Django, not behind its back:
                # else the end of the transaction would connect anew, and wait once more.
                connection.close()
                if not connection.autocommit:  # a COMMIT: for Django that is outside of the block
                    connection.closed_in_transaction = True
            raise

    raw.wait = limited
