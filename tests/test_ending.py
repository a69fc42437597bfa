"""An endpoint ends while messages for it come in: each is refused or dropped, none delivered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User

from pushprovider import stats
from pushprovider.fields import now_ms
from pushprovider.legacy.kinds import Claims, Kind
from pushprovider.models import Account, MessageState
from pushprovider.store import operators, outbox, owners
from pushprovider.store.attempts import Answer, Work
from pushprovider.store.post import Accepted, Limits, Outcome, Post, Refusal
from pushprovider.store.save import save
from pushprovider.store.settle import write_down
from tests.cast import Phone, hashed
from tests.real.waiting import wait_until
from tests.settings import STORE
from tests.test_writing import in_thread
from tests.trouble import unit_store

Act = Callable[[Phone], object]


@pytest.fixture(autouse=True)
def _operator(store: None) -> Iterator[None]:
    yield
    User.objects.all().delete()  # and what is in the log of them


def operator() -> int:
    return User.objects.get_or_create(username="ops")[0].pk


def block(phone: Phone) -> None:
    operators.block([Account.objects.get(jid=phone.account).pk], "spam", operator(), now_ms())


def revoke(phone: Phone) -> None:
    owners.revoke(phone.account, str(phone.registration().pk), now_ms())


def erase(phone: Phone) -> None:
    owners.erase(phone.account, now_ms())


def gone(phone: Phone) -> None:
    """The phone answers its first message: there is no such app."""
    answer = Answer(phone.messages()[0].uid, phone.jid, MessageState.GONE, now_ms())
    write_down(Work(answers=[answer]), now_ms())


ACTS = pytest.mark.parametrize("act", [block, revoke, erase, gone])


class Interrupted(Limits):
    """A batch that has read who is alive and not yet written; somebody acts just then.

    It goes on when that is done, or waits for the batch.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act
        self.other: threading.Thread | None = None

    def take(self, endpoint: int, account: int, now: int) -> int:
        self.other = other = in_thread(self._act)
        wait_until(lambda: not other.is_alive() or waits_for_a_lock(other), 5, "it acts or waits")
        return 0


def waits_for_a_lock(other: threading.Thread) -> bool:
    """True if the other thread, which is still at it, waits for ours."""
    if STORE == "postgresql":
        query = "SELECT pid FROM pg_locks WHERE NOT granted AND database IS NOT NULL"
        return bool(unit_store().rows(query))
    other.join(0.1)  # SQLite keeps no books of that; it has one writer, and we are it
    return other.is_alive()


def interrupted(post: Post, act: Callable[[], object]) -> Outcome:
    """Save a post while somebody acts; return its answer when both have ended."""
    limits = Interrupted(act)
    [outcome] = save([post], now_ms(), limits)
    assert limits.other is not None
    limits.other.join()
    return outcome


@contextmanager
def underway(act: Callable[[], object], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody has ended it, and commits when the block waits for that, or ends."""
    add, us = stats.add, threading.current_thread()
    acted, done = threading.Event(), threading.Event()

    def slow(counts: stats.Counts, now: int) -> None:
        add(counts, now)
        if threading.current_thread() is not us and not acted.is_set():
            acted.set()
            wait_until(lambda: done.is_set() or waits_for_a_lock(us), 5, "the block waits")

    patch.setattr(stats, "add", slow)
    other = in_thread(act)
    assert acted.wait(5)
    yield
    done.set()
    other.join()


def post_to(phone: Phone) -> Post:
    return Post(bytes(phone.registration().key), b"too late?", 60)


def assert_nothing_waits(phone: Phone) -> None:
    assert phone.waiting() == []
    assert outbox.arrivals(0, 10, now_ms()) == []


@ACTS
def test_what_is_stored_before_the_end_is_dropped_by_it(phone: Phone, act: Act) -> None:
    phone.register()
    save([post_to(phone)], now_ms(), Limits())
    assert isinstance(interrupted(post_to(phone), lambda: act(phone)), Accepted)
    assert_nothing_waits(phone)


@ACTS
def test_what_comes_after_the_end_has_begun_is_refused(
    phone: Phone, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.register()
    post = post_to(phone)
    save([post], now_ms(), Limits())
    with underway(lambda: act(phone), monkeypatch):
        [outcome] = save([post], now_ms(), Limits())
    assert isinstance(outcome, Refusal)
    assert_nothing_waits(phone)


def test_another_servers_endpoint_does_not_come_back_to_life(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its registration is made anew at a push, unless it was revoked."""
    names = hashed("chat"), hashed("first")
    old = Claims(Kind.UP, phone.account, phone.resource, *names, now_ms() + 60_000)
    post = Post(b"", b"too late?", 60, old=old)
    save([post], now_ms(), Limits())
    with underway(lambda: revoke(phone), monkeypatch):
        [outcome] = save([post], now_ms(), Limits())
    assert outcome == Refusal.REVOKED
    assert_nothing_waits(phone)


def test_no_test_push_is_left_in_a_blocked_users_queue(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.register()
    endpoint, by = phone.registration().pk, operator()
    with underway(lambda: block(phone), monkeypatch), pytest.raises(operators.NotLive):
        operators.send_test_push(endpoint, by, now_ms())
    assert_nothing_waits(phone)
