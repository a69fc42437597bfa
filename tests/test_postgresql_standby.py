"""One component at a time over one PostgreSQL, and what the next one must know."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from django.db import connection

from pushprovider.postgresql import standby
from pushprovider.postgresql.standby import SessionLock
from pushprovider.store import claims
from tests.real import postgres
from tests.real.play import play
from tests.real.waiting import eventually
from tests.trouble import unit_store

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("store")]

HOLDERS = "FROM pg_stat_activity WHERE application_name = 'pushprovider standby'"


@asynccontextmanager
async def active() -> AsyncIterator[SessionLock]:
    """The active one; it ends as a crash does."""
    lock = SessionLock()
    async with asyncio.timeout(10):
        await lock.acquire()
    try:
        yield lock
    finally:
        await lock.release(clean=False)


def cut_off() -> None:
    """Let PostgreSQL end every session of a lock, as a restart does."""
    unit_store().rows(f"SELECT pg_terminate_backend(pid) {HOLDERS}")


def claim(upto: int) -> Callable[[], None]:
    """Return a claim, on a connection of its own: it runs in a thread that comes and goes."""

    def run() -> None:
        try:
            claims.claim(upto)
        finally:
            connection.close()

    return run


@play
async def test_it_works() -> None:
    async with active() as lock:
        assert lock.holds
        assert lock.maybe_sent() == 0
    assert not lock.holds


@play
async def test_a_second_one_waits_until_the_first_has_ended() -> None:
    second = SessionLock()
    async with active():
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(0.6)
        assert not waiting.done()
        assert not second.holds
    assert await asyncio.wait_for(waiting, 1)
    await second.release(clean=True)


@play
async def test_it_keeps_the_lock_for_longer_than_one_beat() -> None:
    async with active() as lock:
        await asyncio.sleep(standby.FREED + 0.5)
        assert lock.holds


@play
async def test_a_lost_session_is_noticed_at_once() -> None:
    async with active() as lock:
        await asyncio.to_thread(cut_off)
        async with asyncio.timeout(1):
            await lock.lost()
        assert not lock.holds


@play
async def test_it_goes_on_if_nobody_else_was_active() -> None:
    async with active() as lock:
        await asyncio.to_thread(cut_off)
        await lock.lost()
        assert await asyncio.wait_for(lock.acquire(), 5)
        assert lock.holds


@play
async def test_one_that_waits_asks_anew_when_it_is_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its connection fell silent, as one to a machine that is gone; new ones are answered."""
    monkeypatch.setattr(standby, "PATIENCE", 0.5)
    second = SessionLock()
    async with active():
        waiting = asyncio.create_task(second.acquire())
        await eventually(lambda: second._session, 5, "it asks")
        assert second._session is not None
        backend = second._session.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
    try:
        assert await asyncio.wait_for(asyncio.shield(waiting), 10)
    finally:
        os.kill(backend, signal.SIGCONT)
        await waiting
        await second.release(clean=True)


@play
async def test_it_knows_that_another_one_was_active_meanwhile() -> None:
    async with active() as lock:
        await asyncio.to_thread(cut_off)
        await lock.lost()
        async with active():
            waiting = asyncio.create_task(lock.acquire())
            await asyncio.sleep(0.4)
            assert not waiting.done()
        assert not await asyncio.wait_for(waiting, 5)


@play
async def test_it_holds_nothing_before_postgresql_could_give_it_away() -> None:
    """The server's side is stopped: it answers nothing, and frees nothing either."""
    async with active() as lock:
        [(pid,)] = await asyncio.to_thread(unit_store().rows, f"SELECT pid {HOLDERS}")
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            async with asyncio.timeout(standby.FREED):
                await lock.lost()
            assert not lock.holds
            assert time.monotonic() - began <= standby.LEASE + 0.2
        finally:
            os.kill(pid, signal.SIGCONT)


@play
async def test_postgresql_frees_it_when_its_holder_says_nothing() -> None:
    """The holder is stopped: its beat is gone, its socket is open."""
    second = SessionLock()
    async with active() as lock:
        assert lock._beat is not None
        await asyncio.sleep(0.1)  # the beat is between two questions
        lock._beat.cancel()
        began = time.monotonic()
        await asyncio.wait_for(second.acquire(), 10)
        assert standby.LEASE < time.monotonic() - began < 5
        assert not lock.holds
        await second.release(clean=False)


@play
async def test_it_knows_how_far_one_that_crashed_had_come() -> None:
    async with active():
        await asyncio.to_thread(claim(7))
        await asyncio.to_thread(claim(5))
    async with active() as second:
        assert second.maybe_sent() == 7
    async with active() as third:
        assert third.maybe_sent() == 7


@play
async def test_one_that_ended_properly_leaves_nothing_in_doubt() -> None:
    async with active() as proper:
        await asyncio.to_thread(claim(7))
        await proper.release(clean=True)
    async with active() as second:
        assert second.maybe_sent() == 0


@pytest.fixture
def _connect_anew(store: None) -> Iterator[None]:
    yield
    connection.close()


@pytest.mark.usefixtures("_connect_anew")
@play
async def test_it_waits_for_a_server_that_is_not_there() -> None:
    async with active() as lock:
        await asyncio.to_thread(postgres.shared().stop)
        await asyncio.wait_for(lock.lost(), 1)
        waiting = asyncio.create_task(lock.acquire())
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await asyncio.to_thread(postgres.shared().start)
        assert await asyncio.wait_for(waiting, 10)
