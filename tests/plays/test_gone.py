"""An application was removed from the phone: its sender is told."""

from __future__ import annotations

import httpx
import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.waiting import eventually


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_it_answers_410_once_the_phone_said_item_not_found(
    provider: Provider, phone: Phone
) -> None:
    phone.answer = "item-not-found"
    async with phone:
        endpoint = (await phone.register()).endpoint
        await provider.post(endpoint, b"is anybody there?")
        await phone.next_push()
        answer = await refusal(provider, endpoint)
    assert answer.status_code == 410
    assert answer.headers["Cache-Control"] == "max-age=86400"


@play
async def test_it_keeps_the_registration_after_any_other_error(
    provider: Provider, phone: Phone
) -> None:
    phone.answer = "error:resource-constraint"
    async with phone:
        endpoint = (await phone.register()).endpoint
        await provider.post(endpoint, b"not now")
        await phone.next_push()
    phone.answer = "result"
    assert (await provider.post(endpoint, b"later")).status_code == 201
    async with phone:
        assert [(await phone.next_push()).payload for _ in "12"] == [b"not now", b"later"]


async def refusal(provider: Provider, endpoint: str) -> httpx.Response:
    """Post until it is refused, and return that answer."""

    async def refused() -> httpx.Response | None:
        answer = await provider.post(endpoint, b"still there?")
        return None if answer.status_code == 201 else answer

    return await eventually(refused, 10, "a POST is refused", provider.log_text)
