"""Phones whose names need escaping somewhere on the way."""

from __future__ import annotations

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.xmpp_server import XmppServer

ODD = (
    ("juliet", 'my "phone"'),
    ("juliet", "Juliet's phone"),
    ("juliet", "<a> & </b> &amp; ]]>"),
    ("juliet", "Телефон 手机 ☎"),
    ("juliet", "a/b@c/d"),
    ("juliet", "two  spaces inside"),
    ("juliet", "r" * 1000),
    (r"juliet\20\26\27\40capulet", "phone"),
    ("jülïet", "phone"),
)


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_it_is_delivered_once(
    provider: Provider, server: XmppServer, subtests: pytest.Subtests
) -> None:
    for user, resource in ODD:
        with subtests.test(f"{user}/{resource[:30]}"):
            server.add_user(user, "secret")
            phone = Phone(server, user, resource=resource)
            await register_push_and_come_back(provider, phone)


async def register_push_and_come_back(provider: Provider, phone: Phone) -> None:
    """A new session would get the first push again if its answer had not been understood."""
    async with phone:
        assert phone.jid == f"{phone.user}@{phone.server.host}/{phone.resource}"
        endpoint = (await phone.register()).endpoint
        await provider.post(endpoint, b"first")
        assert (await phone.next_push()).payload == b"first"
    async with phone:
        await provider.post(endpoint, b"second")
        assert (await phone.next_push()).payload == b"second"
