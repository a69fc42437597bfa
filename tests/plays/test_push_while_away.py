"""A message waits for a phone that is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_waits_for_a_phone_that_logged_out(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
    assert (await provider.post(endpoint, b"while you were out")).status_code == 201
    async with phone:
        assert (await phone.next_push()).payload == b"while you were out"


@play
async def test_it_keeps_the_order(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
    for number in range(30):
        assert (await provider.post(endpoint, b"%d" % number)).status_code == 201
    async with phone:
        arrived = [int((await phone.next_push()).payload) for _ in range(30)]
    assert arrived == list(range(30))


@play
async def test_it_waits_for_a_phone_that_sleeps(
    provider: Provider, new_phone: Callable[..., Phone]
) -> None:
    phone = new_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.cut()
        assert (await provider.post(endpoint, b"good morning")).status_code == 201
        await phone.resume()
        assert (await phone.next_push()).payload == b"good morning"


@play
async def test_it_is_sent_again_when_the_sleeping_phone_begins_anew(
    provider: Provider, new_phone: Callable[..., Phone]
) -> None:
    phone = new_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.cut()
        assert (await provider.post(endpoint, b"good morning")).status_code == 201
        await phone.connect()
        assert (await phone.next_push()).payload == b"good morning"
