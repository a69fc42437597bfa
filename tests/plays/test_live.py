"""An operator watches deliveries as they happen."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.websocket import WebSocket

LOGIN = """
from django.contrib.auth.models import User
from django.test import Client
user = User.objects.create_user("ops", is_staff={staff})
client = Client()
client.force_login(user, "django.contrib.auth.backends.ModelBackend")
print("cookie:" + client.cookies["sessionid"].value)
"""


async def login(provider: Provider, *, staff: bool = True) -> str:
    """Make a user and return the cookie of a session."""
    said = await asyncio.to_thread(provider.manage, "shell", "-c", LOGIN.format(staff=staff))
    return said.rpartition("cookie:")[2].strip()


def watch(provider: Provider, cookie: str, origin: str = "") -> WebSocket:
    return WebSocket(f"{provider.url}/ws/live/", cookie, origin or provider.url)


@pytest.mark.on_both
@play
async def test_it_shows_a_delivery_as_it_happens(provider: Provider, phone: Phone) -> None:
    cookie = await login(provider)
    async with phone, watch(provider, cookie) as socket:
        endpoint = (await phone.register()).endpoint
        await provider.post(endpoint, b"hello")
        push = await phone.next_push()
        [event] = await socket.json()
    assert (event["id"], event["state"], event["size"]) == (push.id, "delivered", 5)
    assert event["jid"] == phone.bare_jid
    assert event["application"] == push.application[:8]
    assert 0 <= event["delay"] < 10_000


@play
async def test_it_goes_on_when_the_component_was_restarted(
    provider: Provider, phone: Phone
) -> None:
    cookie = await login(provider)
    async with phone, watch(provider, cookie) as socket:
        endpoint = (await phone.register()).endpoint
        provider.kill_component()
        await provider.post(endpoint, b"hello")
        provider.start_component()
        [event] = await socket.json(30)
    assert event["state"] == "delivered"


@play
async def test_it_is_for_staff(provider: Provider) -> None:
    async with watch(provider, await login(provider, staff=False)) as socket:
        assert socket.status == 101
        assert await socket.close_code() == 4403
    async with watch(provider, "made-up") as socket:
        assert await socket.close_code() == 4403


@play
async def test_it_is_for_our_own_pages(provider: Provider) -> None:
    cookie = await login(provider)
    for origin in (
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        f"{provider.url}.evil.example",
    ):
        async with watch(provider, cookie, origin) as socket:
            assert socket.status in (400, 403), origin  # 400: daphne's own look at it
