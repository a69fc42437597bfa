"""What becomes of operators' logins when SECRET_KEY changes, as docs/operators.md says it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.test_live import Browser

NEW = "made after the old one had leaked, 0123456789"


@pytest.fixture
def operator(client: Client, store: None) -> Iterator[Client]:
    """A browser that is logged in as an operator."""
    client.force_login(User.objects.create_superuser("operator", password="secret"))
    yield client
    User.objects.all().delete()


def rotate(settings: Settings, *, fallback: bool) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if fallback else []
    settings.SECRET_KEY = NEW


def is_logged_in(browser: Client) -> bool:
    return browser.get("/admin/password_change/").status_code == 200


def test_with_a_fallback_operators_stay_logged_in(operator: Client, settings: Settings) -> None:
    rotate(settings, fallback=True)
    assert is_logged_in(operator)
    settings.SECRET_KEY_FALLBACKS = []  # the session is under the new key by now
    assert is_logged_in(operator)


def test_with_a_fallback_a_live_view_that_was_open_ends_its_login(
    operator: Client, settings: Settings
) -> None:
    """Channels knows no fallbacks."""
    rotate(settings, fallback=True)

    async def reconnect() -> None:
        browser = Browser(operator.cookies["sessionid"].value)
        assert await browser.connect()
        assert await browser.close_code() == 4403
        await browser.leave()

    asyncio.run(reconnect())
    assert not is_logged_in(operator)


def test_without_a_fallback_every_login_ends(operator: Client, settings: Settings) -> None:
    rotate(settings, fallback=False)
    assert not is_logged_in(operator)
