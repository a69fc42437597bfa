"""The admin: every list and every row renders; no payload and no key is ever shown."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from contextlib import closing

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client

from pushprovider import tokens
from pushprovider.fields import now_ms
from pushprovider.models import Account, Message, Registration, RevocationReason
from pushprovider.store import registrations
from tests.cast import ApplicationServer, Phone

MODELS = [model for model in admin.site._registry if model._meta.app_label == "pushprovider"]
PAYLOAD = b"PAYLOAD-that-nobody-may-see"


@pytest.fixture
def operator(client: Client, store: None) -> Client:
    """A browser that is logged in as an operator."""
    User.objects.filter(username="operator").delete()
    client.force_login(User.objects.create_superuser("operator", password="secret"))
    return client


@pytest.fixture
def busy(phone: Phone, server: ApplicationServer) -> Phone:
    """A phone with something of everything."""
    server.post(phone.register(), PAYLOAD, topic="news", urgency="high", user_agent="Mastodon/4")
    server.post(phone.register(), PAYLOAD, topic="news")
    server.post(phone.register("restricted", vapid=server.public_key), PAYLOAD)
    server.post(phone.register("revoked"), PAYLOAD)
    registrations.revoke([phone.registration("revoked").pk], RevocationReason.OPERATOR, now_ms())
    phone.register("expired", now=now_ms() - 2_592_001_000)
    Account.objects.create(
        jid="<script>'&@localhost", created_at=phone.registration().created_at, blocked_at=now_ms()
    )
    return phone


def address(model: type[models.Model], tail: str = "") -> str:
    return f"/admin/pushprovider/{model._meta.model_name}/{tail}"


def assert_secret(page: str) -> None:
    """Neither payloads nor endpoints, in any spelling."""
    assert PAYLOAD.decode() not in page
    assert b64encode(PAYLOAD).decode() not in page
    for row in Registration.objects.all():
        key = bytes(row.key)
        for shown in (tokens.make(key), key.hex(), repr(key), repr(memoryview(key))):
            assert shown not in page
        assert urlsafe_b64encode(key).decode()[:20] not in page
        assert b64encode(key).decode()[:20] not in page


def test_it_works(operator: Client) -> None:
    assert operator.get("/admin/").status_code == 200


def test_what_operators_need_is_there() -> None:
    assert {Account, Registration, Message} <= set(MODELS)
    assert set(MODELS) <= set(apps.get_app_config("pushprovider").get_models())


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_list(model: type[models.Model], operator: Client) -> None:
    assert operator.get(address(model)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_a_list(model: type[models.Model], operator: Client, busy: Phone) -> None:
    response = operator.get(address(model))
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script>'&" not in page
    assert_secret(page)


@pytest.mark.parametrize("model", MODELS)
def test_a_row(model: type[models.Model], operator: Client, busy: Phone) -> None:
    for row in model._default_manager.all():
        response = operator.get(address(model, f"{row.pk}/change/"))
        assert response.status_code == 200
        assert_secret(response.content.decode())


@pytest.mark.parametrize("model", MODELS)
def test_a_search_and_a_filter(model: type[models.Model], operator: Client, busy: Phone) -> None:
    shown = admin.site._registry[model]
    if shown.search_fields:
        for text in ("juliet", "%27\"<&", "a" * 500, "\N{SNOWMAN}"):
            assert operator.get(address(model), {"q": text}).status_code == 200
    for name in shown.list_filter:
        assert isinstance(name, str)
        assert operator.get(address(model), {f"{name}__exact": "1"}).status_code == 200
    for column in range(1, len(shown.list_display) + 1):
        assert operator.get(address(model), {"o": str(column)}).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_made_or_changed_by_hand(
    model: type[models.Model], operator: Client, busy: Phone
) -> None:
    assert operator.get(address(model, "add/")).status_code == 403
    row = model._default_manager.first()
    assert row is not None
    assert operator.post(address(model, f"{row.pk}/change/"), {"jid": "x"}).status_code == 403


def test_an_account_is_found_by_its_jid(operator: Client, busy: Phone) -> None:
    page = operator.get(address(Account), {"q": "juliet@localhost"}).content.decode()
    assert "juliet@localhost" in page
    assert "&lt;script&gt;" not in page


def test_a_message_is_found_by_its_id(operator: Client, busy: Phone) -> None:
    uid = busy.messages()[0].uid
    page = operator.get(address(Message), {"q": uid}).content.decode()
    assert uid in page
    assert busy.messages()[1].uid not in page


def test_a_moment_reads_as_a_date(operator: Client, busy: Phone) -> None:
    year = str(busy.registration().created_at.year)
    assert year in operator.get(address(Message)).content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_sees_nothing(model: type[models.Model], client: Client, busy: Phone) -> None:
    response = client.get(address(model))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/")


def test_the_styles_are_served(operator: Client) -> None:
    page = operator.get("/admin/").content.decode()
    assert "/static/admin/css/base.css" in page
    with closing(operator.get("/static/admin/css/base.css")) as response:
        assert response.status_code == 200
