"""A Python application server, with the library everybody uses."""

from __future__ import annotations

import asyncio

import pytest
from pywebpush import WebPushException, webpush

from tests.real.application_server import Subscription, VapidKey
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider

SECRET = "Wherefore art thou? ☎"


@play
async def test_the_phone_can_read_what_it_encrypted(provider: Provider, phone: Phone) -> None:
    async with phone:
        subscription = Subscription((await phone.register()).endpoint)
        answer = await asyncio.to_thread(webpush, subscription.info(), SECRET, ttl=60)
        assert answer.status_code == 201
        assert subscription.decrypt((await phone.next_push()).payload).decode() == SECRET


@play
async def test_its_key_opens_an_endpoint_restricted_to_it(provider: Provider, phone: Phone) -> None:
    key, claims = VapidKey(), {"sub": "mailto:friar@example.org"}
    async with phone:
        subscription = Subscription((await phone.register(vapid=key.public)).endpoint)
        info = subscription.info()
        answer = await asyncio.to_thread(
            webpush, info, SECRET, vapid_private_key=key.private, vapid_claims=claims, ttl=60
        )
        assert answer.status_code == 201
        assert subscription.decrypt((await phone.next_push()).payload).decode() == SECRET


@play
async def test_another_key_and_no_key_are_refused(provider: Provider, phone: Phone) -> None:
    stranger = {
        "vapid_private_key": VapidKey().private,
        "vapid_claims": {"sub": "mailto:tybalt@example.org"},
    }
    async with phone:
        info = Subscription((await phone.register(vapid=VapidKey().public)).endpoint).info()
        for options, status in (({}, 401), (stranger, 403)):
            with pytest.raises(WebPushException) as raised:
                await asyncio.to_thread(webpush, info, SECRET, ttl=60, **options)
            assert raised.value.response.status_code == status
        assert phone.received == []
