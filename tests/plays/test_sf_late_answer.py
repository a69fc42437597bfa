"""The component restarts while answers are on their way."""

from __future__ import annotations

import pytest

from tests.real.phone import Phone
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import arrivals, becomes, nothing_but_a_marker, post_all, received_twice

pytestmark = pytest.mark.servers("prosody", "ejabberd")


@play
async def test_a_late_answer_counts_and_only_a_lost_one_makes_it_send_again(
    provider: Provider, phone: Phone
) -> None:
    phone.answer = "silent"
    async with phone:
        endpoint = (await phone.register()).endpoint
        urls = await post_all(provider, endpoint, [b"late", b"lost"])
        assert await arrivals(phone, 2) == [b"late", b"lost"]
        late, lost = phone.received
        provider.stop_component()
        assert provider.component.exit_code == 0
        phone.answer_push(lost)  # the server has nobody to give it to
        await phone.iq(f"<iq type='get' id='{phone.new_id()}'><ping xmlns='urn:xmpp:ping'/></iq>")
        provider.start_component()
        phone.answer_push(late)
        await becomes(provider, urls[0], "delivered")
    phone.answer = "result"
    async with phone:
        assert await arrivals(phone, 1) == [b"lost"]
        await nothing_but_a_marker(provider, phone, endpoint)
        assert received_twice(phone) == [lost.id]
