"""An application server pushes to a phone that is online."""

from __future__ import annotations

import os

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider

BODIES = (bytes(range(256)), os.urandom(4096), b"")


@pytest.mark.servers("prosody", "ejabberd")
@play
async def test_it_reaches_the_phone_byte_for_byte(provider: Provider, phone: Phone) -> None:
    async with phone:
        endpoint = (await phone.register()).endpoint
        for body in BODIES:
            answer = await provider.post(endpoint, body, {"TTL": "60"})
            assert answer.status_code == 201
            assert answer.headers["Location"].startswith(f"{provider.url}/message/")
            assert answer.headers["TTL"] == "60"
            assert answer.content == b""
            push = await phone.next_push()
            assert push.payload == body
            assert answer.headers["Location"].endswith(f"/{push.id}")


@play
async def test_it_names_the_application_and_the_instance(provider: Provider, phone: Phone) -> None:
    application, instance = "QUFB" * 10 + "QUE=", "QkJC" * 10 + "QkI="
    async with phone:
        registered = await phone.register(application, instance)
        await provider.post(registered.endpoint, b"hello")
        push = await phone.next_push()
        assert (push.application, push.instance) == (application, instance)
        assert push.sender == provider.server.component_jid
