"""Too many for one endpoint or one account: 429, and when to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import arrivals, nothing_but_a_marker, post_one
from tests.real.xmpp_server import XmppServer

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_is_accepted_again_after_the_time_it_was_told(
    new_provider: Callable[..., Provider], server: XmppServer, phone: Phone
) -> None:
    provider = new_provider(
        push_rate_per_endpoint="1/s burst 4", push_rate_per_account="2/s burst 6"
    )
    server.add_user("benvolio", "secret")
    async with phone, Phone(server, "benvolio") as other:
        first, second, third = [(await phone.register()).endpoint for _ in "123"]
        accepted, limited = await post_until_limited(provider, first)
        assert accepted >= 4
        await post_one(provider, second, b"another endpoint")
        _, of_account = await post_until_limited(provider, third)
        await post_one(provider, (await other.register()).endpoint, b"another account")
        assert await arrivals(other, 1) == [b"another account"]
        for answer in (limited, of_account):
            assert (answer.json()["code"], answer.json()["errno"]) == (429, 201)
        await asyncio.sleep(max(int(limited.headers["Retry-After"]), 1))
        await post_one(provider, first, b"in time")
        while (arrived := await arrivals(phone, 1)) != [b"in time"]:
            assert arrived in ([b"accepted"], [b"another endpoint"])
        await asyncio.sleep(1)
        await nothing_but_a_marker(provider, phone, second)


async def post_until_limited(provider: Provider, endpoint: str) -> tuple[int, httpx.Response]:
    """Post until it is too much; return how often it was not, and the refusal."""
    for number in range(50):
        answer = await provider.post(endpoint, b"accepted")
        if answer.status_code == 429:
            return number, answer
        assert answer.status_code == 201
    raise AssertionError("never limited")
