"""What becomes of a push to an old endpoint whose token names no row."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3

import pytest
from pytest_django import Settings

from pushprovider.fields import now_ms, to_ms
from pushprovider.legacy import reading
from pushprovider.models import (
    Account,
    Message,
    MessageState,
    Registration,
    RevocationReason,
    Tombstone,
)
from pushprovider.stats import Count
from pushprovider.store import housekeeping, operators, outbox, registrations
from pushprovider.store.attempts import Answer, Work
from pushprovider.store.settle import write_down
from tests.cast import DAY, ApplicationServer, Phone, ask, asking, counted
from tests.legacy import tokens
from tests.legacy.tokens import PUSH, ejabberd, exp, jwt, paseto, said, said_ejabberd, said_up, up
from tests.settings import DATABASE

pytestmark = pytest.mark.usefixtures("moved")


def old() -> str:
    """Return an endpoint that `up` gave to juliet's phone."""
    return PUSH + up(said_up())


# --- it is an ordinary message --------------------------------------------------------------------


def test_it_works(phone: Phone, server: ApplicationServer) -> None:
    answer = server.post(old(), b"hello", ttl="60", topic="news", urgency="high")
    [message] = phone.messages()
    assert (answer.status, answer.headers["ttl"]) == (201, "60")
    assert answer.headers["location"] == f"https://push.example.org/message/{message.uid}"
    assert phone.waiting() == [b"hello"]
    assert (message.topic, message.ttl, message.legacy) == ("news", 60, "up")


def test_it_makes_a_registration_of_what_the_token_says(
    phone: Phone, server: ApplicationServer
) -> None:
    url = PUSH + up(said_up(exp=4102444800123))
    server.post(url)
    server.post(url)
    [row] = Registration.objects.all()
    assert (row.device, row.legacy) == (phone.jid, "up")
    assert to_ms(row.expires_at) == 4102444800123
    assert row.account.last_seen_at is None


def test_two_first_pushes_at_once_make_one_registration(phone: Phone) -> None:
    async def both() -> list[int]:
        posts = [asking("POST", url, b"hello") for url in (old(), PUSH + jwt(said()))]
        return [answer.status for answer in await asyncio.gather(*posts)]

    assert asyncio.run(both()) == [201, 201]
    assert Registration.objects.count() == 1
    assert sorted(message.legacy for message in phone.messages()) == ["prosody-jwt", "up"]


@pytest.mark.parametrize("path", ["/push/", "/up/push/"])
def test_both_paths_serve_it(path: str, phone: Phone, server: ApplicationServer) -> None:
    own = phone.register("other").rpartition("/")[2]
    for token in (ejabberd(said_ejabberd()), up(said_up()), own):
        url = f"https://push.example.org{path}{token}"
        assert server.post(url).status == 201
        assert ask("GET", url).json == {"unifiedpush": {"version": 1}}
        assert ask("HEAD", url).status == 200
        assert ask("OPTIONS", url).status == 204
        assert ask("DELETE", url).status == 405
        assert ask("PUT", url, b"version=1").status == 201
        assert ask("POST", url, b"x" * 4097).status == 413


def test_it_is_counted_like_any_other_and_by_its_kind(server: ApplicationServer) -> None:
    server.post(old())
    server.post(PUSH + ejabberd(said_ejabberd()))
    server.post(PUSH + ejabberd(said_ejabberd()))
    assert counted(Count.ACCEPTED) == {"normal": 3}
    assert counted(Count.LEGACY) == {"up": 1, "ejabberd": 2}


def test_the_sender_can_take_it_back(phone: Phone, server: ApplicationServer) -> None:
    location = server.post(old()).headers["location"]
    assert ask("DELETE", location).status == 204
    assert phone.states() == ["cancelled"]


