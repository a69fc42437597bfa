"""The group commit: many posts, one transaction, an answer for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from pushprovider import tokens
from pushprovider.fields import now_ms
from pushprovider.models import Account, Message, MessageState, RevocationReason
from pushprovider.stats import Count
from pushprovider.store import registrations
from pushprovider.store.post import Accepted, Limited, Limits, Post, Refusal
from pushprovider.store.save import save
from tests.cast import ApplicationServer, Phone, counted
from tests.posts import assert_counters_add_up, post, stored
from upconfig.env import Rate


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


def test_what_could_not_be_stored_does_not_count_against_the_rate(
    phone: Phone, settings: Settings
) -> None:
    settings.PUSH_RATE_PER_ENDPOINT = settings.PUSH_RATE_PER_ACCOUNT = Rate(0.1, 2)
    limits = Limits()
    good, unstorable = (post(phone.register()) for _ in "12")
    object.__setattr__(unstorable, "urgency", 2**80)
    for _ in range(5):
        with pytest.raises((DatabaseError, OverflowError, ValueError)):
            save([good, unstorable], now_ms(), limits)
    answers = save([good] * 3, now_ms(), limits)
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Limited]


def test_a_ttl_of_zero_is_for_one_attempt(phone: Phone) -> None:
    stored(post(phone.register(), ttl=0))
    [message] = phone.messages()
    assert message.ttl == 0
    assert 0 < (message.expires_at - message.accepted_at).total_seconds() <= 10


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
