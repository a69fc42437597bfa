"""A message is delivered within its TTL or not at all."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, becomes, nothing_but_a_marker, post_all, post_one

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")

#: Seconds after which a TTL of 1 is over.
LONGER_THAN_1 = 1.1


@play
async def test_ttl_0_reaches_a_phone_that_is_online(
    steady: Provider, steady_phone: NewPhone
) -> None:
    async with steady_phone() as phone:
        endpoint = (await phone.register()).endpoint
        answer = await steady.post(endpoint, b"now or never", {"TTL": "0"})
        assert (answer.status_code, answer.headers["TTL"]) == (201, "0")
        assert await arrivals(phone, 1) == [b"now or never"]


@play
async def test_ttl_0_never_reaches_a_phone_that_was_offline(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone, witness = steady_phone(), steady_phone("-witness")
    async with phone:
        endpoint = (await phone.register()).endpoint
    answer = await steady.post(endpoint, b"now or never", {"TTL": "0"})
    assert (answer.status_code, answer.headers["TTL"]) == (201, "0")
    async with witness:  # what was posted later has been sent: the attempt has been made
        await nothing_but_a_marker(steady, witness, (await witness.register()).endpoint)
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)
    await becomes(steady, answer.headers["Location"], "expired")


@play
async def test_a_ttl_that_ends_while_the_phone_is_away_is_over(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    await post_one(steady, endpoint, b"for a second", TTL="1")
    await asyncio.sleep(LONGER_THAN_1)
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_twelve_are_over_and_the_good_one_arrives(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    await post_all(steady, endpoint, [b"over"] * 12, {"TTL": "1"})
    await post_one(steady, endpoint, b"good")
    await asyncio.sleep(LONGER_THAN_1)
    async with phone:
        assert await arrivals(phone, 1) == [b"good"]
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_the_live_ones_around_six_that_are_over_arrive_in_order(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    live = [b"live %d" % number for number in range(7)]
    await post_all(steady, endpoint, live[:6])
    await post_all(steady, endpoint, [b"over"] * 6, {"TTL": "1"})
    await post_all(steady, endpoint, live[6:])
    await asyncio.sleep(LONGER_THAN_1)
    async with phone:
        assert await arrivals(phone, 7) == live
        await nothing_but_a_marker(steady, phone, endpoint)
