"""Pushes share a sleeping phone's queue with its chats, and leave room for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.xmpp_server import XmppServer

#: More than Prosody's queue of 500 holds.
MANY = 600


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_a_flood_of_pushes_loses_neither_chats_nor_pushes(
    new_provider: Callable[..., Provider], server: XmppServer, new_phone: Callable[..., Phone]
) -> None:
    provider = new_provider(
        push_rate_per_endpoint="off",
        push_rate_per_account="off",
        max_stored_per_endpoint=MANY,
        max_stored_per_account=MANY,
    )
    server.add_user("romeo", "secret")
    sleeper = new_phone(resumable=True)
    async with sleeper, Phone(server, "romeo", greets=None) as friend:
        endpoint = (await sleeper.register()).endpoint
        await sleeper.cut()
        friend.send_message(sleeper.bare_jid, "are you asleep?")
        for number in range(MANY):
            assert (await provider.post(endpoint, b"%d" % number)).status_code == 201
        await sleeper.resume()
        assert (await sleeper.next_message()) == (friend.jid, "are you asleep?")
        arrived = [int((await sleeper.next_push()).payload) for _ in range(MANY)]
    assert arrived == list(range(MANY))