def test_an_own_token_never_gets_as_far_as_the_old_ones(
    phone: Phone, server: ApplicationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = phone.register()
    monkeypatch.setattr(reading, "read", None)
    assert server.post(endpoint).status == 201
    assert phone.messages()[0].legacy == ""


# --- to whom --------------------------------------------------------------------------------------


def test_it_goes_to_the_device_that_registered_last(
    phone: Phone, server: ApplicationServer
) -> None:
    tablet = Phone("juliet@localhost/tablet")
    own = tablet.register()
    assert server.post(old()).status == 201
    [message] = phone.messages()
    assert message.registration.device == tablet.jid
    assert (message.legacy, message.registration.legacy) == ("up", "")
    assert tablet.register() == own


def test_what_waits_goes_to_the_device_that_registers(
    phone: Phone, server: ApplicationServer
) -> None:
    server.post(old(), b"early")
    tablet = Phone("juliet@localhost/tablet")
    tablet.register()
    [claimed] = outbox.arrivals(0, 10, now_ms())
    assert (claimed.device, claimed.payload) == (tablet.jid, b"early")


def test_a_later_token_says_where_the_device_is(phone: Phone, server: ApplicationServer) -> None:
    server.post(PUSH + up(said_up("juliet@localhost/old", exp=exp(100) * 1000)))
    server.post(PUSH + jwt(said("juliet@localhost/new", exp=exp(900))))
    server.post(PUSH + up(said_up("juliet@localhost/oldest", exp=exp(50) * 1000)))
    [row] = Registration.objects.all()
    assert (row.resource, row.legacy) == ("new", "prosody-jwt")


def test_registering_gives_a_url_of_ours_that_stays(
    phone: Phone, server: ApplicationServer
) -> None:
    url = old()
    server.post(url)
    first = phone.register()
    assert first.startswith(PUSH)
    assert len(first) == len(PUSH) + 43
    assert phone.register() == first
    assert phone.registration().legacy == ""
    # Application servers switch late: the old one lives on.
    assert [server.post(url).status, server.post(first).status] == [201, 201]
    assert len(phone.waiting()) == 3
    assert Registration.objects.count() == 1


def test_an_old_endpoint_is_not_restricted_by_the_new_one(
    phone: Phone, server: ApplicationServer
) -> None:
    """Its senders were never told to sign."""
    own = phone.register(vapid=server.public_key)
    assert server.post(own).status == 401
    assert server.post(old()).status == 201


def test_it_does_not_bring_an_expired_url_back(phone: Phone, server: ApplicationServer) -> None:
    own = phone.register(now=now_ms() - 31 * DAY * 1000)
    assert server.post(own).status == 404
    assert server.post(old()).status == 201
    assert server.post(own).status == 404
    assert phone.registration().legacy == "up"


# --- the end of it --------------------------------------------------------------------------------


def test_revocation_is_by_identity(phone: Phone, server: ApplicationServer) -> None:
    url = old()
    server.post(url)
    registrations.revoke([phone.registration().pk], RevocationReason.OPERATOR, now_ms())
    assert server.post(url).status == 410
    assert server.post(PUSH + up(said_up(exp=exp(9000) * 1000))).status == 410
    assert server.post(PUSH + jwt(said())).status == 410
    assert phone.states() == ["gone"]
    assert Registration.objects.count() == 1


def test_what_was_revoked_stays_so_when_the_phone_registers_again(
    phone: Phone, server: ApplicationServer
) -> None:
    phone.register()
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    own = phone.register()
    assert server.post(old()).status == 410
    assert server.post(own).status == 201


def test_a_device_that_does_not_know_it_ends_it(phone: Phone, server: ApplicationServer) -> None:
    url = old()
    server.post(url)
    [message] = phone.messages()
    answer = Answer(message.uid, phone.jid, MessageState.GONE)
    write_down(Work(answers=[answer]), now_ms())
    assert phone.states() == ["gone"]
    assert server.post(url).status == 410


def test_another_identity_is_not_touched(phone: Phone, server: ApplicationServer) -> None:
    phone.register()
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    other = said_up("romeo@localhost/phone")
    assert server.post(PUSH + up(other)).status == 201


def test_a_secret_key_that_was_rotated_forgets_no_revocation(
    moved: Settings, phone: Phone, server: ApplicationServer
) -> None:
    phone.register()
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    moved.SECRET_KEY_FALLBACKS, moved.SECRET_KEY = [moved.SECRET_KEY], "n" * 20 + "ew" * 20
    assert server.post(old()).status == 410


def test_a_blocked_account_is_gone(phone: Phone, server: ApplicationServer) -> None:
    server.post(old())
    Account.objects.update(blocked_at=dt.datetime.now(dt.UTC))
    assert server.post(old()).status == 410
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    Registration.objects.all().delete()
    Tombstone.objects.all().delete()
    assert server.post(old()).status == 410
    assert not Registration.objects.exists()


def test_an_erased_account_stays_erased(phone: Phone, server: ApplicationServer) -> None:
    server.post(old())
    operators.erase(Account.objects.get().pk, None, now_ms())
    assert server.post(old()).status == 410
    assert server.post(PUSH + jwt(said(application=said()["instance"]))).status == 410
    assert not Account.objects.exists()
    with sqlite3.connect(DATABASE) as raw:
        assert "juliet" not in "".join(raw.iterdump())


def test_tombstones_stay_while_old_tokens_may_be_honoured(
    moved: Settings, phone: Phone, server: ApplicationServer
) -> None:
    phone.register()
    registrations.revoke([phone.registration().pk], RevocationReason.OWNER, now_ms())
    later = now_ms() + 400 * DAY * 1000
    housekeeping.forget_old(later)
    assert Tombstone.objects.count() == 1
    moved.LEGACY_UNTIL = "2027-01-31"
    housekeeping.forget_old(now_ms())
    assert Tombstone.objects.count() == 1
    housekeeping.forget_old(later)
    assert not Tombstone.objects.exists()


# --- what an operator sets ------------------------------------------------------------------------


def test_the_acl_counts_at_every_push(moved: Settings, server: ApplicationServer) -> None:
    url = old()
    moved.REGISTRATION_ACL = ["elsewhere.example"]
    assert server.post(url).status == 404
    assert not Account.objects.exists()
    moved.REGISTRATION_ACL = ["elsewhere.example", "juliet@localhost/phone"]
    assert server.post(url).status == 201
    moved.REGISTRATION_ACL = ["elsewhere.example"]
    assert server.post(url).status == 404


def test_until_is_the_last_day(moved: Settings, server: ApplicationServer) -> None:
    today = dt.datetime.now(dt.UTC).date()
    moved.LEGACY_UNTIL = today.isoformat()
    assert server.post(old()).status == 201
    moved.LEGACY_UNTIL = (today - dt.timedelta(days=1)).isoformat()
    assert server.post(old()).status == 404


def test_every_key_of_a_list_is_tried(moved: Settings, server: ApplicationServer) -> None:
    for name, entries in tokens.SETTINGS.items():
        other = entries[0].translate(str.maketrans("789", "012"))
        twisted = entries[0][:-6] + "0000" + entries[0][-2:]
        setattr(moved, name, [twisted, other, *entries])
    made = (up(said_up()), paseto(said()), jwt(said()), ejabberd(said_ejabberd()))
    assert [server.post(PUSH + token).status for token in made] == [201] * 4


def test_an_account_has_no_more_old_endpoints_than_others(
    moved: Settings, phone: Phone, server: ApplicationServer
) -> None:
    moved.MAX_ENDPOINTS_PER_ACCOUNT = 1
    phone.register("other")
    answer = server.post(old())
    assert (answer.status, answer.headers["retry-after"]) == (429, "3600")
    assert Message.objects.count() == 0
