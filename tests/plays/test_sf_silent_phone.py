"""A phone that reads its pushes and answers nothing. Silence is no reason to send again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_all, post_one

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_gets_each_once_and_no_more_than_its_window(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(answer="silent")
    numbers = [b"%d" % number for number in range(20)]
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, numbers)
        assert await arrivals(phone, 16) == numbers[:16]
        await witness(steady, steady_phone)
        assert len(phone.received) == 16
        phone.answer_push(phone.received[5])
        phone.answer = "result"
        for push in phone.received:
            phone.answer_push(push)
        assert await arrivals(phone, 4) == numbers[16:]
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_after_the_ack_timeout_it_gets_the_unanswered_one_again(
    new_provider: Callable[..., Provider], new_phone: Callable[..., Phone]
) -> None:
    provider = new_provider(ack_timeout=3)
    phone = new_phone(answer=lambda push: "silent" if push.payload == b"silence" else "result")
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_one(provider, endpoint, b"silence")
        assert await arrivals(phone, 1) == [b"silence"]
        first = time.monotonic()
        await nothing_but_a_marker(provider, phone, endpoint)
        assert await arrivals(phone, 1, 25) == [b"silence"]
        assert time.monotonic() - first > 2.9
        phone.answer_push(phone.received[-1])
        await nothing_but_a_marker(provider, phone, endpoint)
    phone.answer = "result"
    async with phone:
        await nothing_but_a_marker(provider, phone, endpoint)


async def witness(provider: Provider, new_phone: NewPhone) -> None:
    """Return when what was posted so far has been considered: another phone got a later one."""
    async with new_phone("-witness") as other:
        await nothing_but_a_marker(provider, other, (await other.register()).endpoint)
