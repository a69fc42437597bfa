"""A phone that is online gets what is posted: once, unchanged, in order."""

from __future__ import annotations

import pytest

from tests.real.application_server import VapidKey
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
async def test_a_hundred_arrive_once_and_in_order(steady: Provider, steady_phone: NewPhone) -> None:
    payloads = [b"%d" % number for number in range(100)]
    async with steady_phone() as phone:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, payloads)
        assert await arrivals(phone, 100) == payloads
        await nothing_but_a_marker(steady, phone, endpoint)
        assert received_twice(phone) == []


@play
async def test_a_message_with_a_topic_arrives_unchanged(
    steady: Provider, steady_phone: NewPhone
) -> None:
    async with steady_phone() as phone:
        endpoint = (await phone.register()).endpoint
        await post_one(steady, endpoint, bytes(range(256)), Topic="news")
        assert await arrivals(phone, 1) == [bytes(range(256))]


@play
async def test_any_authorization_opens_an_unrestricted_endpoint(
    steady: Provider, steady_phone: NewPhone
) -> None:
    key = VapidKey()
    async with steady_phone() as phone:
        endpoint = (await phone.register()).endpoint
        for credentials in (f"vapid t=e30.e30.e30, k={key.public}", "Basic cm9tZW8=", "WebPush x"):
            await post_one(steady, endpoint, credentials.encode(), Authorization=credentials)
            assert await arrivals(phone, 1) == [credentials.encode()]
