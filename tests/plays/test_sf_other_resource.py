"""An answer counts only from the full JID that was asked."""

from __future__ import annotations

import pytest

from tests.real.phone import random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import (
    NewPhone,
    arrivals,
    nothing_but_a_marker,
    post_all,
    post_one,
    round_trip,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_what_somebody_else_answers_is_ignored(
    steady: Provider, steady_phone: NewPhone
) -> None:
    answers = {b"1": "result", b"2": "item-not-found", b"3": "error:resource-constraint"}
    phone = steady_phone(answer="silent")
    tablet, stranger = steady_phone(resource="tablet"), steady_phone("-stranger")
    async with phone, tablet, stranger:
        endpoint = (await phone.register()).endpoint
        await post_all(steady, endpoint, answers)
        assert await arrivals(phone, 3) == list(answers)
        for other in (tablet, stranger):
            for push in phone.received:
                other.answer_push(push, answers[push.payload])
            await round_trip(other)
        phone.answer = "result"
        await nothing_but_a_marker(steady, phone, endpoint)  # nobody was held or revoked
    async with phone:
        assert await arrivals(phone, 3) == list(answers)
        await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_after_it_moved_to_another_resource_the_old_one_may_still_answer(
    steady: Provider, steady_phone: NewPhone
) -> None:
    names = random_name(), random_name()
    old, new = steady_phone(resource="old", answer="silent"), steady_phone(resource="new")
    async with old:
        endpoint = (await old.register(*names)).endpoint
        await post_one(steady, endpoint, b"for you")
        push = await old.next_push()
        async with new:
            old.answer_push(push)
            await round_trip(old)
            await new.register(*names)
            await nothing_but_a_marker(steady, new, endpoint)
        assert len(old.received) == 1
