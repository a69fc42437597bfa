"""A Matrix homeserver notifies through this server's own gateway; the phone gets it over XMPP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.waiting import eventually

EVENT = {"event_id": "$event", "room_id": "!room:example.org", "counts": {"unread": 1}}


async def notify(provider: Provider, *pushkeys: str) -> Any:
    """Post as Synapse does and return what the homeserver reads."""
    devices = [{"app_id": "im.vector.app.android", "pushkey": pushkey} for pushkey in pushkeys]
    body = {"notification": EVENT | {"devices": devices}}
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.post(f"{provider.url}/_matrix/push/v1/notify", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_a_notification_reaches_the_phone(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
        assert await notify(provider, endpoint) == {"rejected": []}
        assert json.loads((await phone.next_push()).payload) == {"notification": EVENT}


@pytest.mark.on_both
@play
async def test_it_waits_while_the_phone_is_away(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
    assert await notify(provider, endpoint) == {"rejected": []}
    async with phone:
        assert json.loads((await phone.next_push()).payload) == {"notification": EVENT}


@pytest.mark.on_both
@play
async def test_a_phone_that_forgot_the_app_ends_the_pusher(
    provider: Provider, phone: Phone
) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
        phone.answer = "item-not-found"
        assert await notify(provider, endpoint) == {"rejected": []}
        await phone.next_push()

        async def rejected() -> list[str]:
            said = await notify(provider, endpoint)
            return list(said["rejected"])

        assert await eventually(rejected, 10, "the pushkey is rejected", provider.log_text) == [
            endpoint
        ]
