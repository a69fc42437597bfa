"""Two devices of one account: each gets its own, and neither waits for the other."""

from __future__ import annotations

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_all

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_one_is_online_the_other_comes_later(
    steady: Provider, steady_phone: NewPhone
) -> None:
    phone, tablet = steady_phone(resource="phone"), steady_phone(resource="tablet")
    async with phone, tablet:
        to_phone = (await phone.register()).endpoint
        to_tablet = (await tablet.register()).endpoint
        await tablet.logout()
        await post_all(steady, to_tablet, [b"for the tablet", b"for it, too"])
        await post_all(steady, to_phone, [b"for the phone"])
        assert await arrivals(phone, 1) == [b"for the phone"]
        await tablet.connect()
        assert await arrivals(tablet, 2) == [b"for the tablet", b"for it, too"]
        await nothing_but_a_marker(steady, tablet, to_tablet)
        await nothing_but_a_marker(steady, phone, to_phone)


@play
async def test_neither_is_held_up_by_the_silence_or_the_errors_of_the_other(
    steady: Provider, steady_phone: NewPhone
) -> None:
    numbers = [b"%d" % number for number in range(30)]
    for answer in ("silent", "error:resource-constraint"):
        phone, tablet = steady_phone(resource="phone"), steady_phone(resource="tablet")
        tablet.answer = answer
        async with phone, tablet:
            to_phone = (await phone.register()).endpoint
            to_tablet = (await tablet.register()).endpoint
            await post_all(steady, to_tablet, numbers)
            await post_all(steady, to_phone, numbers)
            assert await arrivals(phone, 30) == numbers
