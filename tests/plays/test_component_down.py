"""The component process is down: nothing that was accepted is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider


@pytest.mark.parametrize("how", ["stop", "kill"])
@play
async def test_it_is_accepted_and_arrives_when_the_component_is_back(
    provider: Provider, new_phone: Callable[..., Phone], how: str
) -> None:
    async with new_phone() as phone:
        endpoint = (await phone.register()).endpoint
        end = provider.stop_component if how == "stop" else provider.kill_component
        end()
        for number in range(3):
            assert (await provider.post(endpoint, b"%d" % number)).status_code == 201
        provider.start_component()
        arrived = [(await phone.next_push(30)).payload for _ in range(3)]
    assert arrived == [b"0", b"1", b"2"]
