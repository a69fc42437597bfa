"""The admin: every list and every row renders; no payload and no key is ever shown."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, resolve, reverse

from pushprovider import tokens
from pushprovider.fields import now_ms, to_datetime
from pushprovider.models import Account, Message, Registration, RevocationReason
from pushprovider.store import registrations
from tests.cast import ApplicationServer, Phone

PAYLOAD = b"PAYLOAD-that-nobody-may-see"


@pytest.fixture
def operator(client: Client, store: None) -> Iterator[Client]:
    """A browser that is logged in as an operator."""
    user = User.objects.create_superuser("operator", password="secret")
    client.force_login(user)
    yield client
    User.objects.all().delete()


@pytest.fixture
def busy(phone: Phone, server: ApplicationServer) -> Phone:
    """A phone with something of everything, beside an account with an ugly name."""
    server.post(phone.register(), PAYLOAD, topic="news", urgency="high", user_agent="Mastodon/4")
    server.post(phone.register(), PAYLOAD, topic="news", user_agent="<script>'&")
    server.post(phone.register("restricted", vapid=server.public_key), PAYLOAD)
    server.post(phone.register("revoked"), PAYLOAD)
    registrations.revoke([phone.registration("revoked").pk], RevocationReason.OPERATOR, now_ms())
    phone.register("expired", now=now_ms() - 2_592_001_000)
    now = to_datetime(now_ms())
    Account.objects.create(jid="<script>'&@localhost", created_at=now, blocked_at=now)
    return phone


def shown() -> list[tuple[Any, str]]:
    """Return the admin of each of our models that has a list, and the list's address."""
    found = []
    for model in apps.get_app_config("pushprovider").get_models():
        try:
            address = reverse(f"admin:pushprovider_{model._meta.model_name}_changelist")
        except NoReverseMatch:
            continue
        found.append((resolve(address).func.model_admin, address))  # type: ignore[attr-defined]
    return found


def list_of(model: type) -> str:
    """Return the address of a model's list."""
    [address] = [address for admin, address in shown() if admin.model is model]
    return address


def assert_harmless(page: str) -> None:
    """Neither payloads nor endpoints, in any spelling, nor a stranger's words as HTML."""
    assert PAYLOAD.decode() not in page
    assert b64encode(PAYLOAD).decode() not in page
    assert "<script>'" not in page
    for row in Registration.objects.all():
        key = bytes(row.key)
        for spelling in (tokens.make(key), key.hex(), repr(key), repr(memoryview(key))):
            assert spelling not in page
        assert urlsafe_b64encode(key).decode()[:20] not in page
        assert b64encode(key).decode()[:20] not in page


def test_it_works(operator: Client) -> None:
    assert operator.get(reverse("admin:index")).status_code == 200
    assert {admin.model for admin, _ in shown()} >= {Account, Registration, Message}


def test_the_lists_are_shown_empty(operator: Client) -> None:
    for _, address in shown():
        assert operator.get(address).status_code == 200, address


def test_the_lists_are_shown_full(operator: Client, busy: Phone) -> None:
    for _, address in shown():
        response = operator.get(address)
        assert response.status_code == 200, address
        assert_harmless(response.content.decode())


def test_every_row_is_shown(operator: Client, busy: Phone) -> None:
    for admin, address in shown():
        for row in admin.model._default_manager.all():
            response = operator.get(f"{address}{row.pk}/change/")
            assert response.status_code == 200, (address, row)
            assert_harmless(response.content.decode())


def test_every_search_is_answered(operator: Client, busy: Phone) -> None:
    for admin, address in shown():
        for text in (
            ("juliet", '%27"<&', "a" * 500, "\N{SNOWMAN}", "\0") if admin.search_fields else ()
        ):
            response = operator.get(address, {"q": text})
            assert response.status_code in (200, 302), (address, text)


def test_every_filter_is_answered(operator: Client, busy: Phone) -> None:
    for admin, address in shown():
        names = [name for name in admin.list_filter if isinstance(name, str)]
        for query in [{f"{name}__exact": "1"} for name in names] + [{"nonsense": "1"}]:
            assert operator.get(address, query).status_code in (200, 302), (address, query)


def test_every_column_sorts(operator: Client, busy: Phone) -> None:
    for admin, address in shown():
        for column in range(1, len(admin.list_display) + 1):
            assert operator.get(address, {"o": f"-{column}"}).status_code == 200, (address, column)


def test_nothing_is_made_or_changed_by_hand(operator: Client, busy: Phone) -> None:
    for admin, address in shown():
        row = admin.model._default_manager.first()
        assert operator.get(f"{address}add/").status_code in (403, 404), address
        if row is not None:
            changed = operator.post(f"{address}{row.pk}/change/", {"jid": "x", "state": "2"})
            assert changed.status_code in (403, 404, 405), address
    assert busy.waiting() == [PAYLOAD]


def test_an_account_is_found_by_its_jid(operator: Client, busy: Phone) -> None:
    page = operator.get(list_of(Account), {"q": "juliet@localhost"}, follow=True).content.decode()
    assert "juliet@localhost" in page
    assert "&lt;script&gt;" not in page


def test_a_message_is_found_by_its_id(operator: Client, busy: Phone) -> None:
    uid = busy.messages()[0].uid
    page = operator.get(list_of(Message), {"q": uid}, follow=True).content.decode()
    assert uid in page
    assert busy.messages()[1].uid not in page


def test_a_stranger_sees_nothing(client: Client, busy: Phone) -> None:
    for _, address in shown():
        response = client.get(address)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/admin/login/")


def test_somebody_without_rights_sees_nothing(client: Client, busy: Phone) -> None:
    client.force_login(User.objects.create_user("somebody"))
    for _, address in shown():
        assert client.get(address).status_code in (302, 403)
    User.objects.all().delete()


def test_the_styles_are_served(operator: Client) -> None:
    with closing(operator.get("/static/admin/css/base.css")) as response:
        assert response.status_code == 200
