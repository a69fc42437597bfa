"""A phone that is offline gets what was posted when it comes back."""

from __future__ import annotations

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import (
    NewPhone,
    arrivals,
    nothing_but_a_marker,
    post_all,
    post_one,
    received_twice,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_gets_everything_once_and_in_order_at_its_presence(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    payloads = [b"", b"one", bytes(range(256)), b"four" * 1024]
    async with phone:
        endpoint = (await phone.register()).endpoint
    await post_all(steady, endpoint, payloads)
    async with phone:
        assert await arrivals(phone, 4) == payloads
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)
        assert received_twice(phone) == []


@play
async def test_the_most_urgent_comes_first_then_the_oldest(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    for each in ("very-low", "normal 1", "low", "high 1", "normal 2", "high 2"):
        await post_one(steady, endpoint, each.encode(), Urgency=each.split()[0])
    async with phone:
        assert b", ".join(await arrivals(phone, 6)) == (
            b"high 1, high 2, normal 1, normal 2, low, very-low"
        )
