"""More is stored than an endpoint or an account may have: the newest and most urgent stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import arrivals, becomes, nothing_but_a_marker, post_all, post_one

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_the_oldest_make_room_and_the_endpoint_stays(
    new_provider: Callable[..., Provider], phone: Phone
) -> None:
    provider = new_provider(max_stored_per_endpoint=5, max_stored_per_account=8)
    async with phone:
        first = (await phone.register()).endpoint
        second = (await phone.register()).endpoint
    urls = await post_all(provider, first, [b"first %d" % number for number in range(9)])
    await becomes(provider, urls[3], "evicted")
    await post_all(provider, second, [b"second %d" % number for number in range(4)])
    async with phone:
        kept = [b"first 5", b"first 6", b"first 7", b"first 8"]
        assert await arrivals(phone, 8) == kept + [b"second %d" % number for number in range(4)]
        await nothing_but_a_marker(provider, phone, first)
    for urgency in ("high", "low", "normal", "low", "normal", "normal", "normal"):
        await post_one(provider, first, urgency.encode(), Urgency=urgency)
    async with phone:
        assert await arrivals(phone, 5) == [b"high", b"normal", b"normal", b"normal", b"normal"]
        await nothing_but_a_marker(provider, phone, first)
