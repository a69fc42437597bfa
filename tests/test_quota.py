"""The quotas: what is one too many goes, the least urgent first, then the oldest."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from pushprovider.fields import now_ms
from pushprovider.models import Urgency
from pushprovider.stats import Count
from pushprovider.store.post import Accepted
from tests.cast import Phone, counted
from tests.posts import assert_counters_add_up, post, stored


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


@pytest.mark.parametrize("quota", ["MAX_STORED_PER_ENDPOINT", "MAX_STORED_PER_ACCOUNT"])
def test_what_has_expired_makes_room_for_what_has_not(
    quota: str, phone: Phone, settings: Settings
) -> None:
    """The component, which expires messages, is down."""
    setattr(settings, quota, 3)
    endpoint = phone.register()
    an_hour_ago = now_ms() - 3_600_000
    for n in range(3):
        stored(post(endpoint, str(n).encode(), urgency=Urgency.HIGH), now=an_hour_ago)
    stored(post(endpoint, b"live"))
    assert phone.states() == ["expired", "expired", "expired", "queued"]
    assert_counters_add_up(phone)
