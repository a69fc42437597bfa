"""The web process's second database thread: what operators look at never delays a push."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.db import connection

from pushprovider.database import DatabaseThread

T = TypeVar("T")


@cache
def _thread() -> DatabaseThread:
    return DatabaseThread()


async def aside(call: Callable[[], T]) -> T:
    """Run `call` in that thread. Raises StoreTrouble for a database error.

    With SQLite each call has a new connection, which notices a database that was moved away.
    """
    return await _thread().run(lambda: _closing(call))


def _closing(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        if connection.vendor == "sqlite":
            connection.close()
