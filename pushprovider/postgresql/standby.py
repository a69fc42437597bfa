"""One component at a time over one PostgreSQL, on whichever machine.

The active one holds an advisory lock of its own session: PostgreSQL frees it when the session
ends, however. The holder must know of that before anybody else can get the lock, also if it was
stopped, or cut off without a word. So it works as a lease. The holder asks something every
BEAT seconds; PostgreSQL ends a session that asked nothing for FREED seconds; and a holder that was
not answered within LEASE seconds, which are fewer and counted from before it asked, sends nothing
more and closes its stream. The clock is one that goes on while a machine sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from pushprovider.fields import now_ms
from pushprovider.postgresql.session import TRY_ACTIVE, Session, connect, cut

log = logging.getLogger(__name__)

#: Seconds; see above.
BEAT, LEASE, FREED = 0.5, 3.0, 3.5
#: Seconds for a try.
PATIENCE = 5.0
#: Seconds between two tries to get the lock.
LOOK_EVERY = 0.25
#: PostgreSQL's own settings for this session: the same for a machine that vanished.
_SESSION = {
    "idle_session_timeout": f"{FREED * 1000:.0f}",
    "tcp_keepalives_idle": 1,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 2,
    "tcp_user_timeout": f"{FREED * 1000:.0f}",
}

_TERM = "SELECT value FROM pushprovider_status WHERE name = 'term'"
# Whoever becomes active begins a new term, so that one who comes back knows if there was another.
_BEGIN = """
    INSERT INTO pushprovider_status (name, value, at) VALUES ('term', '1', %s)
    ON CONFLICT (name) DO UPDATE
    SET value = (pushprovider_status.value::bigint + 1)::text, at = excluded.at
    RETURNING value
"""
_CLAIMED = """
    INSERT INTO pushprovider_status (name, value, at) VALUES ('claimed', '0', %s)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at RETURNING value::bigint
"""
_CLEAN = "UPDATE pushprovider_status SET value = '0' WHERE name = 'claimed'"


def clock() -> float:
    """Return seconds of a clock that also counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SessionLock:
    """The active one's lock, as a session of PostgreSQL."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._beat: asyncio.Task[None] | None = None
        self._until = 0.0
        self._term = ""
        self._claimed = 0

    @property
    def holds(self) -> bool:
        """True while it is certain that nobody else is active. Costs a look at the clock."""
        return clock() < self._until

    async def acquire(self) -> bool:
        """Return when this process is the active one.

        False if it was so before, and another one has been active meanwhile: then what this
        process remembers of messages is out of date.
        """
        told = ""
        while True:
            try:
                term = await self._try_in_time()
                if term is not None:
                    return term == self._term
                why = "another runxmppcomponent is active"
            except (psycopg.Error, OSError) as error:
                await self._drop()
                why = f"the lock cannot be had: {type(error).__name__}"
            if why != told:
                log.info("standing by: %s", why)
                told = why
            await asyncio.sleep(LOOK_EVERY)

    async def _try_in_time(self) -> str | None:
        """As _try(). A server that does not answer is asked anew, over another connection."""
        trying = asyncio.create_task(self._try())
        try:
            await asyncio.wait([trying], timeout=PATIENCE)
            if not trying.done() and self._session is not None:
                cut(self._session)  # so it fails; to cancel it would ask the server
            return await trying
        finally:
            trying.cancel()

    async def _try(self) -> str | None:
        """Return the present term if the lock could be had."""
        if self._session is None:
            self._session = await connect("standby", **_SESSION)
        session, asked = self._session, clock()
        if not await _one(session, TRY_ACTIVE):
            return None
        if self._term:
            term = await _one(session, _TERM)
        else:
            self._claimed = int(await _one(session, _CLAIMED, now_ms()))
            term = self._term = await _one(session, _BEGIN, now_ms())
        self._until = asked + LEASE
        self._beat = asyncio.create_task(self._keep(session))
        return str(term)

    async def _keep(self, session: Session) -> None:
        while True:
            asked = clock()
            await session.execute("SELECT 1")
            if not self.holds:  # too late: what lapsed is not taken up again
                return
            self._until = asked + LEASE
            await asyncio.sleep(BEAT)

    async def lost(self) -> None:
        """Return as soon as this process may not be active any more; acquire() may follow."""
        while self.holds and self._beat is not None and not self._beat.done():
            await asyncio.wait([self._beat], timeout=max(self._until - clock(), 0.001))
        await self._drop()

    def maybe_sent(self) -> int:
        """Return the greatest id of a message that the last holder may have sent without writing
        it down; 0 if it ended properly."""
        return self._claimed

    def claimed(self, message_id: int) -> None:
        """Nothing to do: store/claims.py wrote it down with the look that found the message."""

    async def release(self, *, clean: bool) -> None:
        """Let the next one go. `clean`: everything that was sent is written down."""
        if clean and self.holds and self._session is not None:
            with contextlib.suppress(psycopg.Error, TimeoutError):
                async with asyncio.timeout(LEASE):
                    await self._session.execute(_CLEAN)
        await self._drop()

    async def _drop(self) -> None:
        """Hold nothing any more, whatever the server does."""
        self._until = 0.0
        session, self._session = self._session, None
        beat, self._beat = self._beat, None
        if session is None:
            return
        cut(session)
        if beat is not None:
            if session.info.transaction_status is not TransactionStatus.ACTIVE:
                beat.cancel()  # else it fails by itself; to cancel it would ask the server
            await asyncio.wait([beat])
            if not beat.cancelled():
                beat.exception()  # seen
        await session.close()


async def _one(session: Session, query: LiteralString | sql.Composed, *params: object) -> Any:
    """Return the first column of the only row."""
    row = await (await session.execute(query, params or None)).fetchone()
    return row[0] if row else None
