"""The HTTP process is down: what was accepted is still delivered."""

from __future__ import annotations

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider


@pytest.mark.parametrize("how", ["stop", "kill"])
@play
async def test_it_is_delivered_without_daphne(provider: Provider, phone: Phone, how: str) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
    for number in range(3):
        assert (await provider.post(endpoint, b"%d" % number)).status_code == 201
    end = provider.stop_http if how == "stop" else provider.kill_http
    end()
    async with phone:
        assert [(await phone.next_push()).payload for _ in range(3)] == [b"0", b"1", b"2"]
