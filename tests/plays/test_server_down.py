"""The XMPP server goes away and comes back: nothing that was accepted is lost."""

from __future__ import annotations

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.waiting import eventually
from tests.real.xmpp_server import XmppServer


@pytest.mark.servers("prosody", "ejabberd")
@pytest.mark.parametrize("how", ["stop", "kill"])
@play
async def test_it_is_accepted_meanwhile_and_arrives_afterwards(
    own_server: XmppServer, own_provider: Provider, account: str, how: str
) -> None:
    phone = Phone(own_server, account)
    async with phone:
        endpoint = (await phone.register()).endpoint
        end = own_server.stop if how == "stop" else own_server.kill
        end()
        await phone.disconnected()
    assert (await own_provider.post(endpoint, b"are you there?")).status_code == 201
    own_server.start()
    await eventually(
        lambda: own_provider.times_connected() == 2, 30, "reconnects", own_provider.log_text
    )
    async with phone:
        assert (await phone.next_push(30)).payload == b"are you there?"
