"""A message that the server refuses by closing the component's stream. It is set aside."""

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
    post_one,
    received_twice,
)

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


NUMBERS = [b"%d" % number for number in range(10)]


@play
async def test_everybody_else_is_served(hasty: Provider, hasty_phone: NewPhone) -> None:
    if "Prosody version 13" in hasty.server.log_text():
        pytest.skip("Prosody 13 takes stanzas of up to 10,000 bytes at least: no push is too large")
    phone, other = hasty_phone(), hasty_phone("-other")
    async with phone, other:
        to_phone, to_other = (await phone.register()).endpoint, (await other.register()).endpoint
        poison = await post_one(hasty, to_phone, bytes(4096))  # 3000 are too much for this server
        await post_all(hasty, to_other, NUMBERS)
        await post_all(hasty, to_phone, NUMBERS)
        assert await arrivals(other, len(NUMBERS), 60) == NUMBERS
        assert await arrivals(phone, len(NUMBERS), 60) == NUMBERS
        await becomes(hasty, poison, "evicted")
        for each, endpoint in ((phone, to_phone), (other, to_other)):
            await nothing_but_a_marker(hasty, each, endpoint)
            assert received_twice(each) == []
    assert hasty.component.running
    assert hasty.times_connected() <= 4  # it does not try the poison again and again
