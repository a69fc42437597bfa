"""A phone that answers every push with an error. It is left in peace, and loses nothing."""

from __future__ import annotations

import pytest

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


CONDITIONS = ("resource-constraint", "service-unavailable", "internal-server-error", "not-allowed")


@play
async def test_one_error_stops_the_flow_until_its_next_session(
    steady: Provider, steady_phone: NewPhone
) -> None:
    for condition in CONDITIONS:
        phone = steady_phone(f"-{condition}", answer=f"error:{condition}")
        async with phone, steady_phone("-witness") as witness:
            endpoint = (await phone.register()).endpoint
            other = (await witness.register()).endpoint
            await post_one(steady, endpoint, b"0")
            assert await arrivals(phone, 1) == [b"0"]
            await round_trip(phone)
            await post_all(steady, endpoint, [b"1", b"2", b"3"])
            await nothing_but_a_marker(steady, witness, other)  # so the three were considered
            await round_trip(phone)
            assert len(phone.received) == 1
        phone.answer = "result"
        async with phone:
            assert await arrivals(phone, 4) == [b"0", b"1", b"2", b"3"]
            await nothing_but_a_marker(steady, phone, endpoint)


@play
async def test_it_is_not_hammered(steady: Provider, steady_phone: NewPhone) -> None:
    phone = steady_phone(answer="error:internal-server-error")
    numbers = [b"%d" % number for number in range(40)]
    async with phone:
        endpoint = (await phone.register()).endpoint
    await post_all(steady, endpoint, numbers)
    for session in range(1, 4):
        async with phone, steady_phone("-witness") as witness:
            await arrivals(phone, 1)
            await nothing_but_a_marker(steady, witness, (await witness.register()).endpoint)
            await round_trip(phone)
            assert len(phone.received) <= session * 16  # one window each session
            phone.received.clear()
