"""Transactions that write: one that commits late loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from pushprovider import stats
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, MessageState
from pushprovider.stats import Count
from pushprovider.store import outbox, registrations
from pushprovider.store.attempts import Answer, Work
from pushprovider.store.post import Accepted, Limits, Post
from pushprovider.store.save import save
from pushprovider.store.settle import write_down
from pushprovider.store.writing import writing
from tests.cast import Phone, counted


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
    seen = outbox.arrivals(0, 100, now_ms())
    may_commit.set()
    late.join()
    quick.join()
    seen += outbox.arrivals(seen[-1].id if seen else 0, 100, now_ms())
    assert [message.payload for message in seen] == [b"first", b"second"]


def test_what_is_settled_is_settled_once(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone's answer is being written; the sender deletes the message."""
    phone.register()
    [uid] = posted(phone, b"hello")
    found, may_go_on = threading.Event(), threading.Event()

    def slow(delay: int) -> str:
        found.set()
        may_go_on.wait(10)
        return "5"

    monkeypatch.setattr(stats, "bucket", slow)
    delivery = in_thread(lambda: write_down(Work(answers=[delivered(uid)]), now_ms()))
    assert found.wait(5)
    cancelling = in_thread(lambda: registrations.cancel(uid, now_ms()))
    cancelling.join(0.3)
    may_go_on.set()
    delivery.join()
    cancelling.join()
    assert phone.states() == ["delivered"]
    assert settled() == {"delivered": 1}


def test_what_is_settled_is_not_evicted(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The phone's answer is being written; a new message takes the place."""
    settings.MAX_STORED_PER_ENDPOINT = 1
    phone.register()
    [uid] = posted(phone, b"old")
    written, may_commit = threading.Event(), threading.Event()
    add = stats.add

    def slow(counts: stats.Counts, now: int) -> None:
        if not written.is_set():
            written.set()
            may_commit.wait(10)
        add(counts, now)

    monkeypatch.setattr(stats, "add", slow)
    delivery = in_thread(lambda: write_down(Work(answers=[delivered(uid)]), now_ms()))
    assert written.wait(5)
    saving = in_thread(lambda: posted(phone, b"new"))
    saving.join(0.3)
    may_commit.set()
    delivery.join()
    saving.join()
    assert phone.states() == ["delivered", "queued"]
    assert settled() == {"delivered": 1}


def test_what_is_settled_meanwhile_makes_room(phone: Phone, settings: Settings) -> None:
    """The endpoint is full, its messages are counted, and then the phone's answer is written."""
    settings.MAX_STORED_PER_ENDPOINT = settings.MAX_STORED_PER_ACCOUNT = 1
    phone.register()
    [uid] = posted(phone, b"old")
    answers = []

    def answered(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if "COUNT(*)" in sql and "message" in sql:
            answers.append(in_thread(lambda: write_down(Work(answers=[delivered(uid)]), now_ms())))
            answers[0].join(0.3)  # SQLite's second writer waits for the first
        return done

    with connection.execute_wrapper(answered):
        posted(phone, b"new")
    answers[0].join()
    assert phone.waiting() == [b"new"]


def posted(phone: Phone, body: bytes) -> list[str]:
    """Save a message to the phone's one app; return its id."""
    key = bytes(phone.registration().key)
    saved = save([Post(key, body, 60)], now_ms(), Limits())
    return [one.uid for one in saved if isinstance(one, Accepted)]


def delivered(uid: str) -> Answer:
    return Answer(uid, "juliet@localhost/phone", MessageState.DELIVERED, now_ms())


def settled() -> dict[str, int]:
    return {state: number for state, number in counted(Count.SETTLED).items() if number}


@pytest.mark.sqlite("PostgreSQL syncs every commit")
def test_the_disk_is_waited_for_by_a_message_and_by_an_end_but_not_by_an_answer(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that a power cut takes only has its message sent again."""
    phone.register()
    modes: list[str] = []
    add = stats.add

    def look(counts: stats.Counts, now: int) -> None:
        modes.append(synchronous())
        add(counts, now)

    def answer(uid: str, state: MessageState) -> Work:
        return Work(answers=[Answer(uid, phone.jid, state, now_ms())])

    monkeypatch.setattr(stats, "add", look)
    [first] = posted(phone, b"first")
    write_down(answer(first, MessageState.DELIVERED), now_ms())
    [second] = posted(phone, b"second")
    write_down(answer(second, MessageState.GONE), now_ms())
    assert phone.states() == ["delivered", "gone"]
    assert modes[:3] == ["full", "normal", "full"]
    assert set(modes[3:]) == {"full"}


@pytest.mark.sqlite("PostgreSQL syncs every commit")
def test_a_transaction_that_fails_leaves_the_next_one_synced(store: None) -> None:
    with pytest.raises(ZeroDivisionError), writing(synced=False):
        1 / 0  # noqa: B018
    assert synchronous() == "full"


def synchronous() -> str:
    """Return how SQLite syncs this connection's commits."""
    with connection.cursor() as cursor:
        level = cursor.execute("PRAGMA synchronous").fetchone()[0]
    return ("off", "normal", "full")[level]


def test_it_is_undone_as_a_whole(phone: Phone) -> None:
    def half() -> None:
        with writing():
            Account.objects.create(jid=phone.account, created_at=to_datetime(now_ms()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert not Account.objects.exists()
