"""What one account sends does not end the stream that all share."""

from __future__ import annotations

import pytest

from pushprovider.xmpp.stanzas import PUSH
from tests.plays.test_commands import COMMANDS, ask
from tests.real.play import play
from tests.real.provider import Provider
from tests.real.steps import NewPhone, nothing_but_a_marker

pytest_plugins = ["tests.real.steady"]
pytestmark = pytest.mark.servers("prosody", "ejabberd")

#: A server writes each as six bytes.
MANY = '"' * 120_000
BOMBS = {
    "a message that grows on the way": f"<message to='TO'><body>{MANY}{MANY}</body></message>",
    "an id that nobody can repeat": f"<iq type='get' to='TO' id='&apos;{MANY}'><x xmlns='y'/></iq>",
    "a question that nobody can repeat": "<iq type='get' to='TO' id='q'>"
    f"<query xmlns='http://jabber.org/protocol/disco#info' node='&apos;{MANY}'/></iq>",
    "a command that nobody can repeat": "<iq type='set' to='TO' id='c'>"
    f"<command xmlns='{COMMANDS}' node='&apos;{MANY}'/></iq>",
    "a registration that nobody can repeat": "<iq type='set' to='TO' id='r'>"
    f"<register xmlns='{PUSH}' application='&apos;{MANY}' instance='x'/></iq>",
}


@pytest.mark.parametrize("bomb", BOMBS)
@play
async def test_a_bomb_hits_nobody(bomb: str, steady: Provider, steady_phone: NewPhone) -> None:
    before = steady.times_connected()
    async with steady_phone() as phone:
        endpoint = (await phone.register()).endpoint
        phone.send_raw(BOMBS[bomb].replace("TO", phone.component, 1))
        await phone.register()  # the component has read the bomb, and the server the answer
        await nothing_but_a_marker(steady, phone, endpoint)
    assert steady.times_connected() == before


@play
async def test_a_list_of_the_longest_devices_fits_into_a_stanza(
    steady: Provider, steady_phone: NewPhone
) -> None:
    before = steady.times_connected()
    async with steady_phone(resource='"' * 1022 + "'") as phone:
        for _ in range(100):
            await phone.register()
        for node in ("revoke", "my-endpoints"):
            command = f"<command xmlns='{COMMANDS}' node='{node}'/>"
            answer = await ask(phone, "set", command)
            assert answer.get("status") in ("executing", "completed")
    assert steady.times_connected() == before
