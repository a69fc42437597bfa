"""The parts of the plays against each other: servers, phones and a stand-in for the product."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.real.component import FakeComponent
from tests.real.ejabberd import Ejabberd
from tests.real.phone import Phone
from tests.real.play import play
from tests.real.prosody import Prosody
from tests.real.stanza import CLIENT
from tests.real.stream import XmlStream
from tests.real.xmpp_server import XmppServer


@pytest.fixture(scope="module", params=[Prosody, Ejabberd])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[XmppServer]:
    """Each server once for this file."""
    started: XmppServer = request.param(
        tmp_path_factory.mktemp("server"), users={"juliet": "secret", "romeo": "hidden"}
    )
    started.start()
    yield started
    started.stop()


@play
async def test_a_phone_registers_and_answers_a_push(server: XmppServer) -> None:
    component = FakeComponent(server)
    await component.connect()
    async with Phone(server) as phone:
        assert (await phone.register()).endpoint == component.endpoint
        component.push(phone.jid, "p1", bytes(range(256)))
        assert (await phone.next_push()).payload == bytes(range(256))
        assert (await component.answer_to("p1")).get("type") == "result"
    await component.close()


@play
async def test_a_phone_answers_with_an_error_or_not_at_all(server: XmppServer) -> None:
    component = FakeComponent(server)
    await component.connect()
    async with Phone(server, answer="item-not-found") as phone:
        component.push(phone.jid, "p2", b"")
        answer = await component.answer_to("p2")
        assert answer.get("type") == "error"
        phone.answer = "silent"
        component.push(phone.jid, "p3", b"")
        await phone.next_push()
        late = await phone.next_push()
        assert not [e for e in component.stanzas if e.get("id") == "p3"]
        phone.answer_push(late)
        assert (await component.answer_to("p3")).get("type") == "result"
    await component.close()


@play
async def test_a_stream_can_be_cut_while_another_task_that_cuts_it_is_cancelled(
    server: XmppServer,
) -> None:
    stream = await XmlStream.connect(server.c2s_port, CLIENT, server.host)
    impatient = asyncio.create_task(stream.cut())
    await asyncio.sleep(0)  # it waits for the connection's end
    impatient.cancel()
    await stream.cut()
    with pytest.raises(asyncio.CancelledError):
        await impatient


@pytest.mark.parametrize("how", ["cut", "reset"])
@play
async def test_a_sleeping_phone_gets_its_push_when_it_resumes(server: XmppServer, how: str) -> None:
    component = FakeComponent(server)
    await component.connect()
    async with Phone(server, resumable=True) as phone:
        component.push(phone.jid, f"{how}1", b"1")
        await component.answer_to(f"{how}1")
        await (phone.cut() if how == "cut" else phone.reset())
        component.push(phone.jid, f"{how}2", b"2")
        await phone.resume()
        assert [(await phone.next_push()).payload for _ in "12"] == [b"1", b"2"]
        assert (await component.answer_to(f"{how}2")).get("type") == "result"
    await component.close()


@play
async def test_the_component_sees_presence_come_and_go(server: XmppServer) -> None:
    component = FakeComponent(server)
    await component.connect()
    async with Phone(server) as phone:
        await phone.register()
    async with Phone(server, "romeo", "hidden") as other:
        await other.register()
    seen = [e.get("type", "available") for e in component.stanzas if e.tag.endswith("presence")]
    assert seen == ["available", "unavailable"] * 2
    await component.close()


@play
async def test_two_phones_chat(server: XmppServer) -> None:
    async with Phone(server) as juliet, Phone(server, "romeo", "hidden") as romeo:
        await romeo.is_seen()
        juliet.send_message(romeo.bare_jid, "<Wherefore> & 'why'?")
        assert await romeo.next_message() == (juliet.jid, "<Wherefore> & 'why'?")


@play
async def test_a_server_comes_back_with_its_accounts(server: XmppServer) -> None:
    server.add_user("nurse", "later")
    for end in (server.stop, server.kill):
        async with Phone(server, "nurse", "later") as phone:
            end()
            await phone.disconnected()
            server.start()
