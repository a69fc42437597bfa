"""A phone that somebody else wrote: a client made with xmpp.js."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.real.node_part import NodePart
from tests.real.phone import random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.xmpp_server import XmppServer


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_it_registers_and_receives_a_push(
    new_provider: Callable[..., Provider], server: XmppServer, account: str
) -> None:
    provider = new_provider(max_in_flight_per_device=1)
    names = {"application": random_name(), "instance": random_name()}
    settings = {
        "service": f"xmpp://127.0.0.1:{server.c2s_port}",
        "domain": server.host,
        "username": account,
        "password": "secret",
        "resource": "xmppjs",
        "component": server.component_jid,
        **names,
    }
    async with NodePart("phone.js", PHONE=settings) as phone:
        assert await phone.next_line() == {"online": f"{account}@{server.host}/xmppjs"}
        registered = await phone.next_line()
        answer = await provider.post(registered["endpoint"], bytes(range(256)))
        assert answer.status_code == 201
        push = await phone.next_line()
        assert base64.b64decode(push["payload"]) == bytes(range(256))
        assert answer.headers["Location"].endswith(f"/{push['push']}")
        assert {name: push[name] for name in names} == names
        # One in flight at a time: the second is sent only if the answer to the first was right.
        await provider.post(registered["endpoint"], b"more")
        assert base64.b64decode((await phone.next_line())["payload"]) == b"more"
