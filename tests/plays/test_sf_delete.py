"""The application server takes a message back (RFC 8030 section 6.2)."""

from __future__ import annotations

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, becomes, nothing_but_a_marker, post_one, state_of

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_a_waiting_one_is_never_delivered(steady: Provider, steady_phone: NewPhone) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    url = await post_one(steady, endpoint, b"I did not mean it")
    assert (await steady.delete(url)).status_code == 204
    assert (await steady.delete(url)).status_code == 404
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_one_in_flight_is_not_sent_again(steady: Provider, steady_phone: NewPhone) -> None:
    phone = steady_phone(answer="silent")
    async with phone:
        endpoint = (await phone.register()).endpoint
        url = await post_one(steady, endpoint, b"I did not mean it")
        assert await arrivals(phone, 1) == [b"I did not mean it"]
        assert (await steady.delete(url)).status_code == 204
    phone.answer = "result"
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_an_answer_after_it_changes_nothing(steady: Provider, steady_phone: NewPhone) -> None:
    async with steady_phone(answer="silent") as phone:
        endpoint = (await phone.register()).endpoint
        url = await post_one(steady, endpoint, b"I did not mean it")
        push = await phone.next_push()
        assert (await steady.delete(url)).status_code == 204
        phone.answer_push(push)
        phone.answer = "result"
        later = await post_one(steady, endpoint, b"and then")
        await becomes(steady, later, "delivered")  # answers are written in order
        assert state_of(steady, url) == "cancelled"


@play
async def test_a_delivered_one_cannot_be_taken_back(
    steady: Provider, steady_phone: NewPhone
) -> None:
    async with steady_phone() as phone:
        url = await post_one(steady, (await phone.register()).endpoint, b"read this")
        await becomes(steady, url, "delivered")
        assert (await steady.delete(url)).status_code == 404
