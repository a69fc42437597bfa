"""A PostgreSQL that hangs, restarts or is in the way: the answer comes, and the next call works."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.backends.signals import connection_created

from pushprovider.database import DatabaseThread, StoreTrouble
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account
from pushprovider.postgresql import patience
from pushprovider.store import status
from pushprovider.store.writing import arriving, writing
from tests.trouble import in_thread, locked, unit_store

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("store")]


@pytest.fixture
def thread() -> Iterator[DatabaseThread]:
    """A database thread of a process that serves."""
    known = connection_created.receivers[:]
    patience.be_quick()
    made = DatabaseThread()
    yield made
    made.close()
    connection_created.receivers = known
    connection_created.sender_receivers_cache.clear()


def backend() -> int:
    """Return the process that serves this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_server_that_says_nothing(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SILENCE", 0.5)
    pid = asyncio.run(thread.run(backend))
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StoreTrouble):
            asyncio.run(thread.run(lambda: status.tell("x", "", now_ms())))
        assert time.monotonic() - began < 2
        assert asyncio.run(thread.run(backend)) != pid
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("hangs_at", ["statement", "commit"])
def test_a_transaction_that_is_given_up_does_not_connect_anew(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch, hangs_at: str
) -> None:
    """A server that hangs would let that wait as long again, and the sender has gone by then."""
    monkeypatch.setattr(patience, "SILENCE", 0.5)
    pid = asyncio.run(thread.run(backend))
    connected: list[bool] = []

    def note(**_signal: object) -> None:
        connected.append(True)

    def hangs() -> None:
        with transaction.atomic():
            status.tell("x", "", now_ms())
            os.kill(pid, signal.SIGSTOP)
            if hangs_at == "statement":
                status.tell("y", "", now_ms())

    connection_created.connect(note)
    try:
        with pytest.raises(StoreTrouble):
            asyncio.run(thread.run(hangs))
        assert connected == []
        assert asyncio.run(thread.run(backend)) != pid
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_statement_that_takes_too_long(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "STATEMENT", 0.2)
    with pytest.raises(StoreTrouble) as caught:
        in_thread(thread, "SELECT pg_sleep(5)")
    assert "statement timeout" in str(caught.value.__cause__)


def test_a_lock_that_is_held_for_long(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LOCK", 0.2)
    with locked(), pytest.raises(StoreTrouble) as caught:
        asyncio.run(thread.run(lambda: status.tell("x", "", now_ms())))
    assert "lock timeout" in str(caught.value.__cause__)


def test_a_process_that_falls_silent_in_a_transaction_holds_no_lock_for_long(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch, store: None
) -> None:
    monkeypatch.setattr(patience, "IDLE", 0.3)
    is_silent, others_have_saved = threading.Event(), threading.Event()

    def falls_silent() -> None:
        with transaction.atomic():
            arriving()
            is_silent.set()
            others_have_saved.wait(5)
            status.tell("x", "", now_ms())

    def others_save() -> None:
        is_silent.wait(5)
        began = time.monotonic()
        with writing():
            arriving()
        others_have_saved.set()
        assert time.monotonic() - began < 0.7

    async def both() -> None:
        silent = asyncio.create_task(thread.run(falls_silent))
        await other.run(others_save)
        with pytest.raises(StoreTrouble):
            await silent

    other = DatabaseThread()
    asyncio.run(both())
    other.close()


def test_a_connection_that_ended_meanwhile_costs_nobody_anything(thread: DatabaseThread) -> None:
    pid = asyncio.run(thread.run(backend))
    unit_store().rows("SELECT pg_terminate_backend(%s, 5000)", pid)
    assert asyncio.run(thread.run(backend)) != pid


def test_it_is_the_same_connection_while_nothing_happens(thread: DatabaseThread) -> None:
    assert len({asyncio.run(thread.run(backend)) for _ in range(3)}) == 1


def test_who_loses_a_deadlock_tries_again(thread: DatabaseThread) -> None:
    for name in ("a", "b"):
        Account.objects.create(jid=name, created_at=to_datetime(now_ms()))
    other = DatabaseThread()
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def update(first: str, second: str) -> None:
        tries.append(first)
        is_first = tries.count(first) == 1
        with transaction.atomic():
            Account.objects.filter(jid=first).update(blocked_reason=first)
            if is_first:
                both_hold_one.wait(5)
            Account.objects.filter(jid=second).update(blocked_reason=first)

    async def both() -> None:
        await asyncio.gather(
            thread.run(lambda: update("a", "b")), other.run(lambda: update("b", "a"))
        )

    asyncio.run(both())
    other.close()
    assert len(tries) == 3
    reasons = set(Account.objects.values_list("blocked_reason", flat=True))
    assert reasons == {tries[2]}  # the second try came last, and whole
