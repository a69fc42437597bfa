"""Only what was not answered comes again in the next session."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_all, round_trip

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_both_come_again_until_they_are_answered(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
    await post_all(steady, endpoint, [b"one", b"two"])
    async with phone:
        assert await arrivals(phone, 2) == [b"one", b"two"]
    phone.answer = "result"
    async with phone:
        assert await arrivals(phone, 2) == [b"one", b"two"]
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_the_unanswered_one_of_two_comes_again_alone(
    steady: Provider, steady_phone: NewPhone
) -> None:
    await asyncio.gather(
        one_of_two(steady, steady_phone("-first"), answered=b"one", again=b"two"),
        one_of_two(steady, steady_phone("-second"), answered=b"two", again=b"one"),
    )


async def one_of_two(provider: Provider, phone: Phone, *, answered: bytes, again: bytes) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
        phone.answer = lambda push: "result" if push.payload == answered else "silent"
        await post_all(provider, endpoint, [b"one", b"two"])
        assert await arrivals(phone, 2) == [b"one", b"two"]
    phone.answer = "result"
    async with phone:
        assert await arrivals(phone, 1) == [again]
    async with phone:
        await nothing_but_a_marker(provider, phone, endpoint)


@play
async def test_answers_may_come_in_any_order(steady: Provider, steady_phone: NewPhone) -> None:
    phone = steady_phone(answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, [b"one", b"two", b"three"])
        await arrivals(phone, 3)
        for push in reversed(phone.received):
            phone.answer_push(push)
        await round_trip(phone)
    phone.answer = "result"
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_an_error_after_a_result_changes_nothing(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, [b"one"])
        phone.answer_push(await phone.next_push(), "item-not-found")
        await round_trip(phone)
        await nothing_but_a_marker(steady, phone, endpoint)
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)
