"""Connections of the event loop's own: one that listens, one that holds the active one's lock.

What is named here belongs to one database: LISTEN, NOTIFY and advisory locks do not leave it.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

#: Where the doorbell rings.
CHANNEL = "pushprovider"
#: Advisory locks, two whole numbers each; the first is "push".
ARRIVING = (0x70757368, 1)
ACTIVE = (0x70757368, 2)
ENDING = (0x70757368, 3)
#: Become the active one if nobody is (true or false), and make room.
TRY_ACTIVE = sql.SQL("SELECT pg_try_advisory_lock({}, {})").format(*ACTIVE)
FREE_ACTIVE = sql.SQL("SELECT pg_advisory_unlock({}, {})").format(*ACTIVE)

#: What Django's own connections need and these do not.
_NOT_OURS = frozenset({"cursor_factory", "context"})

Session = psycopg.AsyncConnection[Any]


async def connect(name: str, **settings: object) -> Session:
    """Return a new connection in autocommit; `settings` are PostgreSQL's, for this one alone.

    `name` is what pg_stat_activity shows. Raises psycopg.Error.
    """
    params = connections["default"].get_connection_params()
    options = [str(params.pop("options", ""))]
    options += [f"-c {setting}={value}" for setting, value in settings.items()]
    wanted = {key: value for key, value in params.items() if key not in _NOT_OURS}
    wanted |= {"options": " ".join(options), "application_name": f"pushprovider {name}"}
    return await psycopg.AsyncConnection.connect(**wanted, autocommit=True)


def cut(session: Session) -> None:
    """End it without waiting for anybody: what waits on it fails at once, and so does the server's
    side if the server can be reached."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(session.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
