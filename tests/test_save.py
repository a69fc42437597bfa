"""The group commit: many posts, one transaction, an answer for each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from pushprovider import tokens
from pushprovider.fields import now_ms
from pushprovider.models import Account, Message, MessageState, RevocationReason, Sender, Urgency
from pushprovider.stats import Count
from pushprovider.store import registrations
from pushprovider.store.save import (
    Accepted,
    Limited,
    Limits,
    Outcome,
    Post,
    Refusal,
    new_uid,
    save,
)
from tests.cast import ApplicationServer, Phone, counted
from upconfig.env import Rate


def key_of(endpoint: str) -> bytes:
    key = tokens.check(endpoint.rpartition("/")[2])
    assert key is not None
    return key


def post(
    endpoint: str,
    body: bytes = b"hello",
    *,
    ttl: int = 60,
    urgency: int = Urgency.NORMAL,
    topic: str = "",
    authorization: str | None = None,
) -> Post:
    return Post(key_of(endpoint), body, ttl, urgency, topic, authorization)


def stored(*posts: Post, now: int = 0) -> list[Outcome]:
    return save(posts, now or now_ms(), Limits())


def assert_counters_add_up(phone: Phone) -> None:
    """Every row is counted as accepted, and every terminal one as settled."""
    rows = phone.messages()
    terminal = Counter(s for s in phone.states() if s not in ("queued", "sent"))
    assert sum(counted(Count.ACCEPTED).values()) == len(rows)
    assert counted(Count.SETTLED) == dict(terminal)
    assert all(bytes(row.payload) == b"" for row in rows if MessageState(row.state).is_terminal)
    assert all((row.settled_at is None) == (row.state <= MessageState.SENT) for row in rows)


def test_it_works(phone: Phone) -> None:
    [accepted] = stored(post(phone.register(), b"hello", ttl=60))
    [message] = phone.messages()
    assert accepted == Accepted(message.uid, 60)
    assert phone.waiting() == [b"hello"]
    assert_counters_add_up(phone)


def test_answers_are_in_order(phone: Phone) -> None:
    endpoint = phone.register()
    answers = stored(*(post(endpoint, str(n).encode()) for n in range(50)))
    uids = [answer.uid for answer in answers if isinstance(answer, Accepted)]
    assert uids == [message.uid for message in phone.messages()]
    assert phone.waiting() == [str(n).encode() for n in range(50)]


def test_one_refusal_does_not_touch_the_others(phone: Phone, server: ApplicationServer) -> None:
    good, expired = phone.register(), phone.register("old", now=now_ms() - 2_592_001_000)
    restricted = phone.register("bank", vapid=server.public_key)
    revoked = phone.register("gone")
    registrations.revoke([phone.registration("gone").pk], RevocationReason.DEVICE, now_ms())
    unknown = Post(tokens.new_key(), b"x", 60)
    wrong = post(restricted, authorization=ApplicationServer().signed())
    answers = stored(
        unknown, post(good), post(expired), post(revoked), post(restricted), wrong, post(good)
    )
    assert [answer if isinstance(answer, Refusal) else "stored" for answer in answers] == [
        Refusal.UNKNOWN,
        "stored",
        Refusal.EXPIRED,
        Refusal.REVOKED,
        Refusal.UNAUTHORIZED,
        Refusal.FORBIDDEN,
        "stored",
    ]


def test_a_blocked_account_is_refused_at_all_its_endpoints(phone: Phone) -> None:
    one, two = phone.register("one"), phone.register("two")
    other = Phone("romeo@localhost/phone").register()
    Account.objects.filter(jid=phone.account).update(blocked_at=now_ms())
    answers = stored(post(one), post(two), post(other))
    assert answers[:2] == [Refusal.BLOCKED, Refusal.BLOCKED]
    assert isinstance(answers[2], Accepted)


def test_nothing_is_counted_for_a_refusal(store: None) -> None:
    assert stored(Post(tokens.new_key(), b"x", 60)) == [Refusal.UNKNOWN]
    assert counted(Count.ACCEPTED) == {}


def test_many_posts_are_one_transaction_of_a_few_statements(phone: Phone) -> None:
    endpoint = phone.register()

    def statements(number: int) -> Sequence[str]:
        with CaptureQueriesContext(connection) as captured:
            stored(*(post(endpoint) for _ in range(number)))
        return [query["sql"].split()[0] for query in captured.captured_queries]

    few, many = statements(1), statements(80)
    assert Counter(many)["BEGIN"] == Counter(many)["COMMIT"] == 1
    assert len(many) == len(few) <= 10


def test_a_failure_stores_nothing_at_all(phone: Phone) -> None:
    good = post(phone.register())
    unstorable = post(phone.register("other"))
    object.__setattr__(unstorable, "urgency", 2**80)
    with pytest.raises((DatabaseError, OverflowError, ValueError)):
        stored(good, unstorable)
    assert phone.messages() == []
    assert counted(Count.ACCEPTED) == {}


def test_a_ttl_of_zero_is_for_one_attempt(phone: Phone) -> None:
    stored(post(phone.register(), ttl=0))
    [message] = phone.messages()
    assert message.ttl == 0
    assert 0 < (message.expires_at - message.accepted_at).total_seconds() <= 10


def test_an_id_begins_with_the_time_and_cannot_be_guessed() -> None:
    before, uids, after = time.time(), [new_uid() for _ in range(100)], time.time()
    assert len(set(uids)) == 100
    assert {len(uid) for uid in uids} == {36}
    assert all(before - 1 < int(uid[:14], 16) / 1e6 < after + 1 for uid in uids)


# --- topics ---------------------------------------------------------------------------------------


def test_a_topic_replaces_the_message_that_waits(phone: Phone) -> None:
    endpoint = phone.register()
    for body in (b"1", b"2", b"3"):
        stored(post(endpoint, body, topic="news"))
    assert phone.waiting() == [b"3"]
    assert phone.states() == ["replaced", "replaced", "queued"]
    assert_counters_add_up(phone)


def test_a_topic_replaces_within_one_group(phone: Phone) -> None:
    endpoint = phone.register()
    stored(post(endpoint, b"0", topic="news"))
    stored(
        post(endpoint, b"1", topic="news"),
        post(endpoint, b"2"),
        post(endpoint, b"3", topic="news"),
        post(endpoint, b"4", topic="other"),
        post(endpoint, b"5", topic="news"),
    )
    assert phone.waiting() == [b"2", b"4", b"5"]
    assert_counters_add_up(phone)


def test_a_topic_belongs_to_one_endpoint(phone: Phone) -> None:
    romeo = Phone("romeo@localhost/phone")
    endpoints = [phone.register("one"), phone.register("two"), romeo.register("one")]
    stored(*(post(endpoint, topic="news") for endpoint in endpoints))
    stored(post(endpoints[0], b"new", topic="news"))
    assert phone.waiting() == [b"hello", b"new"]
    assert romeo.waiting() == [b"hello"]


def test_a_topic_does_not_replace_what_was_delivered(phone: Phone) -> None:
    endpoint = phone.register()
    stored(post(endpoint, topic="news"))
    Message.objects.update(state=MessageState.DELIVERED)
    stored(post(endpoint, topic="news"))
    assert phone.states() == ["delivered", "queued"]


def test_topics_differ_by_case(phone: Phone) -> None:
    endpoint = phone.register()
    stored(post(endpoint, topic="news"), post(endpoint, topic="News"))
    assert len(phone.waiting()) == 2


def test_a_refused_post_replaces_nothing(phone: Phone, server: ApplicationServer) -> None:
    endpoint = phone.register(vapid=server.public_key)
    stored(post(endpoint, b"kept", topic="news", authorization=server.signed()))
    stored(post(endpoint, b"forged", topic="news"))
    assert phone.waiting() == [b"kept"]


# --- quotas ---------------------------------------------------------------------------------------


def test_an_endpoint_keeps_its_newest(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT = 3
    endpoint = phone.register()
    for n in range(5):
        stored(post(endpoint, str(n).encode()))
    assert phone.waiting() == [b"2", b"3", b"4"]
    assert_counters_add_up(phone)


def test_a_group_that_is_larger_than_the_quota(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT = 3
    endpoint = phone.register()
    answers = stored(*(post(endpoint, str(n).encode()) for n in range(10)))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert phone.waiting() == [b"7", b"8", b"9"]
    assert_counters_add_up(phone)


def test_the_least_urgent_goes_first_then_the_oldest(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT = 3
    endpoint = phone.register()
    order = [Urgency.HIGH, Urgency.LOW, Urgency.NORMAL, Urgency.LOW, Urgency.NORMAL, Urgency.HIGH]
    for n, urgency in enumerate(order):
        stored(post(endpoint, str(n).encode(), urgency=urgency))
    assert phone.waiting() == [b"0", b"4", b"5"]
    stored(post(endpoint, b"6", urgency=Urgency.VERY_LOW))
    assert phone.waiting() == [b"0", b"4", b"5"]


def test_one_endpoint_does_not_use_up_another_ones_room(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT = 2
    one, two = phone.register("one"), phone.register("two")
    stored(post(two, b"kept"), *(post(one, str(n).encode()) for n in range(9)))
    assert phone.waiting() == [b"kept", b"7", b"8"]


def test_an_account_has_a_quota_for_all_its_endpoints(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ACCOUNT = 4
    romeo = Phone("romeo@localhost/phone")
    endpoints = [phone.register("one"), phone.register("two")]
    stored(post(romeo.register(), b"kept"))
    for n in range(8):
        stored(post(endpoints[n % 2], str(n).encode()))
    assert phone.waiting() == [b"4", b"5", b"6", b"7"]
    assert romeo.waiting() == [b"kept"]


def test_both_quotas_at_once(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT, settings.MAX_STORED_PER_ACCOUNT = 3, 5
    endpoints = [phone.register(app) for app in ("one", "two")]
    stored(*(post(endpoint, str(n).encode()) for endpoint in endpoints for n in range(4)))
    assert len(phone.waiting()) == 5
    assert_counters_add_up(phone)


def test_what_a_topic_replaced_takes_no_room(phone: Phone, settings: Settings) -> None:
    settings.MAX_STORED_PER_ENDPOINT = 2
    endpoint = phone.register()
    stored(post(endpoint, b"old"), *(post(endpoint, b"new", topic="news") for _ in range(5)))
    assert phone.waiting() == [b"old", b"new"]
    assert counted(Count.SETTLED) == {"replaced": 4}


# --- rates ----------------------------------------------------------------------------------------


def test_too_many_are_told_when_to_come_back(phone: Phone, settings: Settings) -> None:
    settings.PUSH_RATE_PER_ENDPOINT = Rate(0.1, 2)
    endpoint, limits = phone.register(), Limits()
    answers = [save([post(endpoint)], now_ms(), limits)[0] for _ in range(3)]
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Limited]
    assert isinstance(answers[2], Limited)
    assert 1 <= answers[2].seconds <= 10
    assert len(phone.messages()) == 2


# --- senders --------------------------------------------------------------------------------------


def test_it_counts_who_pushes(phone: Phone) -> None:
    key = key_of(phone.register())
    for agent in ("Mastodon/4", "Mastodon/4", ""):
        stored(Post(key, b"", 60, user_agent=agent, subject="mailto:admin@example.org"))
    rows = Sender.objects.order_by("-count")
    assert [(row.user_agent, row.count) for row in rows] == [("Mastodon/4", 2), ("", 1)]


def test_a_sender_of_many_names_does_not_fill_the_store(phone: Phone) -> None:
    key = key_of(phone.register())
    for group in range(4):
        stored(*(Post(key, b"", 60, user_agent=f"{group} {n}") for n in range(100)))
    assert Sender.objects.count() <= 100
