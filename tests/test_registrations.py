"""Registrations and revocations: which URL a device gets, and for how long."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from pytest_django import Settings

from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, Message, MessageState, Registration, RevocationReason
from pushprovider.stats import Count
from pushprovider.store import registrations
from pushprovider.store.registrations import Blocked, TooMany, cancel, register, revoke
from tests.cast import ApplicationServer, Phone, counted, hashed

NOW = 1_800_000_000_000
HOUR = 3_600_000
TTL = 2_592_000_000


def test_it_works(phone: Phone) -> None:
    granted = register(phone.asks(), NOW)
    row = Registration.objects.get()
    assert granted.endpoint.startswith("https://push.example.org/push/")
    assert granted.expires_at == NOW + TTL
    assert row.expires_at == to_datetime(NOW + TTL)
    assert (row.account.jid, row.resource) == ("juliet@localhost", "phone")
    assert (row.application, row.instance, row.vapid) == (hashed("chat"), hashed("first"), "")


def test_it_keeps_the_url_on_renewal(phone: Phone) -> None:
    first, again = register(phone.asks(), NOW), register(phone.asks(), NOW + HOUR)
    assert again.endpoint == first.endpoint
    assert again.expires_at == first.expires_at + HOUR
    row = Registration.objects.get()
    assert (row.created_at, row.renewed_at) == (to_datetime(NOW), to_datetime(NOW + HOUR))
    assert counted(Count.REGISTERED) | counted(Count.RENEWED) == {"": 1}


def test_a_new_resource_moves_the_device(phone: Phone) -> None:
    first = register(phone.asks(), NOW)
    moved = register(Phone("juliet@localhost/new phone").asks(), NOW + HOUR)
    assert moved.endpoint == first.endpoint
    assert Registration.objects.get().device == "juliet@localhost/new phone"


def test_what_waits_moves_with_the_device(phone: Phone, server: ApplicationServer) -> None:
    server.post(phone.register())
    Phone("juliet@localhost/new phone").register()
    assert Message.objects.get().registration.device == "juliet@localhost/new phone"


@pytest.mark.parametrize(
    ("other", "app", "instance"),
    [
        ("romeo@localhost/phone", "chat", "first"),
        ("juliet@localhost.example/phone", "chat", "first"),
        ("juliet@localhost/phone", "mail", "first"),
        ("juliet@localhost/phone", "chat", "second"),
    ],
)
def test_another_identity_gets_another_url(
    other: str, app: str, instance: str, phone: Phone
) -> None:
    first = register(phone.asks(), NOW)
    second = register(Phone(other).asks(app, instance), NOW)
    assert second.endpoint != first.endpoint
    assert register(phone.asks(), NOW).endpoint == first.endpoint


@pytest.mark.parametrize("reason", list(RevocationReason))
def test_a_revoked_one_gets_a_new_url(reason: RevocationReason, phone: Phone) -> None:
    first = register(phone.asks(), NOW)
    revoke([phone.registration().pk], reason, NOW + 1)
    second = register(phone.asks(), NOW + 2)
    assert second.endpoint != first.endpoint
    assert [row.revoked_reason for row in Registration.objects.order_by("pk")] == [reason, ""]


def test_an_expired_one_gets_a_new_url(phone: Phone) -> None:
    first = register(phone.asks(), NOW)
    assert register(phone.asks(), NOW + TTL - 1).endpoint == first.endpoint
    second = register(phone.asks(), NOW + 2 * TTL - 1)
    assert second.endpoint != first.endpoint
    assert counted(Count.REGISTERED) == {"": 2}


def test_the_old_url_of_an_expired_one_is_dead(phone: Phone, server: ApplicationServer) -> None:
    first = phone.register(now=now_ms() - TTL - 1)
    second = phone.register()
    assert (server.post(first).status, server.post(second).status) == (404, 201)


def test_a_key_restricts_it_and_can_be_changed(phone: Phone, server: ApplicationServer) -> None:
    register(phone.asks(vapid=server.public_key), NOW)
    assert Registration.objects.get().vapid == server.public_key
    register(phone.asks(), NOW)
    assert Registration.objects.get().vapid == ""


def test_an_account_may_have_so_many(phone: Phone, settings: Settings) -> None:
    settings.MAX_ENDPOINTS_PER_ACCOUNT = 2
    register(phone.asks("one"), NOW)
    register(phone.asks("two"), NOW)
    with pytest.raises(TooMany):
        register(phone.asks("three"), NOW)
    register(phone.asks("two"), NOW)  # a renewal is none more
    register(Phone("romeo@localhost/phone").asks("three"), NOW)
    assert phone.account in {row.account.jid for row in Registration.objects.all()}


def test_those_that_ended_do_not_count(phone: Phone, settings: Settings) -> None:
    settings.MAX_ENDPOINTS_PER_ACCOUNT = 1
    register(phone.asks("one"), NOW)
    revoke([phone.registration("one").pk], RevocationReason.OWNER, NOW)
    register(phone.asks("two"), NOW)
    register(phone.asks("three"), NOW + TTL)
    with pytest.raises(TooMany):
        register(phone.asks("two"), NOW + TTL)


def test_who_registers_and_revokes_all_day_does_not_fill_the_store(
    phone: Phone, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrations, "MOST_ENDED", 3)
    settings.MAX_ENDPOINTS_PER_ACCOUNT = 2
    for number in range(5):
        register(phone.asks(str(number)), NOW)
        revoke([phone.registration(str(number)).pk], RevocationReason.OWNER, NOW)
    with pytest.raises(TooMany):
        register(phone.asks("more"), NOW)
    assert Registration.objects.count() == 5


def test_a_blocked_account_gets_none(phone: Phone) -> None:
    register(phone.asks(), NOW)
    Account.objects.update(blocked_at=to_datetime(NOW))
    with pytest.raises(Blocked):
        register(phone.asks(), NOW + HOUR)
    assert Registration.objects.get().renewed_at == to_datetime(NOW)


def test_a_refusal_leaves_nothing_behind(phone: Phone, settings: Settings) -> None:
    settings.MAX_ENDPOINTS_PER_ACCOUNT = 0
    with pytest.raises(TooMany):
        register(phone.asks(), NOW)
    assert not Account.objects.exists()
    assert counted(Count.REGISTERED) == {}


def test_it_notes_when_an_account_was_last_seen(phone: Phone) -> None:
    register(phone.asks(), NOW)
    register(phone.asks(), NOW + HOUR)
    assert Account.objects.get().last_seen_at == to_datetime(NOW + HOUR)


def test_at_the_same_time_it_is_still_one(phone: Phone) -> None:
    endpoints: list[str] = []
    start = threading.Barrier(6)

    def ask() -> None:
        try:
            start.wait()
            endpoints.append(register(phone.asks(), NOW).endpoint)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(endpoints), len(set(endpoints))) == (6, 1)
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    "jid",
    [
        'd\'artagnan&co@localhost/"<phone>"',
        "jos\N{LATIN SMALL LETTER E WITH ACUTE}@xn--mnchen-3ya.example/\N{SNOWMAN}",
        "juliet@localhost/a/b@c",
        "juliet@[::1]/%s %(x)s {}",
        "a" * 1023 + "@" + "b" * 1023 + "/" + "c" * 1023,
    ],
)
def test_it_keeps_any_jid(jid: str, store: None) -> None:
    Phone(jid).register()
    assert Registration.objects.get().device == jid


# --- revocation -----------------------------------------------------------------------------------


def test_a_revocation_drops_the_queue(phone: Phone, server: ApplicationServer) -> None:
    endpoint, other = phone.register(), phone.register("other")
    server.post(endpoint)
    server.post(other, b"kept")
    assert revoke([phone.registration().pk], RevocationReason.DEVICE, now_ms()) == 1
    assert phone.states() == ["gone", "queued"]
    assert phone.waiting() == [b"kept"]
    assert bytes(phone.messages()[0].payload) == b""
    assert (counted(Count.REVOKED), counted(Count.SETTLED)) == ({"device": 1}, {"gone": 1})


def test_the_second_time_it_revokes_nothing(phone: Phone) -> None:
    phone.register()
    pk = phone.registration().pk
    assert revoke([pk], RevocationReason.DEVICE, NOW) == 1
    assert revoke([pk], RevocationReason.OPERATOR, NOW + 1) == 0
    assert phone.registration().revoked_reason == "device"
    assert counted(Count.REVOKED) == {"device": 1}


def test_it_revokes_many_and_keeps_what_was_delivered(
    phone: Phone, server: ApplicationServer
) -> None:
    for app in ("one", "two"):
        server.post(phone.register(app))
    Message.objects.filter(pk=phone.messages()[0].pk).update(state=MessageState.DELIVERED)
    pks = [phone.registration(app).pk for app in ("one", "two")]
    assert revoke(pks, RevocationReason.OWNER, now_ms()) == 2
    assert phone.states() == ["delivered", "gone"]


def test_nothing_to_revoke(store: None) -> None:
    assert revoke([], RevocationReason.OWNER, NOW) == 0
    assert revoke([12345], RevocationReason.OWNER, NOW) == 0
    assert counted(Count.REVOKED) == {}


def test_cancel(phone: Phone, server: ApplicationServer) -> None:
    uid = server.post(phone.register()).headers["location"].rpartition("/")[2]
    assert (cancel(uid, now_ms()), cancel(uid, now_ms()), cancel("", NOW)) == (True, False, False)
