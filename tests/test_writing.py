"""Transactions that write: one that commits late loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from pushprovider import stats
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account
from pushprovider.store import deliver
from pushprovider.store.save import Limits, Post, save
from pushprovider.store.writing import writing
from tests.cast import Phone


def in_thread(call: Callable[[], object]) -> threading.Thread:
    """Start a writer with a connection of its own."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_message_that_is_committed_late_is_not_passed_over(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two web processes: the first has its ids and takes its time, the second is quick."""
    phone.register("chat")
    phone.register("mail")
    inserted, may_commit = threading.Event(), threading.Event()
    add = stats.add

    def slow(counts: stats.Counts, now: int) -> None:
        if not inserted.is_set():
            inserted.set()
            may_commit.wait(10)
        add(counts, now)

    def post(app: str, body: bytes) -> Callable[[], object]:
        key = bytes(phone.registration(app).key)
        return lambda: save([Post(key, body, 60)], now_ms(), Limits())

    monkeypatch.setattr(stats, "add", slow)
    late = in_thread(post("chat", b"first"))
    assert inserted.wait(5)
    quick = in_thread(post("mail", b"second"))
    quick.join(0.5)
    seen = deliver.arrivals(0, 100, now_ms())
    may_commit.set()
    late.join()
    quick.join()
    seen += deliver.arrivals(seen[-1].id if seen else 0, 100, now_ms())
    assert [message.payload for message in seen] == [b"first", b"second"]


def test_it_is_undone_as_a_whole(phone: Phone) -> None:
    def half() -> None:
        with writing():
            Account.objects.create(jid=phone.account, created_at=to_datetime(now_ms()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert not Account.objects.exists()
