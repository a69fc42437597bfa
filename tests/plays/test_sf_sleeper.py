"""Seven hundred pushes to a sleeping phone: its chats survive, its session resumes."""

from __future__ import annotations

import pytest

from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, arrivals, nothing_but_a_marker, post_all, received_twice

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")


#: More than the 500 stanzas that Prosody keeps for a session.
NUMBERS = [b"%d" % number for number in range(700)]


@play
async def test_it_wakes_up_to_its_chats_and_to_all_pushes_in_order(
    steady: Provider, steady_phone: NewPhone
) -> None:
    sleeper, friend = steady_phone(resumable=True), steady_phone("-friend")
    async with sleeper, friend:
        endpoint = (await sleeper.register()).endpoint
        to_friend = (await friend.register()).endpoint
        await sleeper.cut()
        friend.send_message(sleeper.bare_jid, "before")
        await post_all(steady, endpoint, NUMBERS[:350])
        friend.send_message(sleeper.bare_jid, "between")
        await post_all(steady, endpoint, NUMBERS[350:])
        friend.send_message(sleeper.bare_jid, "after")
        await nothing_but_a_marker(steady, friend, to_friend)  # it does not wait for the sleeper
        await sleeper.resume()
        assert await arrivals(sleeper, len(NUMBERS)) == NUMBERS
        await nothing_but_a_marker(steady, sleeper, endpoint)
        assert [body for _, body in sleeper.messages] == ["before", "between", "after"]
        assert received_twice(sleeper) == []
