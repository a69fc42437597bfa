"""What may be stored: the ids, and the rates."""

from __future__ import annotations

import time

from pytest_django import Settings

from pushprovider.fields import now_ms
from pushprovider.store.post import Accepted, Limited, Limits, new_uid
from pushprovider.store.save import save
from tests.cast import Phone
from tests.posts import post
from upconfig.env import Rate


def test_an_id_begins_with_the_time_and_cannot_be_guessed() -> None:
    before, uids, after = time.time(), [new_uid() for _ in range(100)], time.time()
    assert len(set(uids)) == 100
    assert {len(uid) for uid in uids} == {36}
    assert all(before - 1 < int(uid[:14], 16) / 1e6 < after + 1 for uid in uids)


def test_too_many_are_told_when_to_come_back(phone: Phone, settings: Settings) -> None:
    settings.PUSH_RATE_PER_ENDPOINT = Rate(0.1, 2)
    endpoint, limits = phone.register(), Limits()
    answers = [save([post(endpoint)], now_ms(), limits)[0] for _ in range(3)]
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Limited]
    assert isinstance(answers[2], Limited)
    assert 1 <= answers[2].seconds <= 10
    assert len(phone.messages()) == 2
