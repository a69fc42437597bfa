"""A phone loses its network; its server keeps the session for a while (XEP-0198)."""

from __future__ import annotations

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import (
    NewPhone,
    arrivals,
    becomes,
    nothing_but_a_marker,
    post_all,
    received_twice,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


NUMBERS = [b"%d" % number for number in range(40)]


@play
async def test_it_resumes_and_gets_each_once_in_order(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        for break_off in (phone.cut, phone.reset):
            await break_off()
            await post_all(steady, endpoint, NUMBERS)
            await phone.resume()
            assert await arrivals(phone, len(NUMBERS)) == NUMBERS
        await nothing_but_a_marker(steady, phone, endpoint)
        assert received_twice(phone) == []


@play
async def test_what_it_answers_after_it_resumed_counts(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(resumable=True, answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, NUMBERS[:3])
        assert await arrivals(phone, 3) == NUMBERS[:3]
        await phone.cut()
        await post_all(steady, endpoint, NUMBERS[3:6])
        await phone.resume()
        assert await arrivals(phone, 3) == NUMBERS[3:6]
        for push in phone.received:
            phone.answer_push(push)
    phone.answer = "result"
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_what_it_answered_while_it_had_no_network_counts(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(resumable=True, answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, NUMBERS[:3])
        await arrivals(phone, 3)
        await phone.cut()
        for push in phone.received:
            phone.answer_push(push)
        await phone.resume()
    phone.answer = "result"
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_it_never_comes_back_and_a_new_session_gets_all_once(
    hasty: Provider, hasty_phone: NewPhone
) -> None:
    phone = hasty_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.cut()
    urls = await post_all(hasty, endpoint, NUMBERS)
    await becomes(hasty, urls[0], "sent")  # unanswered for a second
    await becomes(hasty, urls[0], "queued")  # and its server gave up the session
    async with phone:
        assert await arrivals(phone, len(NUMBERS)) == NUMBERS
        await nothing_but_a_marker(hasty, phone, endpoint)
        assert received_twice(phone) == []


@play
async def test_it_begins_anew_while_its_old_session_sleeps_and_gets_all_once(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone(resumable=True)
    async with phone:
        endpoint = (await phone.register()).endpoint
        await phone.cut()
        await post_all(steady, endpoint, NUMBERS)
        await phone.connect()
        assert await arrivals(phone, len(NUMBERS)) == NUMBERS
        await nothing_but_a_marker(steady, phone, endpoint)
        assert received_twice(phone) == []
