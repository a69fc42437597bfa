"""The operator lost the database. Phones get new endpoints, and senders of the old ones 404."""

from __future__ import annotations

import pytest

from tests.real.phone import Phone, random_name
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import nothing_but_a_marker

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_the_phone_registers_anew(provider: Provider, phone: Phone) -> None:
    names = random_name(), random_name()
    async with phone:
        old = (await phone.register(*names)).endpoint
        provider.stop_component()
        provider.kill_http()
        provider.store.lose()
        provider.start()
        assert (await provider.post(old, b"hello?")).status_code == 404
        new = (await phone.register(*names)).endpoint
        assert new != old
        await nothing_but_a_marker(provider, phone, new)
