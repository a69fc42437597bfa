"""A phone that sends no presence registers again: it lives, so it gets what it did not answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.phone import Phone, random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_all, post_one

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_what_it_left_unanswered_and_what_it_missed_arrives_after_the_grace(
    steady: Provider, steady_phone: NewPhone
) -> None:
    await asyncio.gather(
        silent_then_registers_again(steady, steady_phone("-silent", greets=None)),
        away_then_registers_again(steady, steady_phone("-away", greets=None)),
        answers_within_the_grace(steady, steady_phone("-answers", greets=None, resumable=True)),
    )


async def silent_then_registers_again(provider: Provider, phone: Phone) -> None:
    names = random_name(), random_name()
    phone.answer = "silent"
    async with phone:
        endpoint = (await phone.register(*names)).endpoint
        await post_one(provider, endpoint, b"hello?")
        assert await arrivals(phone, 1) == [b"hello?"]
        phone.answer = "result"
        assert (await phone.register(*names)).endpoint == endpoint
        assert await arrivals(phone, 1) == [b"hello?"]
        await nothing_but_a_marker(provider, phone, endpoint)


async def away_then_registers_again(provider: Provider, phone: Phone) -> None:
    names = random_name(), random_name()
    async with phone:
        endpoint = (await phone.register(*names)).endpoint
    await post_all(provider, endpoint, [b"1", b"2", b"3"])
    async with phone:
        await phone.register(*names)
        assert await arrivals(phone, 3) == [b"1", b"2", b"3"]
        await nothing_but_a_marker(provider, phone, endpoint)


async def answers_within_the_grace(provider: Provider, phone: Phone) -> None:
    phone.answer = "silent"
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_one(provider, endpoint, b"hello?")
        push = await phone.next_push()
        await phone.register()
        phone.answer_push(push)
        phone.answer = "result"
        await asyncio.sleep(4)  # the grace is over: it would come again now
        await nothing_but_a_marker(provider, phone, endpoint)
