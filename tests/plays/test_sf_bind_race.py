"""A message that is posted just while the phone binds arrives once all the same."""

from __future__ import annotations

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_one, received_twice

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_it_is_sent_into_the_new_session_only(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone = steady_phone()
    async with phone:
        endpoint = (await phone.register()).endpoint
    for number in range(20):
        async with phone:
            await post_one(steady, endpoint, b"%d" % number)
            assert await arrivals(phone, 1) == [b"%d" % number]
    async with phone:
        await nothing_but_a_marker(steady, phone, endpoint)
    assert received_twice(phone) == []
