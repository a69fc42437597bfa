"""What must be tidied as time passes."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from pushprovider.fields import to_datetime
from pushprovider.models import HourlyCount, Message, MessageState, Registration, RevocationReason
from pushprovider.stats import CARRIED, HOUR_MS, Count, Counts, write
from pushprovider.store import housekeeping, registrations
from pushprovider.store.post import Limits, Post
from pushprovider.store.save import save
from tests.cast import Phone, counted

NOW = 1_800_000_000_000
DAY_MS = 24 * HOUR_MS


def send(phone: Phone, ttl: int, body: bytes = b"hello") -> None:
    """Store a message at NOW."""
    phone.register(now=NOW)
    save([Post(bytes(phone.registration().key), body, ttl)], NOW, Limits())


def test_it_works(phone: Phone) -> None:
    send(phone, 60)
    assert housekeeping.tidy(NOW) is False
    assert phone.waiting() == [b"hello"]


def test_a_message_expires_when_its_ttl_ends(phone: Phone) -> None:
    send(phone, 60)
    housekeeping.tidy(NOW + 59_999)
    assert phone.states() == ["queued"]
    housekeeping.tidy(NOW + 60_000)
    [message] = phone.messages()
    assert (phone.states(), bytes(message.payload)) == (["expired"], b"")
    assert message.settled_at == to_datetime(NOW + 60_000)
    assert counted(Count.SETTLED) == {"expired": 1}


def test_one_that_was_sent_expires_too(phone: Phone) -> None:
    send(phone, 60)
    Message.objects.update(state=MessageState.SENT)
    housekeeping.tidy(NOW + 60_000)
    assert phone.states() == ["expired"]


def test_one_that_is_settled_does_not_expire(phone: Phone) -> None:
    send(phone, 60)
    Message.objects.update(state=MessageState.DELIVERED, settled_at=to_datetime(NOW))
    housekeeping.tidy(NOW + 60_000)
    assert phone.states() == ["delivered"]
    assert counted(Count.SETTLED) == {}


def test_the_log_is_kept_for_so_long(phone: Phone, settings: Settings) -> None:
    settings.MESSAGE_LOG_HOURS = 48
    send(phone, 60)
    housekeeping.tidy(NOW + 60_000)
    housekeeping.tidy(NOW + 60_000 + 48 * HOUR_MS)
    assert phone.states() == ["expired"]
    housekeeping.tidy(NOW + 60_001 + 48 * HOUR_MS)
    assert phone.messages() == []
    assert counted(Count.ACCEPTED) == {"normal": 1}


def test_the_log_can_be_switched_off(phone: Phone, settings: Settings) -> None:
    settings.MESSAGE_LOG_HOURS = 0
    send(phone, 60)
    housekeeping.tidy(NOW + 60_000)
    housekeeping.tidy(NOW + 60_001)
    assert phone.messages() == []


def test_it_does_a_chunk_and_says_that_there_is_more(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    for _ in range(5):
        send(phone, 60)
    later = NOW + 60_000
    assert [housekeeping.expire(later) for _ in range(3)] == [True, True, False]
    assert counted(Count.SETTLED) == {"expired": 5}
    much_later = later + 49 * HOUR_MS
    assert [housekeeping.purge(much_later) for _ in range(3)] == [True, True, False]
    assert phone.messages() == []


def test_the_oldest_goes_first(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 1)
    for ttl in (30, 10, 20):
        send(phone, ttl)
    housekeeping.expire(NOW + 60_000)
    assert phone.states() == ["queued", "expired", "queued"]


def test_a_registration_is_forgotten_long_after_its_end(phone: Phone) -> None:
    send(phone, 60)
    end = NOW + 30 * DAY_MS
    housekeeping.tidy(end + housekeeping.KEEP_ENDED)
    assert Registration.objects.exists()
    housekeeping.tidy(end + housekeeping.KEEP_ENDED + 1)
    assert not Registration.objects.exists()
    assert phone.messages() == []


def test_a_revoked_one_is_remembered_for_as_long(phone: Phone) -> None:
    send(phone, 60)
    registrations.revoke([phone.registration().pk], RevocationReason.DEVICE, NOW)
    housekeeping.tidy(NOW + 30 * DAY_MS)
    assert phone.registration().revoked_reason == "device"


def test_old_counters_are_folded_into_one_row(store: None, settings: Settings) -> None:
    settings.STATS_DAYS = 1
    for hour in range(3):
        write(Counts({(Count.RENEWED, ""): 1, (Count.REJECTED, "ttl"): 2}), NOW + hour * HOUR_MS)
    housekeeping.tidy(NOW + DAY_MS - HOUR_MS)
    assert HourlyCount.objects.count() == 6
    housekeeping.tidy(NOW + DAY_MS + 2 * HOUR_MS)
    assert HourlyCount.objects.filter(hour=CARRIED).count() == 2
    assert HourlyCount.objects.count() == 4
    assert (counted(Count.RENEWED), counted(Count.REJECTED)) == ({"": 3}, {"ttl": 6})


def test_folding_goes_on_in_bounded_pieces(
    store: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STATS_DAYS = 1
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    for hour in range(5):
        write(Counts({(Count.RENEWED, ""): 1}), NOW + hour * HOUR_MS)
    later = NOW + 10 * DAY_MS
    assert [housekeeping.trim(later) for _ in range(4)] == [True, True, False, False]
    assert HourlyCount.objects.count() == 1
    assert counted(Count.RENEWED) == {"": 5}


def test_counters_of_one_hour_are_one_row(store: None) -> None:
    for minute in range(0, 120, 20):
        write(Counts({(Count.RENEWED, ""): 1, (Count.DELAY, "5"): 0}), NOW + minute * 60_000)
    assert counted(Count.RENEWED) == {"": 6}
    assert HourlyCount.objects.count() == 2
