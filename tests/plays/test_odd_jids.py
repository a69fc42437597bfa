"""Phones whose names need escaping somewhere on the way."""

from __future__ import annotations

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.xmpp_server import XmppServer

ODD = {
    "quotes": ("juliet", 'my "phone"'),
    "apostrophes": ("juliet", "Juliet's phone"),
    "xml": ("juliet", "<a> & </b> &amp; ]]>"),
    "scripts": ("juliet", "Телефон 手机 ☎"),
    "slashes": ("juliet", "a/b@c/d"),
    "spaces": ("juliet", "two  spaces inside"),
    "xep0106": (r"juliet\20\26\27\40capulet", "phone"),
    "umlaut": ("jülïet", "phone"),
    "long": ("juliet", "r" * 1000),
}


@pytest.mark.servers("prosody", "ejabberd")
@pytest.mark.parametrize(("user", "resource"), ODD.values(), ids=ODD.keys())
@play
async def test_it_is_delivered_once(
    provider: Provider, server: XmppServer, user: str, resource: str
) -> None:
    server.add_user(user, "secret")
    async with Phone(server, user, resource=resource) as phone:
        assert phone.jid == f"{user}@{server.host}/{resource}"
        endpoint = (await phone.register()).endpoint
        await provider.post(endpoint, b"first")
        assert (await phone.next_push()).payload == b"first"
    async with phone:  # a new session: what was not acknowledged would come again
        await provider.post(endpoint, b"second")
        assert (await phone.next_push()).payload == b"second"
